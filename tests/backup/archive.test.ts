import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBackup } from '../../tools/backup/create.ts';
import { segmentName } from '../../tools/backup/lsn.ts';
import { claim, openRepository, type Repository } from '../../tools/backup/repository.ts';
import { restore } from '../../tools/backup/restore-command.ts';
import { archiveLog, readLog, storeLog } from '../../tools/backup/wal-archive.ts';
import { chooseAccount, giveTo } from '../../tools/cluster/account.ts';
import { findBinaries } from '../../tools/cluster/binaries.ts';
import { openHome } from '../../tools/cluster/home.ts';
import { passwordsOf, type Server } from '../../tools/cluster/server.ts';
import { verify } from '../../tools/commands/backup/verify.ts';
import { ask, withClient } from '../../tools/database.ts';
import { applyRoles } from '../../tools/migrate/roles.ts';
import { projectFolder, type Settings } from '../../tools/settings.ts';
import { acquireServer, makeSettings } from '../support/cluster.ts';
import { withRepository } from './hospital.ts';

const megabyte = 1024 * 1024;

/** A whole segment, as a server writes the first bytes of it, of some content. */
function segment(number: bigint, { system = 77n, filler = 0 } = {}): { name: string; bytes: Buffer } {
  const bytes = Buffer.alloc(16 * megabyte, filler);
  bytes.writeBigUInt64LE(number * BigInt(bytes.length), 8);
  bytes.writeBigUInt64LE(system, 24);
  bytes.writeUInt32LE(bytes.length, 32);
  return { name: segmentName(1, number, bytes.length), bytes };
}

function emptyRepository(t: TestContext): Repository {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-archive-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return openRepository({ repository: folder, keep: { daily: 1, weekly: 1, monthly: 1 }, nightly: false, wal: false });
}

test('a segment given twice, or eight times at once, is stored once; another content under its name is refused', async (t) => {
  const repository = emptyRepository(t);
  const [one, other] = [segment(3n), segment(3n, { filler: 1 })];
  await archiveLog(repository, one.name, one.bytes);
  await archiveLog(repository, one.name, one.bytes);
  await assert.rejects(archiveLog(repository, other.name, other.bytes), /is there, with other content/);
  const [next, rival] = [segment(4n), segment(4n, { filler: 1 })];
  const outcomes = await Promise.allSettled(
    [next, rival, next, rival, next, rival, next, rival].map(({ name, bytes }) => storeLog(repository, name, bytes)),
  );
  const kept = await readLog(repository, next.name);
  const winner = kept?.equals(next.bytes) ? 0 : 1;
  assert.deepEqual(outcomes.map(({ status }) => status === 'fulfilled'), Array.from({ length: 8 }, (_, n) => n % 2 === winner));
  assert.deepEqual(readdirSync(path.join(repository.wal, '00000001')).sort(), [`${one.name}.zst`, `${next.name}.zst`], 'no draft stays');
});

test('what is no whole segment of this cluster is refused, and what recovery never asks for is taken', async (t) => {
  const repository = emptyRepository(t);
  const { name, bytes } = segment(3n);
  await archiveLog(repository, name, bytes);
  const foreign = segment(5n, { system: 78n });
  for (const [given, content, problem] of [
    [segment(4n).name, bytes, /is another segment than its name says/],
    [segment(4n).name, bytes.subarray(0, -1), /has 16777215 bytes instead of 16777216/],
    [segment(4n).name, Buffer.alloc(0), /is no segment of the log/],
    [foreign.name, foreign.bytes, /of another cluster/],
    ['../../etc/passwd', bytes, /is no file of the log/],
    ['postgresql.conf', bytes, /is no file of the log/],
  ] as const) {
    await assert.rejects(archiveLog(repository, given, content), problem, given);
  }
  // A server gives these too, and would never give anything else again.
  await archiveLog(repository, `${name}.00000028.backup`, Buffer.from('START WAL LOCATION'));
  await archiveLog(repository, `${name}.partial`, bytes);
  assert.deepEqual(readdirSync(path.join(repository.wal, '00000001')), [`${name}.zst`]);
});

