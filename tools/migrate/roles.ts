import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from 'pg';
import { withClient } from '../database.ts';
import { codeOf, Failure } from '../failure.ts';
import { matchesVerifier, scramVerifier } from './scram.ts';

/** What `applyRoles` did and what it could not do. */
export interface RolesReport {
  /** Changes made, in words: nothing is ever altered silently. */
  changed: string[];
  /** The DBA's own settings and memberships that differ from ours and were left alone. */
  kept: string[];
  /** Statements that only a superuser may run, because the URL was not one's. */
  remaining: string[];
}

/** The same lock as in roles.sql. Cluster-wide work is serialised in the database `postgres`. */
const lockKey = 4677462437;

/**
 * Creates or corrects every role of Infirmary (roles.sql), and sets the given passwords.
 * Idempotent; any number of callers at once wait for one another.
 * @param adminUrl a superuser, or a role with CREATEROLE, of the cluster; its database is ignored
 * @param passwords cleartext by role name; a role that is not named keeps its password
 * @throws Failure when the cluster is older than 15 or the URL's role may not create roles
 */
export async function applyRoles(
  adminUrl: string,
  passwords: Readonly<Record<string, string>> = {},
): Promise<RolesReport> {
  const report: RolesReport = { changed: [], kept: [], remaining: [] };
  const lists: Record<string, string[]> = {
    NOTICE: report.changed,
    INFO: report.kept,
    WARNING: report.remaining,
  };
  const statements = await readFile(path.join(import.meta.dirname, 'roles.sql'), 'utf8');
  try {
    await withClient(inPostgres(adminUrl), async (client) => {
      client.on('notice', (notice) => lists[notice.severity ?? '']?.push(notice.message ?? ''));
      await refuseOldServer(client);
      await client.query('set client_min_messages = notice');
      await client.query(statements);
      await setPasswords(client, passwords, report);
    });
    return report;
  } catch (error) {
    if (codeOf(error) !== '42501') throw error;
    throw new Failure(
      `The role "${new URL(adminUrl).username}" may not create roles on this server.`,
      'Give a superuser, or a role with CREATEROLE, in DATABASE_ADMIN_URL.',
      { cause: error },
    );
  }
}

/** The URL with the database `postgres`: advisory locks are per database, so all must meet in one. */
export function inPostgres(url: string): string {
  const changed = new URL(url);
  changed.pathname = '/postgres';
  return changed.href;
}

async function refuseOldServer(client: Client): Promise<void> {
  const { rows } = await client.query<{ number: number; version: string }>(
    `select current_setting('server_version_num')::integer as number,
            current_setting('server_version') as version`,
  );
  if (rows[0]!.number >= 150000) return;
  throw new Failure(
    `This server is PostgreSQL ${rows[0]!.version}; Infirmary needs 15 to 18.`,
    'Point DATABASE_URL and DATABASE_ADMIN_URL at a newer server.',
  );
}

async function setPasswords(
  client: Client,
  passwords: Readonly<Record<string, string>>,
  report: RolesReport,
): Promise<void> {
  await client.query('begin');
  await client.query(`select pg_advisory_xact_lock(${lockKey})`);
  for (const [role, password] of Object.entries(passwords)) {
    if (!role.startsWith('hospital_')) continue;
    if (matchesVerifier(password, await storedVerifier(client, role))) continue;
    await client.query(
      `alter role ${client.escapeIdentifier(role)} password ${client.escapeLiteral(scramVerifier(password))}`,
    );
    report.changed.push(`set the password of ${role}`);
  }
  await client.query('commit');
}

/** Only a superuser may read verifiers; anybody else sets the password again. */
async function storedVerifier(client: Client, role: string): Promise<string | null> {
  const { rows } = await client.query<{ superuser: boolean }>(
    'select rolsuper as superuser from pg_roles where rolname = current_user',
  );
  if (!rows[0]?.superuser) return null;
  const found = await client.query<{ verifier: string | null }>(
    'select rolpassword as verifier from pg_authid where rolname = $1',
    [role],
  );
  return found.rows[0]?.verifier ?? null;
}
