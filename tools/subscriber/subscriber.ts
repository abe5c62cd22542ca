import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { withClient } from '../database.ts';
import { codeOf, Failure } from '../failure.ts';
import { showProgress } from '../terminal.ts';
import { type PublishedTable, readCopied, readPublished, readSubscribed } from './tables.ts';

/** Who publishes and who subscribes, by URL. */
export interface Subscription {
  /** How the subscriber reaches the hospital: a role with REPLICATION that may read what is published. */
  publisher: string;
  /** The second server, as a superuser of its own. */
  subscriber: string;
  /** What the subscription and its slot at the publisher are called. */
  name: string;
}

/** How a subscriber stands. */
export interface SubscriberStatus {
  /** Tables copied and followed, and all there are. */
  ready: number;
  tables: number;
  /** Whether it is connected to the publisher. */
  connected: boolean;
  /** How much of the publisher's log it has not confirmed yet; null when its slot is gone. */
  behindBytes: number | null;
  /** Of the log that the slot keeps: reserved, extended, unreserved; lost or null when the copy must be made anew. */
  log: string | null;
  /** Tables that are published in another form than the subscriber has them. */
  differing: string[];
}

const publication = 'warehouse_sources';

/** Makes the tables on the subscriber, subscribes, and waits until all are copied. */
export async function createSubscriber(subscription: Subscription): Promise<void> {
  const tables = await publishedTables(subscription.publisher);
  await withClient(subscription.subscriber, async (client) => {
    await refusePublisher(client, subscription.publisher);
    await makeTables(client, tables);
    try {
      await subscribe(client, subscription);
    } catch (error) {
      await client.query(`drop table ${tables.map(({ name }) => name).join(', ')}`);
      throw refused(error);
    }
    await waitForCopy(client, subscription.name);
  });
}

/**
 * Brings the subscriber's tables in line with what is published now: those that differ are made and copied
 * anew, the others are left alone.
 */
export async function refreshSubscriber({ publisher, subscriber, name }: Subscription): Promise<string[]> {
  const wanted = await publishedTables(publisher);
  return withClient(subscriber, async (client) => {
    const { made, gone } = await compare(client, wanted, name);
    await client.query('begin');
    for (const table of [...made.map((each) => each.name), ...gone]) {
      await client.query(`drop table if exists ${table}`);
    }
    for (const { schema, definition } of made) {
      await client.query(`create schema if not exists ${client.escapeIdentifier(schema)}`);
      await client.query(definition);
    }
    await client.query('commit');
    await client.query(`alter subscription ${client.escapeIdentifier(name)} refresh publication`);
    await waitForCopy(client, name);
    return [...made.map((each) => each.name), ...gone];
  });
}

/** How the subscriber stands, as both servers see it. */
export async function statusOfSubscriber({ publisher, subscriber, name }: Subscription): Promise<SubscriberStatus> {
  const wanted = await publishedTables(publisher);
  const slot = await withClient(publisher, async (client) => {
    const { rows } = await client.query<{ log: string | null; behind: string | null }>(
      `select wal_status as log, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) as behind
       from pg_catalog.pg_replication_slots
       where slot_name = $1`,
      [name],
    );
    return rows[0];
  });
  return withClient(subscriber, async (client) => {
    const { made, gone } = await compare(client, wanted, name);
    const { rows } = await client.query<{ ready: number; tables: number; connected: boolean }>(
      `select
         (count(*) filter (where r.srsubstate = 'r'))::integer as ready,
         count(*)::integer as tables,
         exists (
           select
           from pg_catalog.pg_stat_subscription as w
           where w.subname = $1
             and w.relid is null
             and w.latest_end_lsn is not null
         ) as connected
       from pg_catalog.pg_subscription_rel as r
       where r.srsubid = (
         select s.oid
         from pg_catalog.pg_subscription as s
         where s.subname = $1
           and s.subdbid = (select d.oid from pg_catalog.pg_database as d where d.datname = current_database())
       )`,
      [name],
    );
    return {
      ...rows[0]!,
      behindBytes: slot?.behind ? Number(slot.behind) : null,
      log: slot?.log ?? null,
      differing: [...made.map((each) => each.name), ...gone],
    };
  });
}

/**
 * Ends the subscription and removes its slot from the publisher, which would otherwise keep its log for it.
 * @param options.leaveSlot when the publisher is gone, or no longer to be reached
 * @param options.erase drops the copied tables too
 */