test('a repository that was begun in clear takes nothing encrypted, and the other way round', async (t) => {
  const clear = emptyRepository(t);
  const sealed = { ...clear, key: Buffer.alloc(32, 1) };
  claim(clear, '77');
  claim(clear, '77');
  assert.throws(() => claim(sealed, '77'), /is not encrypted, and another key is set/);
  const { name, bytes } = segment(3n);
  await assert.rejects(archiveLog(sealed, name, bytes), /is not encrypted/);
  assert.deepEqual(readdirSync(clear.wal), []);
  rmSync(path.join(clear.folder, 'repository.json'));
  claim(sealed, '77');
  await assert.rejects(archiveLog(clear, name, bytes), /is encrypted with the key [0-9a-f]{16}, and no key is set/);
  writeFileSync(path.join(clear.folder, 'repository.json'), '{"sys');
  assert.throws(() => claim(clear, '77'), /repository\.json is damaged/);
});

test('a server archives by archive_command, asks again after a refusal, and a moment is restored from what it gave', async (t) => {
  let server: Server | undefined;
  t.after(() => server?.release());
  const settings = withRepository(t, makeSettings(t));
  await (await acquireServer(settings)).release();
  server = await acquireServer(settings);
  await applyRoles(server.url('postgres'), passwordsOf(server));
  const repository = prepareFor(settings);
  const program = path.join(projectFolder, 'tools', 'infirmary.mjs');
  const command = `env BACKUP_REPOSITORY='${repository.folder}' '${process.execPath}' '${program}' backup archive-wal "%p"`;
  await run(server, `alter system set archive_mode = on`);
  await run(server, `alter system set archive_command = '${command.replaceAll("'", "''")}'`);
  await server.release();
  server = await acquireServer(settings);

  // As long as the repository is another's, every try is refused and the server keeps its log.
  const claimed = path.join(repository.folder, 'repository.json');
  writeFileSync(claimed, '{"systemIdentifier": "1", "key": null}');
  await run(server, 'create table ledger as select 1 as n');
  const [[first] = []] = await run(server, 'select pg_walfile_name(pg_switch_wal())');
  await until(server, `select failed_count > 0 from pg_stat_archiver`);
  assert.deepEqual(await run(server, 'select archived_count::integer from pg_stat_archiver'), [[0]]);
  rmSync(claimed);

  const { name } = await createBackup(server, 'postgres', repository);
  await run(server, 'insert into ledger select generate_series(2, 1000)');
  const [[moment] = []] = await run(server, `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`);
  await sleep(50);
  await run(server, 'drop table ledger');
  const [[last] = []] = await run(server, 'select pg_walfile_name(pg_switch_wal())');
  await until(server, `select last_archived_wal >= '${last}' from pg_stat_archiver`);
  assert.ok(await readLog(repository, String(first)), 'the segment that was refused is there');
  assert.deepEqual(await verify(settings), []);
  await server.release();

  const outcome = await restore(settings, { target: new Date(String(moment)), erase: true });
  assert.equal(outcome.backup, name);
  server = await acquireServer(settings);
  assert.deepEqual(await run(server, 'select count(*)::integer from ledger'), [[1000]]);
  // Without the history of its timeline no later restore would follow it.
  const [[newest] = []] = await run(server, 'select pg_walfile_name(pg_switch_wal())');
  await until(server, `select last_archived_wal >= '${newest}' from pg_stat_archiver`);
  assert.match(String(await readLog(repository, '00000002.history')), /^1\t/);
});

/** The server's own account writes there. */
function prepareFor(settings: Settings): Repository {
  const { folder, data } = openHome(settings.home);
  const repository = openRepository(settings.backup);
  mkdirSync(path.join(repository.wal, '00000001'), { mode: 0o700 });
  // As root it must pass through what encloses the repository.
  giveTo(chooseAccount(folder, data, findBinaries(settings.pgBinDir).initdb), path.dirname(repository.folder));
  return repository;
}

function run(server: Server, sql: string): Promise<unknown[][]> {
  return withClient(server.url('postgres'), async (client) => (await ask(client, sql)).rows);
}

async function until(server: Server, sql: string): Promise<void> {
  while ((await run(server, sql))[0]?.[0] !== true) await sleep(50);
}
