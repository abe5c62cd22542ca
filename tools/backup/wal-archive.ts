import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Failure, messageOf } from '../failure.ts';
import { parseLsn, parseSegment, segmentAt, segmentName } from './lsn.ts';
import { claim, type Manifest, type Repository } from './repository.ts';
import { opening } from './seal.ts';
import { endingOf, readStored, storeBytes } from './stored.ts';
import type { Finding } from './verify.ts';

const segmentPattern = /^[0-9A-F]{24}$/;
const historyPattern = /^[0-9A-F]{8}\.history$/;

/** What the repository holds of the log: names, by timeline, in order. */
export interface Archived {
  /** Whole segments. */
  segments: Map<number, string[]>;
  /** The segment that is being received, with what has arrived of it. */
  partial: Map<number, string>;
}

/** Looks what there is of the log. */
export async function listLog(repository: Repository): Promise<Archived> {
  const archived: Archived = { segments: new Map(), partial: new Map() };
  for (const folder of (await readdir(repository.wal)).sort()) {
    const names = (await readdir(path.join(repository.wal, folder))).sort();
    const whole = names.map((name) => name.replace(endingOf(repository.key), ''));
    const timeline = Number.parseInt(folder, 16);
    archived.segments.set(timeline, whole.filter((name) => segmentPattern.test(name)));
    const partial = names.filter((name) => name === partialName(name.slice(0, 24), repository)).at(-1);
    if (partial) archived.partial.set(timeline, partial.slice(0, 24));
  }
  return archived;
}

/** How the file of a segment is called while it is being received. */
export function partialName(segment: string, { key }: Pick<Repository, 'key'>): string {
  return `${segment}.partial${key ? '.sealed' : ''}`;
}

/** The name under which a file of the log is encrypted. */
export function logName(name: string): string {
  return `wal/${name}`;
}

/** The folder of a file of the log. */
export function folderOf(repository: Repository, name: string): string {
  return path.join(repository.wal, name.slice(0, 8));
}

/**
 * Stores a segment, or the history of a timeline.
 * @throws Failure when there is another one of that name: two servers took the same timeline
 */
export async function storeLog(repository: Repository, name: string, bytes: Buffer): Promise<void> {
  if (!segmentPattern.test(name) && !historyPattern.test(name)) throw new Failure(`${name} is no file of the log.`);
  const folder = folderOf(repository, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, name + endingOf(repository.key));
  if (!existsSync(file) && (await storeBytes(file, logName(name), repository.key, bytes))) return;
  if ((await readLog(repository, name))?.equals(bytes)) return;
  throw new Failure(
    `${file} is there, with other content.`,
    'A restored server and the one it was restored from must not send their logs to one repository.',
  );
}

/** When a backup was made, and the last segment of a timeline that was left: the next one begins with the same bytes. */
const unaskedPattern = /^[0-9A-F]{24}(\.[0-9A-F]{8}\.backup|\.partial)$/;

/**
 * Stores what a server's archive_command is given. Until that succeeds the server keeps the file, and asks again.
 * @throws Failure when it is no whole segment, or of another cluster than what is there
 */
export async function archiveLog(repository: Repository, name: string, bytes: Buffer): Promise<void> {
  // Recovery asks for none of them, and to refuse them would stop the archive for ever.
  if (unaskedPattern.test(name)) return;
  if (!segmentPattern.test(name)) return storeLog(repository, name, bytes);
  const header = readHeader(bytes);
  const problem = header ? problemOf(name, bytes, header) : 'is no segment of the log';
  if (problem) throw new Failure(`${name} ${problem}.`, 'The server keeps it, and gives it again.');
  claim(repository, header?.systemIdentifier);
  return storeLog(repository, name, bytes);
}

/** A file of the log, or undefined when the repository has none of that name. */
export async function readLog(repository: Repository, name: string): Promise<Buffer | undefined> {
  const file = path.join(folderOf(repository, name), name + endingOf(repository.key));
  if (!existsSync(file)) return undefined;
  return buffer(readStored(file, logName(name), repository.key));
}

