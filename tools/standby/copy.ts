import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import pg from 'pg';
import { streamBaseBackup } from '../backup/base-backup.ts';
import { slot as slotOfBackups } from '../backup/receive.ts';
import { putInPlace, refuseOccupied } from '../backup/restore.ts';
import { unpack } from '../backup/tar.ts';
import { chooseAccount, giveTo } from '../cluster/account.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { type Home, openHome, writeWhole } from '../cluster/home.ts';
import { withLock } from '../cluster/lock.ts';
import { readSecrets } from '../cluster/secrets.ts';
import { passwordsOf, type Server } from '../cluster/server.ts';
import { ask, withClient } from '../database.ts';
import { codeOf, Failure, messageOf, UsageError } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { reinstate, writeNote } from './note.ts';

/** What standby to make. */
export interface Wish {
  /** The home folder to be. */
  into: string;
  /** What it and its slot are called at the primary. */
  name: string;
  /** Whether what is in the folder, and a slot of that name, may be replaced. */
  erase: boolean;
  /** Told of every piece of the copy: bytes so far, and the server's estimate of all. */
  onProgress?(bytes: number, total: number): void;
}

/** What a standby needs at least as much of as the server it follows, or it stops. */
const sizes = ['max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction'];

/** What `alter system` said of the primary and would be wrong of its copy. */
const notCopied = /^(port|synchronous_standby_names|primary_\w+|recovery_\w+|restore_command)\s*=/;

/**
 * Copies a running server through the replication protocol into a home folder of its own, from where
 * it follows as soon as it is started. From the first moment a slot keeps the log for it.
 * @returns where the data were that it replaces, if any
 */
export async function copyServer(settings: Settings, server: Server, wish: Wish): Promise<string | undefined> {
  if (!/^[a-z0-9_]{1,63}$/.test(wish.name) || wish.name === slotOfBackups) {
    throw new UsageError(`A standby cannot be called "${wish.name}".`, 'Small letters, digits and underscores: --name ward_2');
  }
  const url = server.url('hospital_backup', settings.database);
  const { version, limits } = await inspect(url);
  refuseOtherVersion(settings, version);
  const passwords = knownPasswords(settings, server);
  const key = server.auditKey();
  await refuseUnreachable(url);
  const home = openHome(wish.into);
  return withLock(
    home.locks,
    async () => {
      refuseOccupied(settings, home.data, wish.erase);
      const [draft, tablespaces] = [`${home.data}.new`, `${home.data}.tablespaces`];
      if (existsSync(tablespaces)) throw new Failure(`${tablespaces} is in the way.`, 'Move it elsewhere.');
      await openSlot(url, wish);
      rmSync(draft, { recursive: true, force: true });
      try {
        await download(url, draft, tablespaces, wish.onProgress);
        giveTo(chooseAccount(home.folder, home.data, findBinaries(settings.pgBinDir).initdb), tablespaces);
        writeWhole(home.secrets, `${JSON.stringify({ ...readSecrets(settings), passwords }, null, 2)}\n`);
        writeKey(home, key);
        follow(draft, home, url, wish.name, limits);
      } catch (error) {
        for (const each of [draft, tablespaces]) rmSync(each, { recursive: true, force: true });
        await dropSlot(url, wish.name).catch(() => {});
        throw error;
      }
      const aside = putInPlace(draft, home.data);
      writeNote(wish.into, { name: wish.name, ...addressOf(url), ...(server.embedded && { primaryHome: settings.home }) });
      reinstate(wish.into);
      return aside;
    },
    'which makes a standby',
  );
}

async function inspect(url: string): Promise<{ version: number; limits: [name: string, value: string][] }> {
  return withClient(url, async (client) => {
    const { rows } = await ask(client, `select current_setting('server_version_num')::integer / 10000, pg_is_in_recovery()`);
    const [version, follows] = rows[0] as [number, boolean];
    if (follows) throw new Failure('This server is a standby itself.', 'Name the one that it follows, and copy that.');
    const found = await ask(client, 'select name, setting from pg_settings where name = any ($1::text[])', [sizes]);
    return { version, limits: found.rows as [string, string][] };
  });
}

function refuseOtherVersion(settings: Settings, version: number): void {
  const own = findBinaries(settings.pgBinDir).version;
  if (own === version) return;
  throw new Failure(
    `The server is PostgreSQL ${version}, and the programs here are PostgreSQL ${own}: a standby has the same.`,
    `Name the folder of programs of version ${version}: PG_BIN_DIR=<folder of initdb and pg_ctl>`,
  );
}

/** The roles and their passwords come with the copy, so those that are in force there are its own. */
function knownPasswords(settings: Settings, server: Server): Record<string, string> {
  const known = passwordsOf(server);
  if (known.postgres) return { ...readSecrets(settings).passwords, ...known };
  throw new Failure(
    'The standby is looked after as the superuser "postgres", and that password is not known.',
    'Give it in DATABASE_ADMIN_URL: postgres://postgres:…@host:5432/postgres',
  );
}

