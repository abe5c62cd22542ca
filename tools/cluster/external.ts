import pg from 'pg';
import { codeOf, Failure, messageOf } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { readAuditKey } from './audit-key.ts';
import { type LoginRole, readSecrets } from './secrets.ts';
import type { Server } from './server.ts';

const oldest = 15;

/**
 * Uses the server that `url` (DATABASE_URL) names.
 * @throws Failure when it cannot be reached, or is too old.
 */
export async function acquireExternal(settings: Settings, url: string): Promise<Server> {
  const admin = settings.adminUrl ?? url;
  const { version, user, manages } = await inspect(admin);
  if (version < oldest) {
    throw new Failure(`${redact(admin)} is PostgreSQL ${version}, and the migrations need ${oldest} to 18.`);
  }
  const given: Partial<Record<LoginRole, string>> = {
    postgres: admin,
    ...(settings.authenticatorUrl && { hospital_authenticator: settings.authenticatorUrl }),
    ...(settings.workerUrl && { hospital_worker: settings.workerUrl }),
    ...(settings.backupUrl && { hospital_backup: settings.backupUrl }),
    ...(settings.monitorUrl && { hospital_monitor: settings.monitorUrl }),
  };
  // A URL of an administrator stands for the server; anybody else's is the owner's own.
  const ownersOwn = settings.adminUrl !== undefined || !manages || user === 'hospital_owner';
  if (ownersOwn) given.hospital_owner = settings.databaseUrl;
  return {
    version,
    embedded: false,
    managesRoles: manages,
    url(role, database) {
      if (role === 'hospital_owner' && !settings.databaseUrl) {
        throw new Failure(
          'This command works as the owner of the database.',
          'Set DATABASE_URL to the URL of hospital_owner.',
        );
      }
      const base = new URL(given[role] ?? url);
      if (!given[role]) {
        base.username = role;
        base.password = readSecrets(settings).passwords[role];
      }
      // The administrator goes where his URL says, since the hospital's database may not exist yet.
      if (database !== undefined || role !== 'postgres') {
        base.pathname = `/${encodeURIComponent(database ?? settings.database)}`;
      }
      if (settings.auditKeyByConnection) bringAuditKey(base, readAuditKey(settings));
      return base.href;
    },
    auditKey: () => readAuditKey(settings),
    release: async () => {},
  };
}

async function inspect(url: string): Promise<{ version: number; user: string; manages: boolean }> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ version: number; user: string; manages: boolean }>(`
      select
        current_setting('server_version_num')::integer / 10000 as version,
        rolname as "user",
        rolsuper or (rolcreaterole and rolcreatedb) as manages
      from pg_catalog.pg_roles
      where rolname = current_user`);
    return rows[0] ?? { version: 0, user: '', manages: false };
  } catch (error) {
    throw new Failure(`${redact(url)} cannot be used: ${messageOf(error)}`, remedyFor(codeOf(error)), {
      cause: error,
    });
  } finally {
    await client.end().catch(() => {});
  }
}

function remedyFor(code: string | undefined): string {
  if (code === '28P01' || code === '28000') return 'Check the user and the password in DATABASE_URL.';
  if (code === '3D000')
    return 'Name a database that exists (an administrator may name "postgres"), or create it first.';
  return 'Check the host and port in DATABASE_URL, and that the server runs; unset it to use the private cluster.';
}

function bringAuditKey(url: URL, key: string): void {
  const options = [url.searchParams.get('options'), `-c infirmary.audit_key=${key}`].filter(Boolean).join(' ');
  url.searchParams.set('options', options);
}

/** A URL without its password, for messages. */
function redact(url: string): string {
  const shown = new URL(url);
  shown.password = shown.password && '***';
  return shown.href;
}