/** What has arrived of a segment that is not whole, or undefined. */
export async function readPartial(repository: Repository, name: string): Promise<Buffer | undefined> {
  const file = path.join(folderOf(repository, name), partialName(name, repository));
  if (!existsSync(file)) return undefined;
  const bytes = await readFile(file);
  return repository.key ? buffer(Readable.from([bytes]).pipe(opening(repository.key, logName(name), true))) : bytes;
}

/** Segments that are missing between a backup's end and the newest one of each timeline since. */
export async function findGaps(repository: Repository, backup: Manifest): Promise<string[]> {
  const { segmentSize } = backup;
  const { segments, partial } = await listLog(repository);
  const missing: string[] = [];
  for (const [timeline, names] of segments) {
    if (timeline < backup.timeline) continue;
    const last = partial.get(timeline) ?? names.at(-1);
    const first =
      timeline === backup.timeline
        ? segmentAt(timeline, parseLsn(backup.endLsn), segmentSize)
        : await firstOf(repository, timeline, segmentSize);
    if (last === undefined || first === undefined) continue;
    const present = new Set([...names, last]);
    const end = parseSegment(last, segmentSize).number;
    for (let number = parseSegment(first, segmentSize).number; number < end; number += 1n) {
      const name = segmentName(timeline, number, segmentSize);
      if (!present.has(name)) missing.push(name);
    }
  }
  return missing;
}

/** The segment in which a timeline left the one before it, as its history tells. */
export async function firstOf(repository: Repository, timeline: number, segmentSize: number): Promise<string | undefined> {
  const history = await readLog(repository, historyName(timeline));
  const left = history?.toString().trim().split('\n').at(-1)?.split(/\s+/)[1];
  return left && segmentAt(timeline, parseLsn(left), segmentSize);
}

/** How the history of a timeline is called. */
export function historyName(timeline: number): string {
  return `${timeline.toString(16).padStart(8, '0').toUpperCase()}.history`;
}

/** Reads every segment that backups need, from the oldest backup on. */
export async function verifyLog(
  repository: Repository,
  backups: Manifest[],
  onProgress: (segments: number) => void = () => {},
): Promise<Finding[]> {
  const findings = new Map<string, Finding>();
  const note = (name: string, problem: string): void =>
    void findings.set(name, { file: `wal/${name.slice(0, 8)}/${name}`, problem });
  for (const backup of backups) {
    for (const name of await findGaps(repository, backup)) note(name, `is missing: ${backup.name} cannot pass it`);
  }
  const [oldest] = backups;
  if (!oldest) return [];
  const start = segmentAt(oldest.timeline, parseLsn(oldest.startLsn), oldest.segmentSize);
  const { segments } = await listLog(repository);
  for (const name of [...segments.values()].flat()) {
    if (name.slice(8) < start.slice(8)) continue;
    try {
      const problem = problemOf(name, (await readLog(repository, name))!, oldest);
      if (problem) note(name, problem);
    } catch (error) {
      note(name, `cannot be read: ${messageOf(error)}`);
    }
    onProgress(1);
  }
  return [...findings.values()];
}

/** What a segment says of itself in its first bytes. */
type Header = Pick<Manifest, 'systemIdentifier' | 'segmentSize'>;

function readHeader(bytes: Buffer): Header | undefined {
  if (bytes.length < 40) return undefined;
  return { systemIdentifier: String(bytes.readBigUInt64LE(24)), segmentSize: bytes.readUInt32LE(32) };
}

/** A segment begins with where it belongs: the system it is of, and its place in the log. */
function problemOf(name: string, bytes: Buffer, { systemIdentifier, segmentSize }: Header): string | undefined {
  if (bytes.length !== segmentSize) return `has ${bytes.length} bytes instead of ${segmentSize}`;
  if (bytes.readBigUInt64LE(24) !== BigInt(systemIdentifier)) return 'is of another cluster';
  if (bytes.readBigUInt64LE(8) !== parseSegment(name, segmentSize).number * BigInt(segmentSize)) {
    return 'is another segment than its name says';
  }
  return undefined;
}