/** The copy is taken as from a database, and following is a right of its own in pg_hba.conf. */
async function refuseUnreachable(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, replication: 'true' } as pg.ClientConfig);
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('IDENTIFY_SYSTEM');
  } catch (error) {
    if (codeOf(error) !== '28000') throw error;
    throw new Failure(
      `The server does not let hospital_backup replicate: ${messageOf(error)}`,
      'A line of its pg_hba.conf, then select pg_reload_conf():\nhost replication hospital_backup <address of this machine>/32 scram-sha-256',
      { cause: error },
    );
  } finally {
    await client.end().catch(() => {});
  }
}

async function openSlot(url: string, { name, erase }: Wish): Promise<void> {
  if (erase) await dropSlot(url, name);
  await withClient(url, (client) => ask(client, 'select pg_create_physical_replication_slot($1, true)', [name])).catch((error) => {
    if (codeOf(error) !== '42710') throw error;
    throw new Failure(
      `There is a standby called "${name}", or there was: the server keeps its log for it.`,
      `Is it gone for good: infirmary standby drop --name ${name}. Otherwise give the new one a name: --name <name>`,
    );
  });
}

/** Lets the server forget a standby. Returns whether it knew one of that name. */
export async function dropSlot(url: string, name: string): Promise<boolean> {
  const { count } = await withClient(url, (client) =>
    ask(client, `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_type = 'physical' and slot_name = $1`, [name]),
  ).catch((error) => {
    if (codeOf(error) !== '55006') throw error;
    throw new Failure(`The standby "${name}" is connected.`, 'Stop it first: infirmary standby stop <folder>', { cause: error });
  });
  return count > 0;
}

async function download(url: string, data: string, tablespaces: string, onProgress: Wish['onProgress']): Promise<void> {
  await streamBaseBackup(url, {
    label: 'infirmary standby',
    receive: (archive) => {
      const to = new PassThrough();
      // The manifest is for backups: a standby replays, and finds out.
      if (archive === 'backup_manifest') return { to: to.resume(), done: Promise.resolve() };
      const folder = archive === 'base.tar' ? data : path.join(tablespaces, path.basename(archive, '.tar'));
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return { to, done: unpack(to, folder, { target: (entry) => path.join(tablespaces, path.basename(entry.name)) }) };
    },
    ...(onProgress && { onProgress }),
  });
}

function writeKey({ folder }: Home, key: string): void {
  const keys = path.join(folder, 'keys');
  mkdirSync(keys, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  writeWhole(path.join(keys, 'audit.conf'), `infirmary.audit_key = '${key}'\n`);
}

/** Makes a standby of a copy. */
function follow(data: string, home: Home, url: string, name: string, limits: [string, string][]): void {
  const file = path.join(data, 'postgresql.auto.conf');
  const kept = (existsSync(file) ? readFileSync(file, 'utf8') : '').split('\n').filter((line) => line !== '' && !notCopied.test(line));
  const own: [string, string][] = [
    ['primary_conninfo', connection(home, url, name)],
    ['primary_slot_name', name],
    // Promoted, it must not wait for the standbys of the server it followed.
    ['synchronous_standby_names', ''],
    ...limits,
  ];
  const lines = own.map(([setting, value]) => `${setting} = '${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`);
  writeFileSync(file, `${[...kept, ...lines].join('\n')}\n`, { mode: 0o600 });
  writeFileSync(path.join(data, 'standby.signal'), '', { mode: 0o600 });
  // Debian's servers keep theirs elsewhere.
  for (const [missing, text] of [['pg_hba.conf', 'host all all 127.0.0.1/32 scram-sha-256\n'], ['pg_ident.conf', '']] as const) {
    if (!existsSync(path.join(data, missing))) writeFileSync(path.join(data, missing), text, { mode: 0o600 });
  }
}

/**
 * How the standby reaches the server. The password stands in a file: hospital_monitor may read every setting, and
 * with the password of hospital_backup could read every row.
 */
function connection(home: Home, url: string, name: string): string {
  const { username, password, searchParams } = new URL(url);
  const { host, port } = addressOf(url);
  const passwordFile = path.join(home.folder, 'keys', 'primary.pgpass');
  const escaped = (text: string): string => decodeURIComponent(text).replaceAll(/[\\:]/g, '\\$&');
  writeWhole(passwordFile, `*:*:*:${escaped(username)}:${escaped(password)}\n`);
  const parts = {
    host,
    port: String(port),
    user: decodeURIComponent(username),
    passfile: passwordFile,
    application_name: name,
    ...Object.fromEntries([...searchParams].filter(([key]) => key.startsWith('ssl'))),
  };
  const quoted = (value: string): string => `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
  return Object.entries(parts).map(([key, value]) => `${key}=${quoted(value)}`).join(' ');
}

function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 5432 };
}
