import { type ChildProcess, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseAccount, giveTo, runAs, spawnAs } from '../../tools/cluster/account.ts';
import { freePort } from '../../tools/cluster/cluster.ts';
import { ask, withClient } from '../../tools/database.ts';

/** Where Debian's package puts them. */
export const binaries = '/usr/lib/postgresql/15/bin';
export const password = 'of-a-test';

/** Two servers of PostgreSQL 15 and the monitor of pg_auto_failover, as docs/failover.md sets them up. */
export interface Formation {
  folder: string;
  nodes: Record<Name, { host: string; port: number }>;
  url(node: Name, role: string, database?: string): string;
  /** Starts what was killed, and waits until one is primary and the other follows it. */
  ready(): Promise<{ primary: Name; standby: Name }>;
  /** Waits until the monitor and the node itself say that it is this. */
  until(node: Name, state: string): Promise<void>;
  /** Ends every process of a node at once, that of pg_autoctl too, as a loss of power would. */
  kill(node: Name): Promise<void>;
  /** The processes of a node whose title has this in it. */
  processes(node: Name, title: string): number[];
}

const names = ['a', 'b'] as const;
export type Name = (typeof names)[number];

/** A port that no outgoing connection is given, since a killed node wants its own again. */
async function quietPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if ((await freePort(port)) === port) return port;
  }
}

