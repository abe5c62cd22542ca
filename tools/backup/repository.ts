import { createHash, createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { withLock } from '../cluster/lock.ts';
import { readIfPresent, writeWhole } from '../cluster/home.ts';
import { Failure } from '../failure.ts';
import type { BackupSettings } from '../settings.ts';
import { say } from '../terminal.ts';
import type { Facts } from './facts.ts';
import { parseLsn } from './lsn.ts';
import { derive, fingerprint, type Key } from './seal.ts';
import { flushFolder, type Stored } from './stored.ts';

/** What a backup says about itself. It tells what is in it and holds no patient's data. */
export interface Manifest {
  format: 1;
  name: string;
  startedAt: string;
  finishedAt: string;
  /** The cluster it is of: another cluster's log does not fit it. */
  systemIdentifier: string;
  serverVersion: string;
  version: number;
  /** Whether it is of the private cluster in a home folder. */
  embedded: boolean;
  database: string;
  timeline: number;
  startLsn: string;
  endLsn: string;
  segmentSize: number;
  tablespaces: { oid: string; location: string }[];
  archives: Stored[];
  /** The fingerprint of the key it is encrypted with, or null. */
  key: string | null;
  facts: Facts;
}

/**
 * The folder in which backups and the log are kept:
 *
 *     repository.json         whose it is
 *     backups/<name>/         one backup: its archives and manifest.json; `.<name>` while it is being made
 *     wal/<timeline>/         the log, a file a segment; `.partial` is the one being received
 *     drills.jsonl            what drills found
 */
export interface Repository {
  folder: string;
  backups: string;
  wal: string;
  drills: string;
  key: Key | undefined;
}

/**
 * Opens the repository, created when missing.
 * @throws Failure when the key file holds no key
 */
export function openRepository(settings: BackupSettings): Repository {
  const folder = settings.repository;
  const [backups, wal] = [path.join(folder, 'backups'), path.join(folder, 'wal')];
  for (const each of [backups, wal, path.join(folder, 'locks')]) mkdirSync(each, { recursive: true, mode: 0o700 });
  const key = settings.keyFile ? readKey(settings.keyFile) : undefined;
  return { folder, backups, wal, drills: path.join(folder, 'drills.jsonl'), key };
}

function readKey(file: string): Key {
  warnOfReaders(file);
  const digits = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/.exec(readIfPresent(file) ?? '')?.[0];
  if (digits) return Buffer.from(digits, 'hex');
  throw new Failure(
    `${file} does not hold the key of the backups.`,
    'Put it back from where you keep it. Only for a new repository: openssl rand -hex 32',
  );
}

function warnOfReaders(file: string): void {
  if (process.platform === 'win32' || !existsSync(file) || (statSync(file).mode & 0o007) === 0) return;
  say(`Anybody on this machine can read the key of the backups: chmod 600 ${file}`);
}

/**
 * Makes sure that all that is written into a repository is of one cluster and under one key: its logs could not be
 * told apart otherwise, and what lay there in clear would be read by others and found by no restore.
 * @param systemIdentifier the cluster that is about to be written
 * @throws Failure when the repository is another's
 */
export function claim({ folder, key }: Repository, systemIdentifier: string | undefined): void {
  const file = path.join(folder, 'repository.json');
  const ours = { systemIdentifier, key: key ? fingerprint(key) : null };
  if (!existsSync(file)) return void writeWhole(file, `${JSON.stringify(ours)}\n`);
  const known = readClaim(file);
  if (known.systemIdentifier !== systemIdentifier) {
    throw new Failure(
      `${folder} holds backups, or the log, of another cluster.`,
      'Give each cluster a repository of its own: BACKUP_REPOSITORY=<folder>',
    );
  }
  if (known.key === ours.key) return;
  throw new Failure(
    `${folder} is ${known.key ? `encrypted with the key ${known.key}` : 'not encrypted'}, and ${key ? 'another key is set' : 'no key is set'}.`,
    'Set BACKUP_KEY_FILE as it was, or begin another repository.',
  );
}

function readClaim(file: string): { systemIdentifier?: string; key?: string | null } {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof readClaim>;
  } catch (error) {
    throw new Failure(
      `${file} is damaged: it is no JSON.`,
      'If this is the repository of this cluster, remove that file: it is written anew. Then: infirmary backup verify',
      { cause: error },
    );
  }
}

/** Only one process at a time makes, or removes, backups. */
export function alone<Result>(repository: Repository, work: () => Promise<Result>): Promise<Result> {
  return withLock(path.join(repository.folder, 'locks'), work, 'which works on the backups');
}

