import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { ask, withClient } from '../database.ts';
import { codeOf, Failure, messageOf } from '../failure.ts';
import { formatLsn, parseLsn, segmentAt, segmentName, parseSegment } from './lsn.ts';
import { ReceivedLog } from './received-log.ts';
import { connectReplication } from './replication.ts';
import { claim, type Repository } from './repository.ts';
import { firstOf, historyName, listLog, storeLog } from './wal-archive.ts';

/** The slot by which a server keeps its log until the repository has it. */
export const slot = 'infirmary_backup';

/** A log that is being received. */
export interface Receiving {
  /** Settles when the server has ended it or was lost. */
  ended: Promise<void>;
  /** Settles when all that the server had written when this began is on disk here. */
  caughtUp: Promise<void>;
  /** Ends it; what has arrived is on disk. */
  stop(): Promise<void>;
}

/**
 * Receives the log of a server into the repository, through the replication protocol: within a second of being
 * written there it is on disk here, and the server keeps what is not.
 * @param url a role with REPLICATION, in a database it may connect to
 * @param tell told when the server no longer has what comes next, so that there is a gap
 * @throws Failure when somebody else receives it already
 */
export async function receiveLog(
  url: string,
  repository: Repository,
  tell: (line: string) => void = () => {},
): Promise<Receiving> {
  const client = await connectReplication(url);
  try {
    const { systemIdentifier, timeline, position } = await identify(client);
    claim(repository, systemIdentifier);
    const segmentSize = await askNumber(client, "select setting from pg_settings where name = 'wal_segment_size'");
    const reserved = await openSlot(client);
    await storeHistory(client, repository, timeline);
    const wanted = await nextSegment(repository, timeline, segmentSize);
    const kept = segmentAt(timeline, reserved, segmentSize);
    const start = wanted !== undefined && wanted > kept ? wanted : kept;
    if (wanted !== undefined && wanted < kept) {
      tell(`The server keeps its log from ${kept} on, and ${wanted} comes next: only a new backup reaches beyond that gap.`);
    }
    return await begin(client, repository, { timeline, position, segmentSize, start });
  } catch (error) {
    await client.end().catch(() => {});
    if (codeOf(error) !== '55006') throw error;
    throw new Failure('The log of this server is being received already.', `Its slot is ${slot}.`, { cause: error });
  }
}

/** How long to wait before trying again when the server was lost, in milliseconds. */
const pause = 5_000;

/**
 * Receives the log until stopped, and comes back whenever the server does.
 * @throws Failure when it cannot even begin
 */
export async function keepReceiving(
  url: string,
  repository: Repository,
  tell: (line: string) => void,
): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController();
  let current: Receiving | undefined = await receiveLog(url, repository, tell);
  const done = (async () => {
    while (!stopping.signal.aborted) {
      await current?.ended.catch((error: Error) => stopping.signal.aborted || tell(`The log is not being received: ${messageOf(error)}`));
      if (stopping.signal.aborted) return;
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => {});
      current = await receiveLog(url, repository, tell).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await current?.stop();
      await done;
      // One that began again just then.
      await current?.stop();
    },
  };
}

/** Whether the log is being received from this machine, or container: the server sees the address of both. */
export function isReceiving(url: string): Promise<boolean> {
  return withClient(url, async (client) => {
    const { rows } = await ask(
      client,
      `select exists (
         select
         from pg_replication_slots as receiver
         join pg_stat_activity as activity on activity.pid = receiver.active_pid
         where receiver.slot_name = $1
           and activity.client_addr is not distinct from inet_client_addr()
       )`,
      [slot],
    );
    return rows[0]![0] === true;
  });
}

/** Gives the slot up: the server no longer keeps its log for the repository. Returns whether there was one. */
export async function dropSlot(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1',
      [slot],
    );
    return rowCount === 1;
  } finally {
    await client.end();
  }
}

async function identify(client: pg.Client): Promise<{ systemIdentifier: string; timeline: number; position: bigint }> {
  const { rows } = await client.query<{ systemid: string; timeline: string; xlogpos: string }>('IDENTIFY_SYSTEM');
  return { systemIdentifier: rows[0]!.systemid, timeline: Number(rows[0]!.timeline), position: parseLsn(rows[0]!.xlogpos) };
}

async function askNumber(client: pg.Client, sql: string): Promise<number> {
  return Number(Object.values((await client.query<Record<string, unknown>>(sql)).rows[0]!)[0]);
}

