import { setTimeout as sleep } from 'node:timers/promises';
import { runMigrations } from 'graphile-worker';
import type { Client } from 'pg';
import { ask, withClient } from '../database.ts';
import { codeOf, Failure, messageOf } from '../failure.ts';
import { isPooled } from '../pooler.ts';
import { quietLogger } from './log.ts';
import { openPool } from './pool.ts';

/**
 * Installs graphile-worker's schema, or brings it up to date. It must belong to hospital_worker, since its
 * tables are under row security, and the first time that takes the right to create a schema: lent for
 * the moment, and taken back also when an earlier installation died before it could. Idempotent;
 * several callers at once wait for one another.
 * @param ownerUrl the database, as its owner
 * @param workerUrl the same database, as hospital_worker
 */
export async function installWorker(ownerUrl: string, workerUrl: string): Promise<void> {
  await withClient(ownerUrl, async (owner) => {
    await owner.query(`select pg_advisory_lock(hashtext('infirmary.install_worker'), 0)`);
    try {
      if ((await schemaOwner(owner)) === undefined) await changeRight(owner, 'grant', 'to');
      await migrate(workerUrl);
    } finally {
      if (await mayCreate(owner)) await changeRight(owner, 'revoke', 'from');
    }
  });
}

/** @throws Failure when the worker could not work */
export async function assertInstalled(workerUrl: string): Promise<void> {
  const owner = await withClient(workerUrl, async (client) => {
    if (await isPooled(client)) {
      throw new Failure(
        'The worker listens and holds locks, which a pooler would give to others.',
        'Set WORKER_URL to a URL that leads to the server itself.',
      );
    }
    return schemaOwner(client);
  });
  if (owner === 'hospital_worker') return;
  throw new Failure(
    owner === undefined
      ? 'The schema of the job queue is not installed.'
      : `The schema of the job queue belongs to ${owner}, so hospital_worker would see no jobs.`,
    owner === undefined
      ? 'Run `infirmary migrate`, with WORKER_URL if the worker has a password of its own.'
      : 'Drop the schema graphile_worker and run `infirmary migrate`.',
  );
}

async function migrate(workerUrl: string): Promise<void> {
  const pool = openPool(workerUrl);
  try {
    await runMigrations({ pgPool: pool, logger: quietLogger() });
    await pool.query(queueRefresh);
    await pool.query(queueFigures);
  } catch (error) {
    if (codeOf(error) !== '28P01') throw error;
    throw new Failure(
      'hospital_worker cannot log in, so its job queue was not installed.',
      'Set WORKER_URL, or let `infirmary roles apply` set its password.',
      { cause: error },
    );
  } finally {
    await pool.end();
  }
}

/**
 * The queue is hospital_worker's alone. The owner may ask it for this much: that the warehouse is loaded and
 * its views are refreshed, in this order (analytics.refresh_views). Asked again while they wait, they wait once.
 */
const queueRefresh = `
  create or replace function graphile_worker.queue_refresh()
  returns void
  language sql
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  as $$
    select graphile_worker.add_job(
      j.name, job_key => j.name, max_attempts => 3, queue_name => 'warehouse', priority => j.priority
    )
    from (values ('load_warehouse', 0), ('refresh_views', 1)) as j (name, priority);
  $$;
  revoke all on function graphile_worker.queue_refresh() from public;
  grant usage on schema graphile_worker to hospital_owner;
  grant execute on function graphile_worker.queue_refresh() to hospital_owner;
`;

/** And how many jobs wait in which state, for ops.hospital_figures: what they are about stays the worker's own. */
const queueFigures = `
  create or replace function graphile_worker.queue_figures()
  returns table (name text, label text, value double precision)
  language sql
  stable
  security definer
  set search_path = pg_catalog, pg_temp
  as $$
    with jobs as (
      select
        case
          when j.locked_at is not null then 'running'
          when j.attempts >= j.max_attempts then 'given_up'
          when j.run_at > now() then 'scheduled'
          else 'ready'
        end as state,
        j.run_at
      from graphile_worker.jobs as j
    )
    select 'queue_jobs', s.state, count(j.state)::double precision
    from unnest(array['running', 'given_up', 'scheduled', 'ready']) as s (state)
    left join jobs as j on j.state = s.state
    group by s.state
    union all
    select 'queue_ready_since_timestamp_seconds', null, coalesce(extract(epoch from min(j.run_at)), 0)
    from jobs as j
    where j.state = 'ready';
  $$;
  revoke all on function graphile_worker.queue_figures() from public;
  grant execute on function graphile_worker.queue_figures() to hospital_owner;
`;

async function schemaOwner(client: Client): Promise<string | undefined> {
  const { rows } = await ask(
    client,
    `select nspowner::regrole::text from pg_namespace where nspname = 'graphile_worker'`,
  );
  return rows[0]?.[0] as string | undefined;
}

async function mayCreate(owner: Client): Promise<boolean> {
  const { rows } = await ask(
    owner,
    `select has_database_privilege('hospital_worker', current_database(), 'create')`,
  );
  return rows[0]?.[0] === true;
}

/** Rights on a database are one row of the cluster: somebody else may be changing it at this moment. */
async function changeRight(owner: Client, verb: 'grant' | 'revoke', link: 'to' | 'from'): Promise<void> {
  const { rows } = await ask(owner, 'select quote_ident(current_database())');
  for (let attempt = 1; ; attempt += 1) {
    try {
      await owner.query(`${verb} create on database ${rows[0]?.[0]} ${link} hospital_worker`);
      return;
    } catch (error) {
      if (attempt === 20 || messageOf(error) !== 'tuple concurrently updated') throw error;
      await sleep(100);
    }
  }
}
