import { createWriteStream } from 'node:fs';
import { chmod, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../failure.ts';

const block = 512;

/** A file, folder or link in an archive. Its content must be read, or left, before the next entry. */
export interface Entry {
  name: string;
  type: 'file' | 'folder' | 'link';
  mode: number;
  size: number;
  /** Where a link points. */
  target: string;
  content: AsyncGenerator<Buffer>;
}

/**
 * Reads an archive as PostgreSQL writes it (ustar), entry by entry, without ever holding a file in memory.
 * @throws Failure when it ends early or is no archive
 */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<Entry> {
  const bytes = new ByteReader(source);
  for (;;) {
    const header = await bytes.take(block);
    // Two empty blocks end an archive; what padding follows them is no matter.
    if (header.every((byte) => byte === 0)) return await bytes.drain();
    const entry = readHeader(header);
    let left = entry.size;
    const content = (async function* () {
      while (left > 0) {
        const piece = await bytes.upTo(left);
        left -= piece.length;
        yield piece;
      }
    })();
    yield { ...entry, content };
    for await (const _ of content);
    while (left > 0) left -= (await bytes.upTo(left)).length;
    await bytes.take((block - (entry.size % block)) % block);
  }
}

function readHeader(header: Buffer): Omit<Entry, 'content'> {
  const text = (from: number, length: number): string =>
    header.toString('utf8', from, from + length).replace(/\0.*$/s, '');
  const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (sum !== Number.parseInt(text(148, 8), 8)) throw new Failure('The archive is damaged: a header is none.');
  const prefix = text(345, 155);
  const type = ({ 5: 'folder', 2: 'link' } as const)[text(156, 1)] ?? 'file';
  return {
    name: path.posix.join(prefix, text(0, 100)),
    type,
    mode: Number.parseInt(text(100, 8), 8) & 0o777,
    size: type === 'file' ? readSize(header) : 0,
    target: text(157, 100),
  };
}

/** Octal digits, or a binary number where those do not suffice. */
function readSize(header: Buffer): number {
  if (header[124]! & 0x80) return Number(header.readBigUInt64BE(128));
  return Number.parseInt(header.toString('latin1', 124, 136), 8);
}

/** Takes bytes off a stream in the amounts the format asks for. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** At least one byte and at most `count`. */
  async upTo(count: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#source.next();
      if (done) throw new Failure('The archive is damaged: it ends early.');
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  async take(count: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let left = count; left > 0; left -= pieces.at(-1)!.length) pieces.push(await this.upTo(left));
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /** Reads to the end, so that what checks the end of a stream gets there. */
  async drain(): Promise<void> {
    this.#rest = Buffer.alloc(0);
    while (!(await this.#source.next()).done);
  }
}

/**
 * Unpacks an archive into a folder.
 * @param see may look at the content of a file on its way, and change where a link points
 * @throws Failure when an entry would land outside the folder, be it through a link, or upon another
 */
export async function unpack(
  source: AsyncIterable<Buffer>,
  folder: string,
  see: { content?(entry: Entry): AsyncIterable<Buffer>; target?(entry: Entry): string } = {},
): Promise<void> {
  const links = new Set<string>();
  for await (const entry of readTar(source)) {
    const file = path.resolve(folder, entry.name);
    const above = ancestorsOf(file, folder);
    if (!above || above.some((each) => links.has(each))) {
      throw new Failure(`The archive is not to be trusted: ${entry.name} lies outside of it.`);
    }
    if (entry.type === 'folder') {
      await mkdir(file, { recursive: true, mode: 0o700 });
    } else if (entry.type === 'link') {
      await symlink(see.target?.(entry) ?? entry.target, file);
      links.add(file);
    } else {
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      // PostgreSQL flushes the whole folder itself when it begins to recover.
      await pipeline(Readable.from(see.content?.(entry) ?? entry.content), createWriteStream(file, { flags: 'wx', mode: 0o600 }));
      if (entry.mode !== 0o600) await chmod(file, entry.mode);
    }
  }
}

/** The folders from `folder` down to a file, with itself, or undefined when it lies elsewhere. */
function ancestorsOf(file: string, folder: string): string[] | undefined {
  if (file !== folder && !file.startsWith(folder + path.sep)) return undefined;
  const found = [file];
  while (found.at(-1) !== folder) found.push(path.dirname(found.at(-1)!));
  return found;
}
