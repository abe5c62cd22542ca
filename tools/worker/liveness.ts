import pg from 'pg';
import { ask, withClient } from '../database.ts';
import { applicationName } from './pool.ts';

/**
 * graphile-worker believes for four hours that a killed worker still works. So every worker holds a lock
 * as long as it lives, which the server releases when its connection ends, and whoever finds a job of a
 * worker without such a lock makes it available again.
 */
export interface Liveness {
  /** Makes a worker announce itself before it takes its first job. */
  plugin: GraphileConfig.Plugin;
  /** Settles when the connection, and with it the lock, is lost or was given up. */
  lost: Promise<void>;
  end(): Promise<void>;
}

const minute = 60_000;

/**
 * Frees what the dead have left, and prepares to announce a worker.
 * @param url the database, as hospital_worker
 */
export async function openLiveness(url: string): Promise<Liveness> {
  const client = new pg.Client({ connectionString: url, application_name: applicationName, keepAlive: true });
  const lost = new Promise<void>((resolve) => client.on('end', resolve));
  client.on('error', () => void client.end().catch(() => {}));
  try {
    await client.connect();
    await freeJobsOfTheDead(client);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }

  let announced: Promise<void> | undefined;
  const timers: NodeJS.Timeout[] = [];
  const announce = async (self: string): Promise<void> => {
    await client.query('select pg_advisory_lock(hashtext($1), hashtext($2))', [applicationName, self]);
    timers.push(setInterval(() => void freeJobsOfTheDead(client, self).catch(() => {}), minute).unref());
  };
  return {
    plugin: {
      name: 'InfirmaryLivenessPlugin',
      version: '1.0.0',
      worker: {
        hooks: {
          startWorker: (_ctx, { worker }) => (announced ??= announce(worker.workerPool.id)),
        },
      },
    },
    lost,
    end: async () => {
      timers.forEach(clearInterval);
      await client.end().catch(() => {});
    },
  };
}

/**
 * Whether a worker is connected from this machine, or container: the server sees the address of both.
 * @param url the database, as hospital_worker
 */
export function isWorking(url: string): Promise<boolean> {
  return withClient(url, async (client) => {
    const { rows } = await ask(
      client,
      `select exists (
         select
         from pg_locks as lock
         join pg_stat_activity as activity on activity.pid = lock.pid
         where lock.locktype = 'advisory'
           and lock.granted
           and activity.datname = current_database()
           and lock.classid = hashtext($1)::oid
           and activity.client_addr is not distinct from inet_client_addr()
       )`,
      [applicationName],
    );
    return rows[0]![0] === true;
  });
}

/** The lock of a dead worker can be had, that of a living one cannot; our own could, so it is left out. */
async function freeJobsOfTheDead(client: pg.Client, self = ''): Promise<void> {
  await client.query(
    `with lockers as materialized (
       select distinct locked_by
       from graphile_worker.jobs
       where locked_by <> $2
     )
     select graphile_worker.force_unlock_workers(array_agg(locked_by))
     from lockers
     where pg_try_advisory_xact_lock(hashtext($1), hashtext(locked_by))`,
    [applicationName, self],
  );
}