/** Makes it; `later` is told what to undo at the end. */
export async function openFormation(later: (undo: () => Promise<void>) => void, configuration: string[]): Promise<Formation> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-formation-'));
  const running = new Map<string, ChildProcess>();
  later(async () => {
    // The monitor last: who is asked to stop tells it so.
    for (const [name, child] of [...running].toReversed()) await stop(name, child);
    rmSync(folder, { recursive: true, force: true });
  });
  chmodSync(folder, 0o711);
  const account = chooseAccount(folder, folder, `${binaries}/initdb`);
  const ports = { monitor: await quietPort(), a: await quietPort(), b: await quietPort() };
  const [sockets, settings] = ['sockets', 'settings'].map((name) => path.join(folder, name)) as [string, string];
  mkdirSync(sockets, { mode: 0o700 });
  writeFileSync(settings, configuration.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  giveTo(account, folder);

  const environment = [
    ...[`HOME=${folder}`, `XDG_RUNTIME_DIR=${folder}`, `PATH=${binaries}:${process.env.PATH}`],
    ...[`PGHOST=${sockets}`, `PG_REGRESS_SOCK_DIR=${sockets}`, `PGPASSWORD=${password}`],
  ];
  const data = (name: string): string => path.join(folder, name);
  const say = async (program: string, ...args: string[]): Promise<void> => {
    const { code, output } = await runAs(account, 'env', [...environment, program, ...args]);
    if (code !== 0) throw new Error(`${program} ${args.join(' ')}\n${output}`);
  };
  const start = (name: string): void => {
    const log = openSync(path.join(folder, `${name}.log`), 'a');
    running.set(name, spawnAs(account, 'env', [...environment, 'pg_autoctl', 'run', '--pgdata', data(name)], log));
    closeSync(log);
  };
  const stop = async (name: string, child: ChildProcess): Promise<void> => {
    running.delete(name);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  // Sockets are in a folder that nobody else may enter; over TCP everybody needs a password.
  const initialise = async (name: string): Promise<void> => {
    await say('initdb', '-D', data(name), '-U', 'postgres', '--auth-local=trust', '--auth-host=scram-sha-256', '-E', 'UTF8', '--no-sync');
    const own = ['shared_buffers = 64MB', ...(name === 'monitor' ? [] : [`include '${settings}'`])];
    writeFileSync(path.join(data(name), 'postgresql.conf'), `${own.join('\n')}\n`, { flag: 'a' });
  };
  const create = (name: Name): Promise<void> =>
    say('pg_autoctl', 'create', 'postgres', '--pgdata', data(name), '--pghost', sockets, '--pgport', `${ports[name]}`,
      ...['--listen', '127.0.0.1', '--hostname', '127.0.0.1', '--name', name, '--username', 'postgres', '--dbname', 'postgres'],
      ...['--auth', 'scram-sha-256', '--ssl-self-signed', '--monitor', `${monitor}?sslmode=require`]);
  const psql = (name: 'monitor' | Name, sql: string): Promise<void> =>
    say('psql', '-U', 'postgres', '-p', `${ports[name]}`, '-d', name === 'monitor' ? 'pg_auto_failover' : 'postgres', '-qc', sql);
  const answers = async (name: 'monitor' | Name): Promise<void> => {
    while (!(await psql(name, 'select').then(() => true, () => false))) await alive();
  };
  const alive = async (): Promise<void> => {
    for (const [name, { exitCode }] of running) {
      if (exitCode !== null) throw new Error(`pg_autoctl of ${name} has ended:\n${readFileSync(path.join(folder, `${name}.log`), 'utf8').slice(-3000)}`);
    }
    await sleep(100);
  };

  const monitor = `postgres://autoctl_node:${password}@127.0.0.1:${ports.monitor}/pg_auto_failover`;
  await initialise('monitor');
  await say('pg_autoctl', 'create', 'monitor', '--pgdata', data('monitor'), '--pgport', `${ports.monitor}`,
    ...['--hostname', '127.0.0.1', '--auth', 'scram-sha-256', '--ssl-self-signed']);
  await say('pg_autoctl', 'config', 'set', '--pgdata', data('monitor'), 'postgresql.listen_addresses', '127.0.0.1');
  start('monitor');
  await answers('monitor');
  await psql('monitor', `alter role autoctl_node password '${password}'`);
  // For how long the promoted one waits for the other to notice that it is cut off: nothing is cut off here.
  await psql('monitor', `alter system set pgautofailover.primary_demote_timeout = '5s'`);
  await psql('monitor', 'select pg_reload_conf()');

  await initialise('a');
  await create('a');
  await say('pg_autoctl', 'config', 'set', '--pgdata', data('a'), 'replication.password', password);
  start('a');
  await answers('a');
  await psql('a', `alter role pgautofailover_replicator password '${password}'`);
  await psql('a', `alter role postgres password '${password}'`);
  await create('b');
  await say('pg_autoctl', 'config', 'set', '--pgdata', data('b'), 'replication.password', password);
  start('b');

  // A node's own word and the monitor's, once they agree.
  const states = async (): Promise<Partial<Record<Name, string>>> =>
    withClient(monitor, async (client) => {
      const { rows } = await ask(
        client,
        `select nodename, goalstate::text
         from pgautofailover.node
         where reportedstate = goalstate`,
      );
      return Object.fromEntries(rows) as Partial<Record<Name, string>>;
    });
  const formation: Formation = {
    folder,
    nodes: { a: { host: '127.0.0.1', port: ports.a }, b: { host: '127.0.0.1', port: ports.b } },
    url: (node, role, database = 'hospital') => `postgres://${role}:${password}@127.0.0.1:${ports[node]}/${database}`,
    ready: async () => {
      for (const name of names) if (!running.has(name)) start(name);
      for (;;) {
        const found = await states();
        const [primary, standby] = ['primary', 'secondary'].map((state) => names.find((name) => found[name] === state));
        if (primary && standby) return { primary, standby };
        await alive();
      }
    },
    until: async (node, state) => {
      while ((await states())[node] !== state) await alive();
    },
    kill: async (node) => {
      const child = running.get(node)!;
      running.delete(node);
      const ended = once(child, 'exit');
      for (const { pid } of treeOf(child.pid!)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended with its parent.
        }
      }
      await ended;
    },
    processes: (node, title) =>
      treeOf(running.get(node)!.pid!).flatMap((each) => (each.title.includes(title) ? [each.pid] : [])),
  };
  await formation.ready();
  return formation;
}

/** A process and all that descend from it, parents first. */
function treeOf(root: number): { pid: number; title: string }[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  const all = stdout.split('\n').flatMap((line) => {
    const [, pid, parent, title = ''] = /^ *(\d+) +(\d+) (.*)$/.exec(line) ?? [];
    return pid ? [{ pid: Number(pid), parent: Number(parent), title }] : [];
  });
  const grow = (pid: number): typeof all => all.filter((each) => each.parent === pid).flatMap((each) => [each, ...grow(each.pid)]);
  return [...all.filter((each) => each.pid === root), ...grow(root)];
}
