import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { Failure, UsageError } from '../failure.ts';
import { checksumOf } from '../backup/repository.ts';
import { fingerprint, type Key } from '../backup/seal.ts';
import { readStored, type Stored } from '../backup/stored.ts';
import { type Fields, readRows } from './copy-binary.ts';

/*
 * An archive is a folder: `seals.copy.zst` with every block of the chain from the first to the last of the month,
 * `entries.copy.zst` with the month's entries in their order, both as COPY writes them in binary, and `manifest.json`.
 * With BACKUP_KEY_FILE the two are encrypted as backups are.
 */

/** What an archive says about itself. */
export interface Manifest {
  format: 1;
  /** YYYY-MM. */
  month: string;
  entries: number;
  firstBlock: number;
  lastBlock: number;
  /** The hash of the block before the first, where the archive of the time before ends. */
  previousHash: string;
  /** The hash of its last block. */
  head: string;
  writtenAt: string;
  serverVersion: string;
  /** The fingerprint of the key it is encrypted with, or null. */
  key: string | null;
  seals: Stored;
  content: Stored;
}

export interface Archive {
  folder: string;
  manifest: Manifest;
  /** SHA-256 of manifest.json. */
  digest: Buffer;
  key: Key | undefined;
}

/** The month somebody named, as YYYY-MM. */
export function readMonth(text: string): string {
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return text;
  throw new UsageError(`"${text}" is no month.`, 'Such as 2025-11');
}

export function folderName(month: string): string {
  return `audit-${month}`;
}

/** The name under which a file of an archive is encrypted. */
export function nameOf(month: string, file: string): string {
  return `archives/${folderName(month)}/${file}`;
}

export async function writeManifest(folder: string, manifest: Manifest, key: Key | undefined): Promise<void> {
  const text = `${JSON.stringify({ ...manifest, checksum: checksumOf(manifest, key) }, null, 1)}\n`;
  await writeFile(path.join(folder, 'manifest.json'), text, { flag: 'wx', mode: 0o600, flush: true });
}

/**
 * Opens an archive, of which only the manifest is looked at yet.
 * @throws Failure when it is none, is damaged or is encrypted with another key
 */
export async function openArchive(folder: string, key: Key | undefined): Promise<Archive> {
  const file = path.join(folder, 'manifest.json');
  if (!existsSync(file)) throw new UsageError(`${folder} is no archive: it has no manifest.json.`);
  const bytes = await readFile(file);
  let parsed: (Manifest & { checksum?: string }) | undefined;
  try {
    parsed = JSON.parse(bytes.toString()) as Manifest & { checksum?: string };
  } catch {
    // Told below.
  }
  if (!parsed || typeof parsed !== 'object') throw new Failure(`${file} is damaged: it is no JSON.`);
  const { checksum, ...manifest } = parsed;
  if (manifest.key !== (key ? fingerprint(key) : null)) {
    throw new Failure(
      `${folder} is ${manifest.key === null ? 'not encrypted' : 'encrypted with another key'}.`,
      manifest.key === null ? 'Unset BACKUP_KEY_FILE.' : `Set BACKUP_KEY_FILE to the file of the key ${manifest.key}.`,
    );
  }
  if (checksum !== checksumOf(manifest, key)) throw new Failure(`${file} is damaged: it is not what was written.`);
  return { folder, manifest, digest: createHash('sha256').update(bytes).digest(), key };
}

/**
 * The bytes of one of its files. Whatever is wrong with it makes reading fail.
 * @throws Failure that names the file
 */
export async function* readContent(archive: Archive, which: 'seals' | 'content'): AsyncGenerator<Buffer> {
  const { folder, manifest, key } = archive;
  const { file, sha256 } = manifest[which];
  let found: string | undefined;
  try {
    yield* readStored(path.join(folder, file), nameOf(manifest.month, file), key, (sum) => (found = sum));
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${(error as Error).message}`, undefined, { cause: error });
  }
  if (found !== sha256) throw new Failure(`${file} is not what was written`);
}

/** The rows of one of its files. */
export async function* rowsOf(archive: Archive, which: 'seals' | 'content'): AsyncGenerator<Fields> {
  yield* readRows(readContent(archive, which));
}
