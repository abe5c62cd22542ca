import { createHash } from 'node:crypto';
import path from 'node:path';
import { Failure } from '../failure.ts';
import { nameOf, type Manifest, type Repository } from './repository.ts';
import { readStored, type Stored } from './stored.ts';
import type { Entry } from './tar.ts';

/** What PostgreSQL's own manifest says of a file. */
export interface Expected {
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
}

/** The content of one archive of a backup; `see` is told the hash of the stored file when all was read. */
export function readArchive(
  repository: Repository,
  backup: Manifest,
  archive: Stored,
  see?: (sha256: string) => void,
): AsyncIterable<Buffer> {
  const file = path.join(repository.backups, backup.name, archive.file);
  return readStored(file, nameOf(backup, archive.file), repository.key, see);
}

/**
 * The files of the data directory, by path, as PostgreSQL hashed them while it sent them.
 * @throws Failure when that list itself is not what PostgreSQL wrote
 */
export async function readExpected(repository: Repository, backup: Manifest): Promise<Map<string, Expected>> {
  const archive = backup.archives.find(({ file }) => file.startsWith('backup_manifest'));
  if (!archive) throw new Failure(`The backup ${backup.name} has no backup_manifest.`);
  const pieces: Buffer[] = [];
  let hash: string | undefined;
  for await (const piece of readArchive(repository, backup, archive, (sha256) => (hash = sha256))) pieces.push(piece);
  if (hash !== archive.sha256) throw new Failure(`${archive.file} is not what was written.`);
  const text = Buffer.concat(pieces);
  // The last line holds the hash of all lines before it.
  const own = createHash('sha256').update(text.subarray(0, text.lastIndexOf('"Manifest-Checksum"'))).digest('hex');
  const parsed = JSON.parse(text.toString()) as {
    Files: { 'Path'?: string; 'Encoded-Path'?: string; 'Size': number; 'Checksum': string }[];
    'Manifest-Checksum': string;
  };
  if (own !== parsed['Manifest-Checksum']) throw new Failure(`${archive.file} is not what PostgreSQL wrote.`);
  return new Map(
    parsed.Files.map((file) => [
      file.Path ?? Buffer.from(file['Encoded-Path'] ?? '', 'hex').toString(),
      { bytes: file.Size, sha256: file.Checksum },
    ]),
  );
}

/** The archives that hold files, each with the folder its files belong to, below the data directory. */
export function archivesOf({ archives }: Manifest): { archive: Stored; folder: string }[] {
  return archives.flatMap((archive) => {
    const [, name] = /^(.+)\.tar\./.exec(archive.file) ?? [];
    return name === undefined ? [] : [{ archive, folder: name === 'base' ? '' : `pg_tblspc/${name}/` }];
  });
}

/** The bytes of a file, and at their end what is wrong with it, if anything is. */
export async function* compare(
  entry: Entry,
  expected: Expected | undefined,
  tell: (problem: string) => void,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const piece of entry.content) {
    hash.update(piece);
    yield piece;
  }
  if (!expected || (entry.size === expected.bytes && hash.digest('hex') === expected.sha256)) return;
  tell('is not what PostgreSQL sent');
}
