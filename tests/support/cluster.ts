import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { statusOf, stopStaying } from '../../tools/cluster/embedded.ts';
import { openHome } from '../../tools/cluster/home.ts';
import { findPostmaster } from '../../tools/cluster/postmaster.ts';
import * as cluster from '../../tools/cluster/server.ts';
import { ask, withClient } from '../../tools/database.ts';
import { projectFolder, readSettings, type Settings } from '../../tools/settings.ts';

/** Settings with a home of their own, which is emptied of servers and removed after the test. */
export function makeSettings(t: TestContext): Settings {
  const settings = inNewHome();
  t.after(async () => {
    for (const pid of statusOf(settings).users) if (pid !== process.pid) process.kill(pid, 'SIGKILL');
    while (statusOf(settings).users.some((pid) => pid !== process.pid)) await sleep(20);
    await stopStaying(settings);
    rmSync(settings.home, { recursive: true, force: true });
  });
  return settings;
}

/** Without fsync: these servers outlive no machine. */
export async function acquireServer(settings: Settings): Promise<cluster.Server> {
  const { data } = openHome(settings.home);
  // Copying a new cluster is much quicker than creating another.
  if (!existsSync(data) && !settings.databaseUrl)
    cpSync((await newCluster()).home, settings.home, { recursive: true });
  return cluster.acquireServer(settings, { durable: false });
}

let created: Promise<Settings> | undefined;

function newCluster(): Promise<Settings> {
  created ??= (async () => {
    const settings = inNewHome();
    await (await cluster.acquireServer(settings, { durable: false })).release();
    return settings;
  })();
  return created;
}

after(async () => {
  if (created) rmSync((await created).home, { recursive: true, force: true });
});

function inNewHome(): Settings {
  const binaries = process.env.PG_BIN_DIR;
  const home = mkdtempSync(path.join(os.tmpdir(), 'infirmary-home-'));
  return readSettings({ INFIRMARY_HOME: home, ...(binaries && { PG_BIN_DIR: binaries }) });
}

/** A command that acquires the server, says "ready" and holds it until it is signalled. */
export async function holdElsewhere(settings: Settings): Promise<ChildProcess> {
  await (await acquireServer(settings)).release();
  const program = `
    import { acquireServer } from '${projectFolder}/tools/cluster/server.ts';
    import { readSettings } from '${projectFolder}/tools/settings.ts';
    import { stopOnSignals } from '${projectFolder}/tools/shutdown.ts';
    stopOnSignals(console.error);
    await acquireServer(readSettings(), { durable: false });
    process.stdout.write('ready');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    detached: true,
    env: { ...process.env, INFIRMARY_HOME: settings.home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout!, 'data');
  return child;
}

/** Ends it by a signal to its whole process group, as the terminal does. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit');
  process.kill(-child.pid!, signal);
  await ended;
}

/** Ends every process of a server at once, as a loss of power would. */
export function killAll(settings: Settings): void {
  const { pid } = findPostmaster(openHome(settings.home))!;
  const children = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).stdout;
  for (const each of [pid, ...children.split('\n').map(Number)]) {
    try {
      if (each > 0) process.kill(each, 'SIGKILL');
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}

/** The first column of the first row. */
export async function valueOf(url: string, sql: string): Promise<unknown> {
  return withClient(url, async (client) => (await ask(client, sql)).rows[0]?.[0]);
}
