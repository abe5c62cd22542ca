import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { logEvent } from '../api/log.ts';
import { withClient } from '../database.ts';
import { codeOf, Failure } from '../failure.ts';
import { type Broker, type BrokerAddress, connectBroker } from './broker.ts';

/** How many events are read, sent and acknowledged together. */
const batch = 200;

/** How long to rest when nothing waits, in milliseconds; and after losing the database or the broker. */
const rest = 1_000;

/** Conditions that no waiting mends, with what to do about each. */
const remedies: Readonly<Record<string, string>> = {
  RESYN: 'infirmary changes reset <name>; then whoever listens must read everything anew.',
  NTFND: 'infirmary changes list shows the consumers; infirmary changes register <name> makes one.',
  '42501': 'The role in WORKER_URL may not read changes: see docs/downstream.md.',
};

export interface Publishing {
  /** The database, as the role that reads for the consumer. */
  url: string;
  consumer: string;
  broker: BrokerAddress;
}

/**
 * Publishes until nothing waits, and returns how many messages that were.
 * @throws Failure when another process publishes for the consumer, or when it must be reset
 */
export async function publishOnce({ url, consumer, broker }: Publishing): Promise<number> {
  return withClient(url, (client) =>
    foreseen(async () => {
      if (!(await isAlone(client, consumer))) {
        throw new Failure(`Another process publishes for "${consumer}" just now.`);
      }
      return withBroker(broker, consumer, (connection) => publishAll(client, consumer, connection));
    }),
  );
}

/**
 * Publishes until told to stop, through the loss of the database and of the broker. Of several processes for
 * one consumer one publishes, and another takes over when it ends.
 */
export async function publishOn(publishing: Publishing, stopping: AbortSignal): Promise<void> {
  const pause = (): Promise<void> => sleep(rest, undefined, { signal: stopping }).catch(() => {});
  const { url, consumer, broker } = publishing;
  const work = async (client: Client): Promise<void> => {
    while (!stopping.aborted && !(await isAlone(client, consumer))) await pause();
    if (stopping.aborted) return;
    await withBroker(broker, consumer, async (connection) => {
      while (!stopping.aborted) {
        await publishAll(client, consumer, connection, stopping);
        await pause();
      }
    });
  };
  while (!stopping.aborted) {
    try {
      await foreseen(() => withClient(url, work));
    } catch (error) {
      if (error instanceof MustBeMended) throw error;
      logEvent('error', 'changes.interrupted', { consumer, code: codeOf(error) ?? (error as Error).name });
      await pause();
    }
  }
}

/** First sent and then acknowledged: whoever dies between sends again, and nothing is lost. */
async function publishAll(
  client: Client,
  consumer: string,
  broker: Broker,
  stopping?: AbortSignal,
): Promise<number> {
  for (let published = 0; ; ) {
    const { rows } = await client.query<{ topic: string; payload: string; position: string }>(
      `select
         'infirmary/' || $1 || '/' || substr(e.table_name, length('hospital.') + 1) as topic,
         json_build_object(
           'stream', e.stream,
           'sequence', e.sequence,
           'table', e.table_name,
           'operation', e.operation,
           'key', e.row_key,
           'recordedAt', e.recorded_at
         )::text as payload,
         e.position::text
       from ops.read_change_events($1, $2) as e`,
      [consumer, batch],
    );
    const last = rows.at(-1);
    if (!last || stopping?.aborted) return published;
    await broker.publish(rows);
    await client.query('select ops.acknowledge_change_events($1, $2)', [consumer, last.position]);
    published += rows.length;
  }
}

/** Two that publish for one consumer would mix old news into new. The lock goes with the connection. */
async function isAlone(client: Client, consumer: string): Promise<boolean> {
  const { rows } = await client.query<{ alone: boolean }>(
    `select pg_try_advisory_lock(hashtext('ops.change_consumers'), hashtext($1)) as alone`,
    [consumer],
  );
  return rows[0]!.alone;
}

async function withBroker<Result>(
  address: BrokerAddress,
  consumer: string,
  work: (broker: Broker) => Promise<Result>,
): Promise<Result> {
  const broker = await connectBroker(address, `infirmary-${consumer}`);
  try {
    return await work(broker);
  } finally {
    await broker.end().catch(() => {});
  }
}

/** A failure that trying again does not mend. */
class MustBeMended extends Failure {}

async function foreseen<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const remedy = remedies[codeOf(error) ?? ''];
    if (!remedy) throw error;
    throw new MustBeMended((error as Error).message, remedy, { cause: error });
  }
}