/** From where the server keeps its log for us. One that has fallen too far behind is made anew. */
async function openSlot(client: pg.Client): Promise<bigint> {
  const find = `select restart_lsn as lsn from pg_replication_slots where slot_name = '${slot}'`;
  const found = (await client.query<{ lsn: string | null }>(find)).rows[0];
  if (found?.lsn) return parseLsn(found.lsn);
  if (found) await client.query(`DROP_REPLICATION_SLOT ${slot}`);
  await client.query(`CREATE_REPLICATION_SLOT ${slot} PHYSICAL RESERVE_WAL`);
  return parseLsn((await client.query<{ lsn: string }>(find)).rows[0]!.lsn);
}

/** How a timeline left the one before it: without that, recovery would not follow. */
async function storeHistory(client: pg.Client, repository: Repository, timeline: number): Promise<void> {
  if (timeline === 1) return;
  const { rows } = await client.query<{ content: string | Buffer }>(`TIMELINE_HISTORY ${timeline}`);
  await storeLog(repository, historyName(timeline), Buffer.from(rows[0]!.content as string));
}

/** After the newest the repository has of the timeline; else where the timeline left one that it has. */
async function nextSegment(repository: Repository, timeline: number, segmentSize: number): Promise<string | undefined> {
  const { segments } = await listLog(repository);
  const newest = segments.get(timeline)?.at(-1);
  if (!newest) return [...segments.values()].flat().length > 0 ? firstOf(repository, timeline, segmentSize) : undefined;
  return segmentName(timeline, parseSegment(newest, segmentSize).number + 1n, segmentSize);
}

interface Beginning {
  timeline: number;
  position: bigint;
  segmentSize: number;
  start: string;
}

async function begin(
  client: pg.Client,
  repository: Repository,
  { timeline, position, segmentSize, start }: Beginning,
): Promise<Receiving> {
  const from = parseSegment(start, segmentSize).number * BigInt(segmentSize);
  const log = await ReceivedLog.open(repository, timeline, from, segmentSize);
  const query = new ReplicationQuery(log, `START_REPLICATION SLOT ${slot} PHYSICAL ${formatLsn(from)} TIMELINE ${timeline}`);
  client.query(query);
  const close = async (): Promise<void> => {
    await log.close();
    query.report();
    await client.end().catch(() => {});
  };
  const caughtUp = log.reached(position);
  caughtUp.catch(() => {});
  return {
    caughtUp,
    ended: query.ended.finally(close),
    stop: async () => {
      await close();
      await query.ended.catch(() => {});
    },
  };
}

interface Wire {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  stream: { pause(): void; resume(): void; writable: boolean };
}

/** START_REPLICATION: both sides send until one has enough, which no query of `pg` expects. */
class ReplicationQuery {
  readonly ended: Promise<void>;
  readonly #log: ReceivedLog;
  readonly #text: string;
  #wire: Wire | undefined;
  #settle!: { resolve(): void; reject(error: unknown): void };

  constructor(log: ReceivedLog, text: string) {
    this.#log = log;
    this.#text = text;
    this.ended = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.ended.catch(() => {});
    log.onFlush = () => this.report();
    log.onFailure = (error) => this.#settle.reject(error);
  }

  submit(connection: unknown): void {
    this.#wire = connection as Wire;
    this.#wire.query(this.#text);
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    if (chunk[0] === 0x77 /* w: log */) {
      const isFull = this.#log.append(chunk.readBigUInt64BE(1), chunk.subarray(25));
      if (isFull) this.#pause();
    } else if (chunk[17] === 1 /* k: the server wants to know, perhaps to end */) {
      void this.#log.flush().then(() => this.report(), () => {});
    }
  }

  /** The network is faster than the disk. */
  #pause(): void {
    this.#wire?.stream.pause();
    void this.#log.flush().finally(() => this.#wire?.stream.resume());
  }

  /** Tells the server what is on disk here, so that it need not keep it. */
  report(): void {
    if (!this.#wire?.stream.writable) return;
    const message = Buffer.alloc(34);
    message.write('r');
    message.writeBigUInt64BE(this.#log.received, 1);
    message.writeBigUInt64BE(this.#log.flushed, 9);
    message.writeBigUInt64BE(this.#log.flushed, 17);
    message.writeBigInt64BE(BigInt(Date.now() - Date.UTC(2000, 0, 1)) * 1000n, 25);
    this.#wire.sendCopyFromChunk(message);
  }

  handleError(error: unknown): void {
    this.#settle.reject(error);
  }

  handleReadyForQuery(): void {
    this.#settle.resolve();
  }

  handleDataRow(): void {}
  handleRowDescription(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {}
}
