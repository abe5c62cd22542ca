import { createHash, randomBytes } from 'node:crypto';
import { chownSync, copyFileSync, existsSync, renameSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, withClient } from '../database.ts';
import { Failure } from '../failure.ts';
import { keyIn } from './audit-key.ts';
import { writeWhole } from './home.ts';

/** The part of a server (server.ts) that is needed here. */
interface Keyed {
  url(role: 'postgres' | 'hospital_owner', database?: string): string;
}

/** What a replacement did. */
export interface Replaced {
  /** How many persons' keys were wrapped anew. */
  persons: string;
  /** Where the key before is kept, which older backups need. */
  old: string;
}

/**
 * Replaces the key of the audit in the file that the private cluster's configuration includes. The new key is on disk
 * before anything is wrapped with it, and beside the old one until the server has it: whenever this is interrupted,
 * doing it again finishes it.
 * @param file the file of the key in force
 */
export async function replaceAuditKey(server: Keyed, database: string, file: string, now = new Date()): Promise<Replaced> {
  const next = `${file}.next`;
  if (!existsSync(next)) writeWhole(next, `infirmary.audit_key = '${randomBytes(32).toString('hex')}'\n`, true);
  const key = readNewKey(next);
  const persons = await wrapAnew(server, key);

  const old = `${file}.until-${now.toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  copyFileSync(file, old);
  // The server may run as another account than we do.
  const { uid, gid } = statSync(file);
  for (const each of [next, old]) if (process.getuid?.() === 0) chownSync(each, uid, gid);
  renameSync(next, file);

  await withClient(server.url('postgres', database), (client) => client.query('select pg_reload_conf()'));
  while (!(await hasKey(server, key))) await sleep(100);
  return { persons, old };
}

/**
 * Wraps the keys of all persons with another one, in one transaction. From then on the server must have it.
 * @returns how many
 */
export async function wrapAnew(server: Keyed, key: string): Promise<string> {
  return withClient(server.url('hospital_owner'), async (client) => {
    const { rows } = await ask(client, 'select fingerprint = $1 from audit.key_fingerprints where replaced_at is null', [
      createHash('sha256').update(Buffer.from(key, 'hex')).digest(),
    ]);
    if (rows[0]?.[0]) return '0';
    const wrapped = await ask(client, 'select audit.replace_key($1)', [key]);
    return String(wrapped.rows[0]![0]);
  });
}

/**
 * The key in a file.
 * @throws Failure when there is none
 */
export function readNewKey(file: string): string {
  const key = keyIn(file);
  if (key) return key;
  throw new Failure(`${file} does not hold a key of the audit.`, `Make one: openssl rand -hex 32 > ${file}`);
}

async function hasKey(server: Keyed, key: string): Promise<boolean> {
  return withClient(server.url('hospital_owner'), async (client) => {
    const { rows } = await ask(client, `select current_setting('infirmary.audit_key', true) = $1`, [key]);
    return rows[0]?.[0] === true;
  });
}