/** The name under which a file of a backup is encrypted. */
export function nameOf(manifest: Pick<Manifest, 'name'>, file: string): string {
  return `backups/${manifest.name}/${file}`;
}

/**
 * The backups, oldest first; `damaged` are those whose manifest is not what was written. Their order is that of the
 * log: a clock may have been wrong, or set back.
 */
export async function listBackups(
  repository: Repository,
): Promise<{ backups: Manifest[]; damaged: { name: string; problem: string }[] }> {
  const names = (await readdir(repository.backups)).filter((name) => !name.startsWith('.')).sort();
  const backups: Manifest[] = [];
  const damaged: { name: string; problem: string }[] = [];
  for (const name of names) {
    try {
      backups.push(await readManifest(repository, name));
    } catch (error) {
      damaged.push({ name, problem: (error as Error).message });
    }
  }
  return { backups: backups.sort(inLog), damaged };
}

function inLog(one: Manifest, other: Manifest): number {
  return one.timeline - other.timeline || Number(parseLsn(one.endLsn) - parseLsn(other.endLsn));
}

/**
 * The backup of that name, or the newest.
 * @throws Failure when there is none
 */
export async function findBackup(repository: Repository, name?: string): Promise<Manifest> {
  const names = await readdir(repository.backups);
  if (name !== undefined && names.includes(name)) return readManifest(repository, name);
  const { backups, damaged } = await listBackups(repository);
  const newest = name === undefined ? backups.at(-1) : undefined;
  if (newest) return newest;
  const known = [...backups, ...damaged].map((each) => each.name).join(', ');
  throw new Failure(
    name === undefined ? `There is no good backup in ${repository.folder}.` : `There is no backup "${name}" in ${repository.folder}.`,
    known ? `There are: ${known}` : 'Make one: infirmary backup create',
  );
}

/** Without a key anybody who may write here can make a manifest: what it names must lie beside it. */
const archivePattern = /^(base\.tar|\d+\.tar|backup_manifest)\.zst(\.sealed)?$/;

async function readManifest(repository: Repository, name: string): Promise<Manifest> {
  const file = path.join(repository.backups, name, 'manifest.json');
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Failure(`${file} cannot be read: ${error.message}`);
  });
  let parsed: Manifest & { checksum?: string };
  try {
    parsed = JSON.parse(text) as Manifest & { checksum?: string };
  } catch {
    throw new Failure(`${file} is damaged: it is no JSON.`);
  }
  const { checksum, ...manifest } = parsed;
  checkKey(repository, manifest);
  const files = manifest.archives?.every(({ file }) => archivePattern.test(file));
  if (checksum !== checksumOf(manifest, repository.key) || manifest.name !== name || !files) {
    throw new Failure(`${file} is damaged: it is not what was written.`);
  }
  return manifest;
}

function checkKey({ key }: Repository, manifest: Manifest): void {
  if (manifest.key === (key ? fingerprint(key) : null)) return;
  throw new Failure(
    manifest.key === null
      ? `The backup ${manifest.name} is not encrypted, and a key is set.`
      : `The backup ${manifest.name} was encrypted with ${key ? 'another key' : 'a key, and none is set'}.`,
    manifest.key === null ? 'Unset BACKUP_KEY_FILE.' : `Set BACKUP_KEY_FILE to the file of the key ${manifest.key}.`,
  );
}

/** With a key only its holder can make the checksum; without one it finds damage and no forger. */
function checksumOf(manifest: Manifest, key: Key | undefined): string {
  const text = JSON.stringify(manifest);
  if (!key) return createHash('sha256').update(text).digest('hex');
  return createHmac('sha256', derive(key, Buffer.alloc(16), 'manifest')).update(text).digest('hex');
}

/** Makes a backup one: until its folder has its name nobody takes it for a backup. */
export async function finishBackup(repository: Repository, draft: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify({ ...manifest, checksum: checksumOf(manifest, repository.key) }, null, 1)}\n`;
  const handle = await open(path.join(draft, 'manifest.json'), 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await flushFolder(draft);
  await rename(draft, path.join(repository.backups, manifest.name));
  await flushFolder(repository.backups);
}

/** Removes what backups that were killed have left. Only for who is alone. */
export async function sweepDrafts(repository: Repository): Promise<void> {
  for (const name of await readdir(repository.backups)) {
    if (name.startsWith('.')) await rm(path.join(repository.backups, name), { recursive: true, force: true });
  }
}
