import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { createBackup } from '../../tools/backup/create.ts';
import { openRepository } from '../../tools/backup/repository.ts';
import { chooseAccount, giveTo } from '../../tools/cluster/account.ts';
import { findBinaries } from '../../tools/cluster/binaries.ts';
import { openHome } from '../../tools/cluster/home.ts';
import { findPostmaster } from '../../tools/cluster/postmaster.ts';
import { acquireServer, passwordsOf, type Server } from '../../tools/cluster/server.ts';
import { applyRoles } from '../../tools/migrate/roles.ts';
import { codeOf } from '../../tools/failure.ts';
import type { Settings } from '../../tools/settings.ts';
import { acquireServer as acquireQuick, killAll, makeSettings } from '../support/cluster.ts';

/** A server that flushes, as production does, with a table of numbers. */
async function makeLedger(t: TestContext): Promise<{ settings: Settings; server: Server }> {
  let server: Server | undefined;
  // Hooks run in the order they are registered: the server is let go before its folder is.
  t.after(() => server?.release());
  const settings = makeSettings(t);
  await (await acquireQuick(settings)).release();
  server = await acquireServer(settings);
  await run(server, 'create table ledger (n integer primary key, filler text)');
  // Uncompressed, so that disks fill.
  await run(server, 'alter table ledger alter filler set storage external');
  return { settings, server };
}

async function run(server: Server, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: server.url('postgres') });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.map((row) => Object.values(row)[0]);
  } finally {
    await client.end();
  }
}

/** Eight writers, until they can no longer: returns what the server acknowledged, and how each ended. */
function write(
  server: Server,
  options = '',
  filler = 10,
): { done: Promise<Set<number>>; reached(count: number): Promise<void> } {
  const acknowledged = new Set<number>();
  let next = 0;
  const writers = Array.from({ length: 8 }, async () => {
    const client = new Client({ connectionString: server.url('postgres'), options });
    client.on('error', () => {});
    await client.connect();
    try {
      for (;;) {
        const n = ++next;
        await client.query('insert into ledger values ($1::integer, repeat(md5($1::integer::text), $2))', [n, filler]);
        acknowledged.add(n);
      }
    } catch (error) {
      // How every writer ends here, unless its statement is wrong.
      if (codeOf(error)?.startsWith('42')) throw error;
    } finally {
      await client.end().catch(() => {});
    }
  });
  return {
    done: Promise.all(writers).then(() => acknowledged),
    reached: async (count) => {
      while (acknowledged.size < count) await sleep(5);
    },
  };
}

async function lostOf(server: Server, acknowledged: Set<number>): Promise<number> {
  const kept = new Set(await run(server, 'select n from ledger'));
  return [...acknowledged].filter((n) => !kept.has(n)).length;
}

async function killUnderLoad(t: TestContext, options: string): Promise<number> {
  const { settings, server } = await makeLedger(t);
  // What the server does not flush for a commit it then flushes only much later.
  await run(server, `alter system set wal_writer_delay = '10s'`);
  await run(server, `alter system set wal_writer_flush_after = '128MB'`);
  await run(server, 'select pg_reload_conf()');
  const writing = write(server, options);
  await Promise.race([writing.done, writing.reached(500)]);
  killAll(settings);
  const acknowledged = await writing.done;
  const again = await acquireServer(settings);
  try {
    return await lostOf(again, acknowledged);
  } finally {
    await again.release();
  }
}

test('kill -9 of every process of the server loses no commit it had acknowledged', async (t) => {
  assert.equal(await killUnderLoad(t, ''), 0);
});

test('the same loses commits where the server may acknowledge before it flushes, so the test can fail', async (t) => {
  assert.ok((await killUnderLoad(t, '-c synchronous_commit=off')) > 0);
});

/** A disk of its own of so many megabytes, where one may be mounted. */
function makeDisk(t: TestContext, megabytes: number): { folder: string; grow(megabytes: number): void } | undefined {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-disk-'));
  const mount = (...args: string[]): boolean =>
    process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('mount', args).status === 0;
  t.after(() => {
    spawnSync('umount', ['-l', folder], { stdio: 'ignore' });
    // It is let go a moment later.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  if (!mount('-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder)) {
    t.skip('a small disk can be mounted by root alone');
    return undefined;
  }
  chmodSync(folder, 0o711);
  return { folder, grow: (more) => assert.ok(mount('-o', `remount,size=${more}m`, folder)) };
}

test('a full disk of data refuses writes and harms nothing; with room they go on', async (t) => {
  const { settings, server } = await makeLedger(t);
  const disk = makeDisk(t, 8);
  if (!disk) return;
  const folder = path.join(disk.folder, 'data');
  mkdirSync(folder, { mode: 0o700 });
  giveTo(accountOf(settings), folder);
  await run(server, `create tablespace small location '${folder}'`);
  await run(server, 'alter table ledger set tablespace small');
  const acknowledged = await write(server, '', 50).done;
  await assert.rejects(run(server, 'insert into ledger select n, repeat(md5(n::text), 50) from generate_series(1000001, 1100000) as n'), { code: '53100' });
  assert.equal(await lostOf(server, acknowledged), 0);
  assert.deepEqual(await run(server, 'select 1'), [1], 'the server serves');
  disk.grow(64);
  await run(server, `insert into ledger values (0, '')`);
  assert.equal(await lostOf(server, acknowledged), 0);
});

test('a full disk of the log stops the server; with room it starts again and has every commit it acknowledged', async (t) => {
  const { settings, server } = await makeLedger(t);
  const disk = makeDisk(t, 64);
  if (!disk) return;
  await server.release();
  const { data } = openHome(settings.home);
  const log = path.join(disk.folder, 'pg_wal');
  cpSync(path.join(data, 'pg_wal'), log, { recursive: true });
  rmSync(path.join(data, 'pg_wal'), { recursive: true });
  symlinkSync(log, path.join(data, 'pg_wal'));
  chmodSync(log, 0o700);
  giveTo(accountOf(settings), log);
  const full = await acquireServer(settings);
  const acknowledged = await write(full, '', 200).done;
  assert.ok(acknowledged.size > 1000);
  disk.grow(256);
  // It may still be trying to come back by itself.
  while (findPostmaster(openHome(settings.home)) && (await codeOfStart(full)) !== undefined) await sleep(50);
  await full.release();
  const again = await acquireServer(settings);
  try {
    assert.equal(await lostOf(again, acknowledged), 0);
    await run(again, `insert into ledger values (0, '')`);
  } finally {
    await again.release();
  }
});

test('a backup onto a full disk fails, says so, and leaves nothing', async (t) => {
  const { settings, server } = await makeLedger(t);
  const disk = makeDisk(t, 2);
  if (!disk) return;
  await applyRoles(server.url('postgres'), passwordsOf(server));
  const repository = openRepository({ ...settings.backup, repository: path.join(disk.folder, 'repository') });
  await assert.rejects(createBackup(server, 'postgres', repository), /ENOSPC/);
  assert.deepEqual(readdirSync(repository.backups), []);
});

function accountOf(settings: Settings): ReturnType<typeof chooseAccount> {
  const home = openHome(settings.home);
  return chooseAccount(home.folder, home.data, findBinaries(settings.pgBinDir).initdb);
}

async function codeOfStart(server: Server): Promise<string | undefined> {
  return run(server, 'select 1').then(
    () => undefined,
    (error: unknown) => codeOf(error) ?? 'lost',
  );
}
