import type { Writable } from 'node:stream';
import { connectReplication } from './replication.ts';

/** Where a server's copy begins and ends in its log. */
export interface BaseBackup {
  startLsn: string;
  /** The copy is consistent from here on. */
  endLsn: string;
  timeline: number;
  /** The tablespaces beside the data directory: each is an archive `<oid>.tar`. */
  tablespaces: { oid: string; location: string }[];
}

/** Takes the bytes of one archive. */
export interface Receiver {
  to: Writable;
  /** Settles when the bytes have arrived where they should. */
  done: Promise<unknown>;
}

/** How a copy is taken. */
export interface Options {
  label: string;
  /** Says where an archive goes: `base.tar`, the `<oid>.tar` of each tablespace, and at last `backup_manifest`. */
  receive(archive: string): Receiver;
  /** Told of every piece: bytes so far, and the server's estimate of all. */
  onProgress?(bytes: number, total: number): void;
}

/**
 * Copies a running server through the replication protocol, as pg_basebackup does: no file of the server is
 * touched, so it may be anywhere. The log the copy needs is in it, and kept for it by a temporary slot.
 * @param url a role with REPLICATION, in a database it may connect to
 */
export async function streamBaseBackup(url: string, options: Options): Promise<BaseBackup> {
  const client = await connectReplication(url);
  try {
    // In capitals: the protocol's commands know no others.
    await client.query(`CREATE_REPLICATION_SLOT infirmary_copy_${process.pid}_${Date.now()} TEMPORARY PHYSICAL RESERVE_WAL`);
    return await client.query(new BaseBackupQuery(options)).finished;
  } finally {
    await client.end().catch(() => {});
  }
}

function finishedOrDrained(to: Writable, then: () => void): void {
  const once = (): void => {
    to.off('drain', once).off('finish', once);
    then();
  };
  to.once('drain', once).once('finish', once);
}

/** The connection of a client, as far as a query of our own uses it. */
interface Wire {
  query(text: string): void;
  stream: { pause(): void; resume(): void; destroy(): void };
}

/** BASE_BACKUP answers with rows, then bytes, then rows, which no query of `pg` expects. */
class BaseBackupQuery {
  readonly finished: Promise<BaseBackup>;
  readonly #options: Options;
  readonly #rows: (string | null)[][] = [];
  readonly #receivers: Receiver[] = [];
  #wire!: Wire;
  #bytes = 0;
  #isPaused = false;
  #settle!: { resolve(result: BaseBackup): void; reject(error: unknown): void };

  constructor(options: Options) {
    this.#options = options;
    this.finished = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  submit(connection: unknown): void {
    this.#wire = connection as Wire;
    const label = this.#options.label.replaceAll("'", "''");
    this.#wire.query(
      `BASE_BACKUP (LABEL '${label}', PROGRESS true, CHECKPOINT 'fast', WAL true, WAIT false,` +
        ` MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256')`,
    );
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.#rows.push(fields);
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    const kind = String.fromCharCode(chunk[0]!);
    if (kind === 'n') this.#open(chunk.toString('utf8', 1, chunk.indexOf(0, 1)));
    if (kind === 'm') this.#open('backup_manifest');
    // A copy of the bytes: the parser of `pg` uses its buffer again.
    if (kind === 'd') this.#write(Buffer.from(chunk.subarray(1)));
  }

  #open(archive: string): void {
    this.#receivers.at(-1)?.to.end();
    const receiver = this.#options.receive(archive);
    this.#receivers.push(receiver);
    receiver.done.catch((error: unknown) => this.#fail(error));
  }

  #write(bytes: Buffer): void {
    const { to } = this.#receivers.at(-1)!;
    this.#bytes += bytes.length;
    this.#options.onProgress?.(this.#bytes, this.#total());
    // What the parser has already read still comes while we pause.
    if (to.destroyed || to.write(bytes) || this.#isPaused) return;
    this.#isPaused = true;
    this.#wire.stream.pause();
    // One that is ended before it has room again never says that it has.
    finishedOrDrained(to, () => {
      this.#isPaused = false;
      this.#wire.stream.resume();
    });
  }

  /** The server's estimate, in kilobytes for each tablespace, comes with the second answer. */
  #total(): number {
    return this.#rows.slice(1).reduce((sum, [, , kilobytes]) => sum + Number(kilobytes ?? 0) * 1024, 0);
  }

  handleReadyForQuery(): void {
    this.#receivers.at(-1)?.to.end();
    Promise.all(this.#receivers.map(({ done }) => done)).then(
      () => this.#settle.resolve(this.#result()),
      (error: unknown) => this.#fail(error),
    );
  }

  #result(): BaseBackup {
    const [start, ...rest] = this.#rows;
    const end = rest.pop();
    return {
      startLsn: String(start?.[0]),
      endLsn: String(end?.[0]),
      timeline: Number(end?.[1]),
      tablespaces: rest.flatMap(([oid, location]) => (oid && location ? [{ oid, location }] : [])),
    };
  }

  handleError(error: unknown): void {
    this.#fail(error);
  }

  /** The server would send on: only cutting the connection stops it. */
  #fail(error: unknown): void {
    this.#settle.reject(error);
    this.#wire.stream.destroy();
    for (const { to } of this.#receivers) to.destroy();
  }

  handleRowDescription(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {}
}