export async function dropSubscriber(
  { subscriber, name }: Pick<Subscription, 'subscriber' | 'name'>,
  options: { leaveSlot?: boolean; erase?: boolean } = {},
): Promise<void> {
  await withClient(subscriber, async (client) => {
    const quoted = client.escapeIdentifier(name);
    const copied = await readSubscribed(client, name);
    if (options.leaveSlot) {
      await client.query(`alter subscription ${quoted} disable`);
      await client.query(`alter subscription ${quoted} set (slot_name = none)`);
    }
    try {
      await client.query(`drop subscription ${quoted}`);
    } catch (error) {
      if (codeOf(error) === '42704') throw new Failure(`There is no subscription "${name}" there.`);
      throw new Failure(
        `The slot at the publisher could not be removed (${codeOf(error)}), so the subscription was left as it is.`,
        'Once the publisher is back, run it again. If it never comes back: --leave-slot.',
        { cause: error },
      );
    }
    if (options.erase && copied.length > 0) await client.query(`drop table ${copied.join(', ')}`);
  });
}

async function publishedTables(publisher: string): Promise<PublishedTable[]> {
  const tables = await withClient(publisher, (client) => readPublished(client, publication));
  if (tables.length > 0) return tables;
  throw new Failure('The hospital publishes nothing.', 'Migrate it first: infirmary migrate');
}

async function makeTables(client: Client, tables: PublishedTable[]): Promise<void> {
  try {
    await client.query('begin');
    for (const schema of new Set(tables.map((each) => each.schema))) {
      await client.query(`create schema if not exists ${client.escapeIdentifier(schema)}`);
    }
    for (const { definition } of tables) await client.query(definition);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    if (codeOf(error) !== '42P07') throw error;
    throw new Failure(
      'The subscriber has tables of these names already.',
      'Name another database in SUBSCRIBER_URL, or remove what is there: infirmary subscriber drop --erase',
    );
  }
}

/**
 * A subscription to one's own server would wait for itself for ever; and a role under row security would copy
 * tables without a row, and say nothing.
 */
async function refusePublisher(subscriber: Client, publisher: string): Promise<void> {
  const question = `
    select c.system_identifier::text as id, r.rolsuper or r.rolbypassrls as sees_all
    from pg_catalog.pg_control_system() as c
    join pg_catalog.pg_roles as r on r.rolname = current_user`;
  const [here] = (await subscriber.query(question)).rows;
  const [there] = await withClient(publisher, async (client) => (await client.query(question)).rows);
  if (here.id === there.id) {
    throw new Failure('The subscriber is the hospital’s own server.', 'Name another in SUBSCRIBER_URL.');
  }
  if (!there.sees_all) {
    throw new Failure(
      'The publisher’s role is under row security, and would copy nothing without a word.',
      'Name hospital_backup, or a role with REPLICATION and BYPASSRLS, in PUBLISHER_URL: see docs/downstream.md.',
    );
  }
}

/** The password travels in the statement, so the statement goes into no log. */
async function subscribe(client: Client, { publisher, name }: Subscription): Promise<void> {
  await client.query(`
    set log_statement = 'none';
    set log_min_duration_statement = -1;
    set log_min_error_statement = 'panic'`);
  await client.query(
    `create subscription ${client.escapeIdentifier(name)}
     connection ${client.escapeLiteral(publisher)}
     publication ${publication}`,
  );
}

/** Without the server's own text, which may quote the connection. */
function refused(error: unknown): Failure {
  const code = codeOf(error);
  const remedies: Record<string, string> = {
    '42710': 'It has a subscription of that name, or the publisher a slot: choose another with --name.',
    '42501': 'SUBSCRIBER_URL needs a superuser there.',
    '08006': 'Check that the subscriber reaches the URL in PUBLISHER_URL, and that its role may replicate.',
  };
  return new Failure(`The subscription was refused (${code}).`, remedies[code ?? ''] ?? remedies['08006'], {
    cause: error,
  });
}

async function waitForCopy(client: Client, name: string): Promise<void> {
  const left = async (): Promise<number> => {
    const { rows } = await client.query<{ left: number }>(
      `select (count(*) filter (where r.srsubstate <> 'r'))::integer as left
       from pg_catalog.pg_subscription_rel as r
       join pg_catalog.pg_subscription as s on s.oid = r.srsubid
       where s.subname = $1`,
      [name],
    );
    return rows[0]!.left;
  };
  let before = await left();
  if (before === 0) return;
  const progress = showProgress('Copying tables', before);
  try {
    while (before > 0) {
      await sleep(200);
      const now = await left();
      progress.advance(before - now);
      before = now;
    }
  } finally {
    progress.end();
  }
}

/** What must be made anew, and what is published no more. */
async function compare(
  client: Client,
  wanted: PublishedTable[],
  subscription: string,
): Promise<{ made: PublishedTable[]; gone: string[] }> {
  const names = wanted.map(({ name }) => name);
  const copied = new Map((await readCopied(client, names)).map(({ name, columns }) => [name, columns]));
  const subscribed = await readSubscribed(client, subscription);
  return {
    made: wanted.filter(({ name, columns }) => copied.get(name) !== columns),
    gone: subscribed.filter((name) => !names.includes(name)),
  };
}
