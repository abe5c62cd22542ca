import type { Settings } from '../settings.ts';
import { acquireEmbedded } from './embedded.ts';
import { acquireExternal } from './external.ts';
import { type LoginRole, loginRoles } from './secrets.ts';

export type { LoginRole } from './secrets.ts';

/** A PostgreSQL server that may be used until it is released. */
export interface Server {
  /** Major version, 15 to 18. */
  version: number;
  /** Whether it is the private cluster in the home folder. */
  embedded: boolean;
  /** Whether `url('postgres')` may create roles and databases. */
  managesRoles: boolean;
  /** Where `role` connects, with its password; to the hospital, or for `postgres` to the server as such. */
  url(role: LoginRole, database?: string): string;
  /** The key that wraps the keys of persons in the audit, from the file outside the database. */
  auditKey(): string;
  /** Ends the use. The last process to do so stops the private cluster. Safe to call twice. */
  release(): Promise<void>;
}

/**
 * The server this installation uses: the one DATABASE_URL names, else the private cluster, which is
 * created, started or joined as needed.
 *
 * @param options.durable false for throw-away clusters, which may lose everything when the machine stops
 * @throws Failure when there is none, with what to do about it
 */
export async function acquireServer(
  settings: Settings,
  options: { durable?: boolean } = {},
): Promise<Server> {
  const url =
    settings.databaseUrl ??
    settings.authenticatorUrl ??
    settings.workerUrl ??
    settings.backupUrl ??
    settings.monitorUrl;
  return url ? acquireExternal(settings, url) : acquireEmbedded(settings, options.durable ?? true);
}

/** The passwords with which the login roles are expected to come, as their URLs say. */
export function passwordsOf(server: Server): Partial<Record<LoginRole, string>> {
  const urls = loginRoles.map((role) => [role, new URL(server.url(role))] as const);
  const named = urls.filter(([role, url]) => url.username === role && url.password !== '');
  return Object.fromEntries(named.map(([role, url]) => [role, decodeURIComponent(url.password)]));
}
