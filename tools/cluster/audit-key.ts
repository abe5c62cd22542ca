import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { ask, withClient } from '../database.ts';
import { codeOf, Failure } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { say } from '../terminal.ts';
import { openHome, readIfPresent, writeWhole } from './home.ts';

const setting = 'infirmary.audit_key';

/**
 * The file in the home folder with the key that wraps the keys of persons in the audit, made at random on first
 * use. It is a piece of PostgreSQL's configuration, for `include`.
 */
export function auditKeyFile(settings: Settings): string {
  const file = path.join(openHome(settings.home).folder, 'keys', 'audit.conf');
  if (existsSync(file)) return file;
  mkdirSync(path.dirname(file), { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  // The first to write wins: a key that was used once may never be replaced.
  writeWhole(file, `${setting} = '${randomBytes(32).toString('hex')}'\n`, true);
  return file;
}

/**
 * The key in AUDIT_KEY_FILE, else in the home folder's file: 64 hexadecimal digits, alone or as a line of
 * configuration.
 * @throws Failure when the file holds none
 */
export function readAuditKey(settings: Settings): string {
  const file = settings.auditKeyFile ?? auditKeyFile(settings);
  const key = keyIn(file);
  if (key) return key;
  throw new Failure(
    `${file} does not hold the key of the audit.`,
    'Put it back from where you keep it. Only for a new hospital: openssl rand -hex 32',
  );
}

/** The key in a file: 64 hexadecimal digits, alone or as a line of configuration. */
export function keyIn(file: string): string | undefined {
  return /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/.exec(readIfPresent(file) ?? '')?.[0];
}

/** The part of a server (server.ts) that is needed here. */
interface Keyed {
  url(role: 'postgres' | 'hospital_owner', database: string): string;
  auditKey(): string;
}

/**
 * Sees to it that the database has the key before anything is sealed. Where the server's configuration does
 * not include the file, the database's own settings get the key: they are in no dump of the database, but in a
 * copy of the whole cluster. That takes a superuser.
 */
export async function provideAuditKey(server: Keyed, database: string): Promise<void> {
  // Asked as the owner: an administrator who is no superuser may not connect to the hospital.
  const { rows } = await withClient(server.url('hospital_owner', database), (client) =>
    ask(client, `select nullif(current_setting('${setting}', true), '') is not null`),
  );
  if (rows[0]![0]) return;
  await withClient(server.url('postgres', database), async (client) => {
    const [name, key] = [client.escapeIdentifier(database), client.escapeLiteral(server.auditKey())];
    await client.query(`alter database ${name} set ${setting} = ${key}`);
  }).catch((error) => {
    if (codeOf(error) !== '42501') throw error;
    say(`The server has no key of the audit, and only a superuser may set ${setting}.`);
    say('Until then changes to patients are refused. With AUDIT_KEY_BY_CONNECTION=on connections bring it: docs/managed.md.');
  });
}
