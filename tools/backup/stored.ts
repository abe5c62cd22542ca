import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { codeOf } from '../failure.ts';
import { opening, sealing, type Key } from './seal.ts';

/** A file as it lies in the repository, compressed and perhaps encrypted. */
export interface Stored {
  file: string;
  /** Of the content. */
  bytes: number;
  /** Of the file itself. */
  storedBytes: number;
  /** Of the file itself, hexadecimal. */
  sha256: string;
}

/** The ending that says how a file is stored. */
export function endingOf(key: Key | undefined): string {
  return key ? '.zst.sealed' : '.zst';
}

/**
 * Stores what is written to `to` as `file`.
 * @param name the file's name in the repository: under another it would not decrypt
 */
export function store(file: string, name: string, key: Key | undefined): { to: Writable; done: Promise<Stored> } {
  const content = meter();
  const compress = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  const stored = meter();
  const disk = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true });
  const done = pipeline([content.stream, compress, ...(key ? [sealing(key, name)] : []), stored.stream, disk]);
  return {
    to: content.stream,
    done: done.then(() => ({
      file: path.basename(file),
      bytes: content.count(),
      storedBytes: stored.count(),
      sha256: stored.hash(),
    })),
  };
}

/**
 * Stores bytes whole or not at all: what is killed meanwhile leaves nothing under the file's name. Of several at
 * once the first gives it its content.
 * @returns false when the file was there already
 */
export async function storeBytes(file: string, name: string, key: Key | undefined, bytes: Buffer): Promise<boolean> {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.draft`;
  try {
    const { to, done } = store(draft, name, key);
    to.end(bytes);
    await done;
    await giveName(draft, file);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await flushFolder(path.dirname(file));
  return true;
}

/** Unlike a renamed file, a link takes no other's place; some file systems know none. */
async function giveName(draft: string, file: string): Promise<void> {
  try {
    await link(draft, file);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error) ?? '')) throw error;
    await rename(draft, file);
  }
}

/**
 * The content of a stored file. Whatever is wrong with it makes reading fail.
 * @param see is told the file's own hash when all was read
 */
export function readStored(
  file: string,
  name: string,
  key: Key | undefined,
  see: (sha256: string) => void = () => {},
): AsyncIterable<Buffer> {
  const stored = meter(see);
  const streams = [
    createReadStream(file, { highWaterMark: 256 * 1024 }),
    stored.stream,
    ...(key ? [opening(key, name)] : []),
    createZstdDecompress(),
  ];
  // The error comes out where the content is read.
  pipeline(streams).catch(() => {});
  return streams.at(-1) as Transform;
}

/** Counts and hashes what passes. */
function meter(see: (sha256: string) => void = () => {}): { stream: Transform; count(): number; hash(): string } {
  const hash = createHash('sha256');
  let count = 0;
  let sum = '';
  const stream = new Transform({
    transform(bytes: Buffer, _encoding, callback) {
      hash.update(bytes);
      count += bytes.length;
      callback(null, bytes);
    },
    flush(callback) {
      sum = hash.digest('hex');
      see(sum);
      callback();
    },
  });
  return { stream, count: () => count, hash: () => sum };
}

/** Makes names that were given in a folder outlast a loss of power. */
export async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
