import { existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseSegment, segmentName } from './lsn.ts';
import type { Repository } from './repository.ts';
import { Sealer } from './seal.ts';
import { flushFolder } from './stored.ts';
import { folderOf, logName, partialName, readPartial, storeLog } from './wal-archive.ts';

const second = 1_000;

const pieceLength = 1024 * 1024;

/** So many segments may wait for the disk before the sender has to. */
const patience = 4;

/** The segment that is arriving. */
interface Segment {
  name: string;
  bytes: Buffer;
  /** How many of them have arrived, and how many are on disk. */
  filled: number;
  written: number;
  file: PartialFile | undefined;
}

/**
 * Writes what arrives of a log: every second into the file of a partial segment, which is replaced by the whole one,
 * compressed, when the segment is full.
 */
export class ReceivedLog {
  received: bigint;
  flushed: bigint;
  onFlush: () => void = () => {};
  onFailure: (error: unknown) => void = () => {};
  readonly #repository: Repository;
  readonly #timeline: number;
  readonly #size: number;
  readonly #waiting: { position: bigint; resolve(): void; reject(error: Error): void }[] = [];
  #segments: Segment[] = [];
  #work: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout;

  static async open(repository: Repository, timeline: number, from: bigint, size: number): Promise<ReceivedLog> {
    const log = new ReceivedLog(repository, timeline, from, size);
    await mkdir(folderOf(repository, segmentName(timeline, 0n, size)), { recursive: true, mode: 0o700 });
    return log;
  }

  private constructor(repository: Repository, timeline: number, from: bigint, size: number) {
    this.#repository = repository;
    this.#timeline = timeline;
    this.#size = size;
    this.received = from;
    this.flushed = from;
    this.#timer = setInterval(() => void this.flush().catch(() => {}), second);
  }

  /** Takes bytes of the log, in order. Returns whether the sender should wait for the next `flush`. */
  append(position: bigint, bytes: Buffer): boolean {
    if (position !== this.received) {
      this.onFailure(new Error(`The log goes on at ${position} and not at ${this.received}.`));
      return false;
    }
    let segment = this.#segments.at(-1);
    while (bytes.length > 0) {
      if (!segment || segment.filled === this.#size) {
        const name = segmentName(this.#timeline, this.received / BigInt(this.#size), this.#size);
        segment = { name, bytes: Buffer.alloc(this.#size), filled: 0, written: 0, file: undefined };
        this.#segments.push(segment);
      }
      const count = bytes.copy(segment.bytes, segment.filled);
      segment.filled += count;
      this.received += BigInt(count);
      bytes = bytes.subarray(count);
      if (segment.filled === this.#size) void this.flush().catch(() => {});
    }
    return this.#segments.length > patience;
  }

  /** Settles when all that has arrived is on disk. */
  flush(): Promise<void> {
    this.#work = this.#work.then(() => this.#flush());
    this.#work.catch((error: Error) => {
      this.onFailure(error);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
    return this.#work;
  }

  async #flush(): Promise<void> {
    for (let segment = this.#segments[0]; segment; segment = this.#segments[0]) {
      if (segment.filled < this.#size) {
        await this.#writePartial(segment);
        break;
      }
      await storeLog(this.#repository, segment.name, segment.bytes);
      await segment.file?.remove();
      await rm(path.join(folderOf(this.#repository, segment.name), partialName(segment.name, this.#repository)), { force: true });
      this.#segments.shift();
      this.#advance(segment, this.#size);
    }
    this.onFlush();
  }

  async #writePartial(segment: Segment): Promise<void> {
    const { filled, written } = segment;
    if (filled === written) return;
    segment.file ??= await PartialFile.open(this.#repository, segment.name);
    await segment.file.append(segment.bytes.subarray(written, filled));
    segment.written = filled;
    this.#advance(segment, filled);
  }

  #advance(segment: Segment, length: number): void {
    this.flushed = parseSegment(segment.name, this.#size).number * BigInt(this.#size) + BigInt(length);
    for (const each of this.#waiting.filter(({ position }) => position <= this.flushed)) {
      this.#waiting.splice(this.#waiting.indexOf(each), 1);
      each.resolve();
    }
  }

  /** Settles when the log up to there is on disk. */
  reached(position: bigint): Promise<void> {
    if (position <= this.flushed) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ position, resolve, reject }));
  }

  /** Writes what there is and ends. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush().catch(() => {});
    for (const { file } of this.#segments) await file?.close();
    this.#segments = [];
  }
}

/**
 * The file of a segment that is not whole. One that an earlier receiver left may be longer than what has arrived
 * anew, so it is replaced only when it is no longer.
 */
class PartialFile {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #sealer: Sealer | undefined;
  #wanted: number;
  #written = 0;
  #isDraft = true;

  static async open(repository: Repository, segment: string): Promise<PartialFile> {
    const file = path.join(folderOf(repository, segment), partialName(segment, repository));
    const earlier = await readPartial(repository, segment).catch(() => undefined);
    const handle = await open(`${file}.draft`, 'w', 0o600);
    const sealer = repository.key && new Sealer(repository.key, logName(segment));
    if (sealer) await handle.write(sealer.header);
    return new PartialFile(file, handle, sealer, earlier?.length ?? 0);
  }

  private constructor(file: string, handle: FileHandle, sealer: Sealer | undefined, wanted: number) {
    this.#file = file;
    this.#handle = handle;
    this.#sealer = sealer;
    this.#wanted = wanted;
  }

  async append(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += pieceLength) {
      const piece = bytes.subarray(at, at + pieceLength);
      await this.#handle.appendFile(this.#sealer ? this.#sealer.chunk(piece, false) : piece);
    }
    await this.#handle.sync();
    this.#written += bytes.length;
    if (!this.#isDraft || this.#written < this.#wanted) return;
    await rename(`${this.#file}.draft`, this.#file);
    await flushFolder(path.dirname(this.#file));
    this.#isDraft = false;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async remove(): Promise<void> {
    await this.close();
    if (existsSync(`${this.#file}.draft`)) await rm(`${this.#file}.draft`);
  }
}
