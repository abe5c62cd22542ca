import { existsSync } from 'node:fs';
import { Failure } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { onShutdown } from '../shutdown.ts';
import { chooseAccount } from './account.ts';
import { auditKeyFile, readAuditKey } from './audit-key.ts';
import { findBinaries } from './binaries.ts';
import { checkVersion, crashCluster, createCluster, startCluster, stopCluster } from './cluster.ts';
import { type Home, openHome, readIfPresent } from './home.ts';
import { withLock } from './lock.ts';
import { answersToUs, findPostmaster, type Postmaster } from './postmaster.ts';
import { type LoginRole, readSecrets } from './secrets.ts';
import type { Server } from './server.ts';
import { enter, isKept, keep, letGo, usersOf } from './users.ts';

/** Starts the private cluster, or joins it when it runs; the last process to release it stops it. */
export async function acquireEmbedded(settings: Settings, durable: boolean): Promise<Server> {
  const home = openHome(settings.home);
  const { passwords } = readSecrets(settings);
  const binaries = findBinaries(settings.pgBinDir);
  // Before anything starts: a signal that comes meanwhile waits for the lock, then stops what was started.
  const leave = enter(home);
  const release = onShutdown(
    () =>
      withLock(home.locks, async () => {
        leave();
        if (isUnwanted(home)) await stopCluster(home, binaries);
      }),
    () => {
      leave();
      if (isUnwanted(home)) crashCluster(home);
    },
  );
  try {
    const port = await withLock(home.locks, async () => {
      checkVersion(home, binaries);
      if (!(await answersToUs(home, passwords.postgres))) {
        refuseReplaced(home);
        const account = chooseAccount(home.folder, home.data, binaries.initdb);
        if (!existsSync(home.data)) await createCluster(home, binaries, account, passwords.postgres, durable);
        await startCluster(
          home,
          binaries,
          account,
          passwords.postgres,
          durable,
          auditKeyFile(settings),
        );
      }
      return runningIn(home).port;
    });
    return {
      version: binaries.version,
      embedded: true,
      managesRoles: true,
      url: (role: LoginRole, database = role === 'postgres' ? 'postgres' : settings.database) =>
        `postgres://${role}:${passwords[role]}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
      auditKey: () => readAuditKey(settings),
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** After a failover a second server would take writes that nobody will ever bring together with the first's. */
function refuseReplaced(home: Home): void {
  const by = readIfPresent(home.replaced)?.trim();
  if (by === undefined) return;
  throw new Failure(
    `The server in ${home.folder} does not start again: the standby in ${by} has taken its place.`,
    `Use that: INFIRMARY_HOME=${by}\nMake this one its standby: INFIRMARY_HOME=${by} infirmary standby create --into ${home.folder} --erase\n` +
      `If you know better, delete ${home.replaced}`,
  );
}

/** Whether the server runs, for nobody. */
function isUnwanted(home: Home): boolean {
  const postmaster = findPostmaster(home);
  return postmaster !== undefined && !isKept(home, postmaster) && usersOf(home).length === 0;
}

function runningIn(home: Home): Postmaster {
  const postmaster = findPostmaster(home);
  if (!postmaster)
    throw new Failure('PostgreSQL ended as soon as it had started.', `Its log is ${home.log}.`);
  return postmaster;
}

/** Starts the private cluster and lets it run on when this process ends. Returns its port. */
export async function startToStay(settings: Settings): Promise<number> {
  const server = await acquireEmbedded(settings, true);
  const home = openHome(settings.home);
  const postmaster = runningIn(home);
  keep(home, postmaster);
  await server.release();
  return postmaster.port;
}

/**
 * Stops the private cluster. Returns false when it was not running.
 * @throws Failure when other processes use it; it then stops with the last of them.
 */
export async function stopStaying(settings: Settings): Promise<boolean> {
  const home = openHome(settings.home);
  return withLock(home.locks, async () => {
    letGo(home);
    const users = usersOf(home);
    if (!findPostmaster(home)) return false;
    if (users.length > 0) {
      throw new Failure(
        `The server is in use by process ${users.join(', ')}, and stops when that ends.`,
        `End it first: kill ${users.join(' ')}`,
      );
    }
    await stopCluster(home, findBinaries(settings.pgBinDir));
    return true;
  });
}

/** What can be said about the private cluster without starting it. */
export interface ClusterStatus {
  running: boolean;
  embedded: true;
  home: string;
  dataDirectory: string;
  created: boolean;
  pid: number | null;
  port: number | null;
  /** Whether it outlives the commands that use it (`db start`). */
  kept: boolean;
  /** Processes that use it. */
  users: number[];
}

/** The state of the private cluster. */
export function statusOf(settings: Settings): ClusterStatus {
  const home = openHome(settings.home);
  const postmaster = existsSync(home.data) ? findPostmaster(home) : undefined;
  return {
    running: postmaster !== undefined,
    embedded: true,
    home: home.folder,
    dataDirectory: home.data,
    created: existsSync(home.data),
    pid: postmaster?.pid ?? null,
    port: postmaster?.port ?? null,
    kept: postmaster !== undefined && isKept(home, postmaster),
    users: usersOf(home),
  };
}
