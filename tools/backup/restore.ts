import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { chooseAccount, giveTo } from '../cluster/account.ts';
import { readAuditKey } from '../cluster/audit-key.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { openHome } from '../cluster/home.ts';
import { findPostmaster } from '../cluster/postmaster.ts';
import { type LoginRole, readSecrets } from '../cluster/secrets.ts';
import { Failure, UsageError } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { archivesOf, compare, readArchive, readExpected } from './contents.ts';
import { type RecoveredServer, recover } from './recovery.ts';
import { findBackup, listBackups, type Manifest, type Repository } from './repository.ts';
import { unpack } from './tar.ts';
import { serveLog, type Target } from './wal-server.ts';

/** A restored server that still runs, to be looked at before it is left to itself. */
export interface Restored {
  server: RecoveredServer;
  backup: Manifest;
  /** Where `role` connects, while it runs. */
  url(role: LoginRole, database?: string): string;
  /** The last segment of the log that was replayed from the repository. */
  lastSegment: string | undefined;
}

/** What to restore and how. */
export interface Wish {
  /** A backup's name; else the newest that ended before the target. */
  name?: string | undefined;
  target: Target;
  /** The data directory to be. */
  into: string;
  /** The folder to be of what the server kept outside of its data directory, if anything. */
  tablespaces: string;
  durable: boolean;
  onProgress?(bytes: number): void;
}

/**
 * The backup to restore: the named one, or the newest that had ended by then.
 * @throws Failure when none had
 */
export async function chooseBackup(
  repository: Repository,
  { name, target }: Pick<Wish, 'name' | 'target'>,
): Promise<Manifest> {
  if (name !== undefined || !(target instanceof Date)) return findBackup(repository, name);
  const { backups } = await listBackups(repository);
  const chosen = backups.findLast(({ finishedAt }) => new Date(finishedAt) <= target);
  if (chosen) return chosen;
  throw new Failure(
    `No backup had ended by ${target.toISOString()}.`,
    backups[0] ? `The oldest ended at ${backups[0].finishedAt}.` : 'Make one: infirmary backup create',
  );
}

/**
 * Unpacks a backup into a folder, comparing every file with the manifest on its way, and lets a server recover on it.
 * @throws Failure when a file is not what was backed up
 */
export async function restoreInto(settings: Settings, repository: Repository, wish: Wish): Promise<Restored> {
  const backup = await chooseBackup(repository, wish);
  const binaries = findBinaries(settings.pgBinDir);
  if (binaries.version !== backup.version) {
    throw new Failure(
      `The backup is of PostgreSQL ${backup.version}, and these programs are PostgreSQL ${binaries.version}.`,
      `Name the folder of programs of version ${backup.version}: PG_BIN_DIR=<folder of initdb and pg_ctl>`,
    );
  }
  mkdirSync(wish.into, { mode: 0o700 });
  await unpackAll(repository, backup, wish);
  const account = chooseAccount(path.dirname(wish.into), wish.into, binaries.initdb);
  giveTo(account, wish.tablespaces);
  const log = await serveLog(repository, backup, wish.target);
  try {
    const { into: data, target, durable } = wish;
    const auditKey = keyOf(settings);
    const server = await recover({ data, binaries, account, log, target, durable, auditKey });
    return { server, backup, url: urls(settings, backup, server.port), lastSegment: log.last() };
  } finally {
    log.close();
  }
}

async function unpackAll(repository: Repository, backup: Manifest, wish: Wish): Promise<void> {
  const { into, tablespaces, onProgress } = wish;
  const expected = await readExpected(repository, backup);
  for (const { archive, folder } of archivesOf(backup)) {
    const target = folder ? path.join(tablespaces, path.basename(folder)) : into;
    mkdirSync(target, { recursive: true, mode: 0o700 });
    await unpack(readArchive(repository, backup, archive), target, {
      // Where the tablespaces were may be in use by the server that was copied.
      target: (entry) => path.join(tablespaces, path.basename(entry.name)),
      content: async function* (entry) {
        const file = folder + entry.name;
        const tell = (problem: string): void => {
          throw new Failure(`${file} ${problem}: the backup ${backup.name} is damaged.`, 'infirmary backup verify tells more.');
        };
        for await (const piece of compare(entry, expected.get(file), tell)) {
          onProgress?.(piece.length);
          yield piece;
        }
        expected.delete(file);
      },
    });
  }
  const [missing] = expected.keys();
  if (missing !== undefined) throw new Failure(`${missing} is missing in the backup ${backup.name}.`);
}

function keyOf(settings: Settings): string | undefined {
  try {
    return readAuditKey(settings);
  } catch {
    // Without it one can recover, but changes no patient: whoever needs it will say so.
    return undefined;
  }
}

/** The roles' passwords came with the backup, so they are those of the URLs, or of secrets.json. */
function urls(settings: Settings, { database }: Manifest, port: number): Restored['url'] {
  const known = [settings.databaseUrl, settings.adminUrl, settings.authenticatorUrl, settings.workerUrl, settings.backupUrl];
  return (role, name = database) => {
    const given = known.flatMap((url) => (url ? [new URL(url)] : [])).find(({ username }) => username === role);
    const url = new URL(`postgres://127.0.0.1:${port}/${encodeURIComponent(name)}`);
    url.username = role;
    url.password = given?.password ?? readSecrets(settings).passwords[role];
    return url.href;
  };
}

/**
 * Makes sure that nothing is lost by restoring into a folder.
 * @throws Failure while a server runs there, UsageError when it holds something and that was not meant
 */
export function refuseOccupied(settings: Settings, into: string, erase: boolean): void {
  refuseRunning(settings, into, 'Stop it first (of the private cluster: infirmary db stop), or restore into another folder: --into <folder>');
  if (!existsSync(into)) return;
  if (statSync(into).dev !== statSync(path.dirname(into)).dev) {
    throw new Failure(
      `${into} is a disk of its own, which cannot be exchanged for another folder.`,
      `Restore into a folder on it: --into ${path.join(into, 'data')}`,
    );
  }
  if (erase || readdirSync(into).length === 0) return;
  throw new UsageError(`${into} is not empty.`, 'If it is to be replaced: --erase. It is set aside, not deleted.');
}

/** @throws Failure while a server runs on a data directory */
export function refuseRunning(settings: Settings, data: string, remedy: string): void {
  const running = existsSync(path.join(data, 'PG_VERSION')) && findPostmaster({ ...openHome(settings.home), data });
  if (running) throw new Failure(`A server runs on ${data} (process ${running.pid}).`, remedy);
}

/** Puts a restored folder in its place, and what was there aside. Returns where that is now. */
export function putInPlace(draft: string, into: string): string | undefined {
  let aside: string | undefined;
  if (existsSync(into) && readdirSync(into).length > 0) {
    aside = `${into}.replaced-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
    renameSync(into, aside);
  } else {
    rmSync(into, { recursive: true, force: true });
  }
  renameSync(draft, into);
  return aside;
}
