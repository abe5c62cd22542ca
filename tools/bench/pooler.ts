import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseAccount, giveTo, spawnAs } from '../cluster/account.ts';
import { freePort } from '../cluster/cluster.ts';
import { withClient } from '../database.ts';
import { Failure } from '../failure.ts';
import { projectFolder } from '../settings.ts';
import { onShutdown } from '../shutdown.ts';

/** PgBouncer in front of a database. */
export interface Pooler {
  pid: number;
  /** A URL of the database, as it leads through the pooler. */
  through(directUrl: string): string;
  /** Everything it has logged. */
  said(): string;
  /** Writes its file anew with these settings in place of its own, and has it read. */
  reload(lines: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

export interface PoolerOptions {
  /** The database, as its administrator. */
  adminUrl: string;
  /** Settings after those of docs/pgbouncer.ini. */
  lines?: readonly string[];
  /** user= and password=, for tests in which everybody is somebody else. */
  login?: string;
  /** The port it had before; a free one otherwise. */
  port?: number;
}

/**
 * Starts PgBouncer with docs/pgbouncer.ini as it is; only addresses come after it. It knows what the server knows of
 * hospital_authenticator's password, and no password.
 * @throws Failure where it is not installed, or does not start
 */
export async function startPooler({ adminUrl, lines = [], login = '', port: wanted = 0 }: PoolerOptions): Promise<Pooler> {
  const program = findPgBouncer();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-pooler-'));
  const file = (name: string): string => path.join(folder, name);
  const port = await freePort(wanted);
  const server = new URL(adminUrl);
  const write = (own: readonly string[]): void => {
    const text = [
      ...[`%include ${file('infirmary.ini')}`, `listen_port = ${port}`, `auth_file = ${file('userlist.txt')}`, ...own],
      ...['[databases]', `hospital = host=${server.hostname} port=${server.port || 5432} dbname=${server.pathname.slice(1)} ${login}`],
    ];
    writeFileSync(file('pgbouncer.ini'), `${text.join('\n')}\n`);
  };
  writeFileSync(file('infirmary.ini'), readFileSync(path.join(projectFolder, 'docs', 'pgbouncer.ini')));
  writeFileSync(file('userlist.txt'), await userList(adminUrl), { mode: 0o600 });
  write(lines);
  const account = chooseAccount(folder, folder, program);
  giveTo(account, folder);

  const child = spawnAs(account, program, [file('pgbouncer.ini')], 'pipe');
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'exit').catch(() => {});
  const stop = onShutdown(
    async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
    () => void child.kill('SIGKILL'),
  );
  const saying = async (words: string, times = 1): Promise<void> => {
    while (text.split(words).length <= times) {
      if (child.exitCode !== null || child.pid === undefined) {
        await stop();
        throw new Failure(`PgBouncer did not start: ${text.trim()}`);
      }
      await sleep(10);
    }
  };
  await saying('process up');
  let reloads = 0;
  return {
    pid: child.pid!,
    through: (directUrl) => {
      const url = new URL(directUrl);
      return `postgres://${url.username}:${url.password}@127.0.0.1:${port}/hospital`;
    },
    said: () => text,
    reload: async (own) => {
      write(own);
      child.kill('SIGHUP');
      await saying('got SIGHUP', (reloads += 1));
    },
    stop,
  };
}

/** The one line of the file of users: the verifier that the server keeps. */
async function userList(adminUrl: string): Promise<string> {
  return withClient(adminUrl, async (client) => {
    const { rows } = await client.query<{ line: string }>(
      `select format('"%s" "%s"', rolname, rolpassword) as line from pg_authid where rolname = 'hospital_authenticator'`,
    );
    return `${rows[0]!.line}\n`;
  });
}

/** @throws Failure where PgBouncer is not installed */
export function findPgBouncer(folders: readonly string[] = usualFolders()): string {
  for (const folder of folders) {
    const file = path.join(folder, 'pgbouncer');
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // The next one.
    }
  }
  throw new Failure('PgBouncer is not installed.', 'On Debian: apt-get install pgbouncer');
}

/** Debian puts it where only root's path leads. */
function usualFolders(): string[] {
  return [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin'];
}
