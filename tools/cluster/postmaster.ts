import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { codeOf, Failure } from '../failure.ts';
import type { Home } from './home.ts';
import { programOf } from './processes.ts';

/** A running server, as its postmaster.pid describes it. */
export interface Postmaster {
  pid: number;
  port: number;
  /** Seconds since 1970. */
  startedAt: number;
}

/** How to log in to a server on this machine as its superuser. */
export function localConnection(port: number, password: string): pg.ClientConfig {
  return {
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password,
    database: 'postgres',
    connectionTimeoutMillis: 10_000,
  };
}

/**
 * The server that runs on our data, or undefined. postmaster.pid alone proves nothing: after kill -9 it
 * names a process that is gone, or one that came later and has nothing to do with us.
 */
export function findPostmaster(home: Home): Postmaster | undefined {
  let lines: string[];
  try {
    lines = readFileSync(path.join(home.data, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const [pid, , startedAt, port] = lines.map((line) => Number.parseInt(line, 10));
  if (!pid || !programOf(pid)?.includes('postgres')) return undefined;
  const folder = workingFolder(pid);
  if (folder !== undefined && folder !== realpathSync(home.data)) return undefined;
  return { pid, port: port || 0, startedAt: startedAt || 0 };
}

/** Where a server works is its data directory; the kernel does not always let us look. */
function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** A postmaster.pid that names no server of ours, but a living process, would keep ours from starting. */
export function removeStalePid(home: Home): void {
  rmSync(path.join(home.data, 'postmaster.pid'), { force: true });
}

/**
 * Waits until the server on our data answers to our password.
 * @returns false when it ended meanwhile (it was stopping), or was never ours.
 * @throws Failure when it answers but refuses the password.
 */
export async function answersToUs(home: Home, password: string): Promise<boolean> {
  for (const began = Date.now(); ; await sleep(50)) {
    const postmaster = findPostmaster(home);
    if (!postmaster) return false;
    const answer = await ask(postmaster.port, password);
    if (answer.folder !== undefined) return sameFolder(answer.folder, home.data);
    if (answer.code === '28P01') throw wrongPassword(home);
    // Starting up, in recovery or shutting down: however long that takes, it says so.
    if (answer.code === '57P03') continue;
    if (!['ECONNREFUSED', 'ECONNRESET', undefined].includes(answer.code)) throw answer.error;
    // A server listens from its first moments on: what stays silent is not one, whatever its name.
    if (Date.now() - began > 30_000) return false;
  }
}

async function ask(
  port: number,
  password: string,
): Promise<{ folder?: string; code?: string | undefined; error?: unknown }> {
  const client = new pg.Client(localConnection(port, password));
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('show data_directory');
    return { folder: rows[0]?.data_directory ?? '' };
  } catch (error) {
    return { code: codeOf(error), error };
  } finally {
    await client.end().catch(() => {});
  }
}

function sameFolder(one: string, other: string): boolean {
  return existsSync(one) && existsSync(other) && realpathSync(one) === realpathSync(other);
}

function wrongPassword(home: Home): Failure {
  return new Failure(
    `The cluster in ${home.data} does not accept the password in ${home.secrets}: they do not belong together.`,
    `Put the right secrets.json back from a backup, or move ${home.folder} away to begin anew.`,
  );
}
