import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Client } from 'pg';
import { chooseAccount, giveTo } from '../../tools/cluster/account.ts';
import { findBinaries } from '../../tools/cluster/binaries.ts';
import { stopStaying, startToStay } from '../../tools/cluster/embedded.ts';
import { acquireServer } from '../../tools/cluster/server.ts';
import { projectFolder, readSettings, type Settings } from '../../tools/settings.ts';
import { copyServer, dropSlot } from '../../tools/standby/copy.ts';
import { createStandby } from '../../tools/standby/create.ts';
import { promoteStandby } from '../../tools/standby/promote.ts';
import { statusOfStandbys, type Status } from '../../tools/standby/status.ts';
import { requireStandby } from '../../tools/standby/synchronous.ts';
import { makeSettings } from '../support/cluster.ts';
import { until } from '../support/worker.ts';
import { column, follow, type Losable, openEmpty } from './support.ts';

const limit = 1e6;

/** The hospital as whoever reaches it by URLs sees it: a server that is not ours. */
function fromOutside({ settings, server }: Losable): Settings {
  return readSettings({
    INFIRMARY_HOME: settings.home,
    DATABASE_URL: server.url('hospital_owner'),
    DATABASE_ADMIN_URL: server.url('postgres'),
    MONITOR_URL: server.url('hospital_monitor'),
    ...(process.env.PG_BIN_DIR && { PG_BIN_DIR: process.env.PG_BIN_DIR }),
  });
}

/** Waits until that is the first problem, and returns its remedy. */
async function remedyFor(ask: () => Promise<Status>, problem: RegExp): Promise<string> {
  let status = await ask();
  await until(async () => {
    status = await ask();
    return problem.test(status.problems[0]?.problem ?? '');
  });
  return status.problems[0]!.remedy;
}

test('status says nothing while all is well, else what is wrong and what to do, and that helps', async (t) => {
  const hospital = await openEmpty(t);
  const { server, spare, connect } = hospital;
  const settings = fromOutside(hospital);
  const status = (): Promise<Status> => statusOfStandbys(settings, limit);
  const well = (): Promise<void> => until(async () => (await status()).problems.length === 0);
  const admin = await connect(server.url('postgres', 'hospital'));
  const owner = await connect(server.url('hospital_owner'));
  const write = (to: Client = owner): Promise<unknown> => to.query('insert into ledger select $1', ['x'.repeat(2000)]);
  const muchLog = (): Promise<unknown> => owner.query(`insert into ledger select repeat(md5(n::text), 60) from generate_series(1, 2000) as n`);
  await owner.query('create schema ledgers; set search_path = ledgers; create table ledger (filler text)');
  await owner.query('alter table ledger alter filler set storage external');

  assert.match(await remedyFor(status, /has no standby/), /standby create/);
  await createStandby(settings, { into: spare.home, name: 'second', synchronous: false, erase: false });
  await well();
  const [healthy] = (await status()).standbys;
  assert.deepEqual([healthy!.name, healthy!.state, healthy!.sync, healthy!.log], ['second', 'streaming', 'async', 'reserved']);
  const command = (...args: string[]) =>
    spawnSync(process.execPath, [path.join(projectFolder, 'tools/cli.ts'), 'standby', ...args], {
      env: { PATH: process.env.PATH, PG_BIN_DIR: process.env.PG_BIN_DIR, INFIRMARY_HOME: hospital.settings.home },
      encoding: 'utf8',
    });
  const told = command('status', spare.home, '--json');
  assert.equal(told.status, 0, told.stderr);
  assert.equal(JSON.parse(told.stdout).here.receiving, true);
  assert.match(JSON.parse(told.stdout).here.received, /^[0-9A-F]+\/[0-9A-F]+$/);

  // The password of hospital_backup, who may read every row, is not to be had by who may read every setting.
  const second = await acquireServer(spare);
  const watcher = await connect(second.url('hospital_monitor'));
  const [conninfo] = await column(watcher, 'show primary_conninfo');
  const secret = new URL(server.url('hospital_backup')).password;
  assert.match(String(conninfo), /passfile=/);
  assert.equal(String(conninfo).includes(secret), false);
  assert.equal(readFileSync(path.join(spare.home, 'cluster', 'postgresql.auto.conf'), 'utf8').includes(secret), false);

  const onStandby = await connect(second.url('postgres'));
  await onStandby.query('select pg_wal_replay_pause()');
  await muchLog();
  assert.match(await remedyFor(status, /does not show the last/), /pg_wal_replay_resume/);
  await onStandby.query('select pg_wal_replay_resume()');
  await well();

  const [sender] = await column(admin, 'select pid from pg_stat_replication');
  process.kill(Number(sender), 'SIGSTOP');
  await muchLog();
  assert.match(await remedyFor(status, /lacks the last/), /network/);
  process.kill(Number(sender), 'SIGCONT');
  await well();

  // Waited for, and gone: writes stand still, which is said first; going on without it lets them through.
  await requireStandby(server.url('postgres'), 'second', true);
  await write();
  await admin.query('alter role hospital_worker set synchronous_commit = off');
  await remedyFor(status, /synchronous_commit is off for role hospital_worker/);
  await admin.query('alter role hospital_worker reset synchronous_commit');
  for (const each of [watcher, onStandby]) await each.end();
  await second.release();
  await stopStaying(spare);
  // A time limit of the statement does not count here: it would be told that it is done.
  await owner.query(`set statement_timeout = '100ms'`);
  const waiting = write();
  waiting.catch(() => {});
  const since = `select count(*)::integer from pg_stat_activity where wait_event = 'SyncRep' and query_start < clock_timestamp() - interval '1 s'`;
  await until(async () => (await column(admin, since))[0] === 1);
  const stuck = await status();
  assert.equal(stuck.primary.waitingCommits, 1);
  assert.match(stuck.problems[0]!.problem, /^Nobody can write/);
  assert.match(stuck.problems[0]!.remedy, /standby asynchronous --name second/);
  const alarm = command('status');
  assert.equal(alarm.status, 1);
  assert.match(alarm.stderr, /Nobody can write: commits wait for second/);
  assert.equal(command('asynchronous', '--name', 'second').status, 0);
  await waiting;
  await owner.query('reset statement_timeout');
  assert.match(await remedyFor(status, /second is not connected/), /standby start/);
  await startToStay(spare);
  await well();

  // Away for longer than the server keeps its log.
  await stopStaying(spare);
  await admin.query(`alter system set max_slot_wal_keep_size = '16MB'`);
  await admin.query('select pg_reload_conf()');
  await until(async () => {
    await muchLog();
    await admin.query('select pg_switch_wal()');
    await admin.query('checkpoint');
    return (await status()).standbys[0]!.log === 'lost';
  });
  assert.match(await remedyFor(status, /stayed away too long/), /--erase/);
  await admin.query('alter system reset max_slot_wal_keep_size');
  await admin.query('select pg_reload_conf()');
  const again = await createStandby(settings, { into: spare.home, name: 'second', synchronous: true, erase: true });
  assert.ok(existsSync(again.aside!));
  await well();
  assert.equal((await status()).standbys[0]!.sync, 'sync');

  await assert.rejects(dropSlot(server.url('hospital_backup'), 'second'), /is connected/);
  await stopStaying(spare);
  assert.equal(command('drop', '--name', 'second').status, 0);
  assert.match(await remedyFor(status, /has no standby/), /standby create/);
  await write();
});

test('of two synchronous standbys one suffices, and the primary is asked by who may', async (t) => {
  const hospital = await openEmpty(t);
  const { settings, server, spare, connect } = hospital;
  const third = makeSettings(t);
  const owner = await connect(server.url('hospital_owner'));
  const admin = await connect(server.url('postgres', 'hospital'));
  // Where the server keeps rows outside of its folder, a standby on the same machine keeps them elsewhere.
  const outside = path.join(settings.home, 'outside');
  mkdirSync(outside, { mode: 0o700 });
  giveTo(chooseAccount(settings.home, outside, findBinaries(settings.pgBinDir).initdb), outside);
  await admin.query(`create tablespace outside location '${outside}'`);
  await admin.query('grant create on tablespace outside to hospital_owner');
  await owner.query('create schema ledgers; create table ledgers.ledger (n integer primary key) tablespace outside');
  await owner.query('insert into ledgers.ledger values (0)');
  await follow(hospital, true);
  await createStandby(settings, { into: third.home, name: 'third', synchronous: true, erase: false });
  const { primary, standbys } = await statusOfStandbys(settings, limit);
  assert.deepEqual(primary.synchronous, ['second', 'third']);
  assert.deepEqual(standbys.map(({ name, sync }) => [name, sync]), [['second', 'sync'], ['third', 'potential']]);
  await stopStaying(spare);
  await owner.query('insert into ledgers.ledger values (1)');
  const joined = await acquireServer(third);
  const there = await connect(joined.url('hospital_owner'));
  await until(async () => (await column(there, 'select n from ledgers.ledger order by n')).join() === '0,1');
  await there.end();
  await joined.release();
  assert.equal(lstatSync(path.join(third.home, 'cluster.tablespaces')).isDirectory(), true);
  const { problems } = await statusOfStandbys(settings, limit);
  assert.deepEqual(problems.map(({ problem }) => /^(\w+) is not connected/.exec(problem)?.[1]), ['second']);
  await requireStandby(server.url('postgres'), 'second', false);
  await requireStandby(server.url('postgres'), 'third', false);

  // A primary that answers, though not to us, is none to be replaced.
  const monitorUrl = server.url('hospital_monitor').replace(/:[^:@]+@/, ':wrong@');
  const [refused] = (await statusOfStandbys({ ...settings, databaseUrl: server.url('hospital_owner'), monitorUrl }, limit)).problems;
  assert.match(refused!.problem, /cannot be asked/);
  assert.doesNotMatch(refused!.remedy, /promote/);
});

test('a standby is refused where it would harm, and what is refused leaves nothing behind', async (t) => {
  const hospital = await openEmpty(t);
  const { settings, server, spare, connect } = hospital;
  const admin = await connect(server.url('postgres', 'hospital'));
  const slots = (): Promise<unknown[]> => column(admin, 'select slot_name::text from pg_replication_slots');
  const wish = { into: spare.home, name: 'second', synchronous: false, erase: false };
  await assert.rejects(createStandby(settings, { ...wish, name: 'infirmary_backup' }), /cannot be called/);
  await assert.rejects(createStandby(settings, { ...wish, name: 'Second' }), /cannot be called/);
  await assert.rejects(createStandby(settings, { ...wish, into: settings.home, erase: true }), /A server runs on/);
  assert.deepEqual(await slots(), []);

  // Where the copy breaks off, the server must not keep its log for it until the disk is full.
  let breaking: Promise<unknown> | undefined;
  const onProgress = (): void => void (breaking ??= column(admin, 'select pg_terminate_backend(pid) from pg_stat_progress_basebackup'));
  await assert.rejects(copyServer(settings, server, { ...wish, onProgress }));
  assert.deepEqual(await breaking, [true]);
  assert.deepEqual(await slots(), []);
  assert.equal(existsSync(path.join(spare.home, 'cluster')), false);

  await admin.query(`alter system set synchronous_standby_names = 'ANY 2 (a, b, c)'`);
  await admin.query('select pg_reload_conf()');
  await until(async () => (await column(admin, 'show synchronous_standby_names'))[0] !== '');
  await assert.rejects(requireStandby(server.url('postgres'), 'second', true), /was not set here/);
  await admin.query('alter system reset synchronous_standby_names');
  await admin.query('select pg_reload_conf()');
  await until(async () => (await column(admin, 'show synchronous_standby_names'))[0] === '');

  await assert.rejects(requireStandby(server.url('postgres'), 'second', true), /nobody could write/);
  await follow(hospital);
  await assert.rejects(createStandby(settings, { ...wish, into: `${spare.home}/another` }), /There is a standby called "second"/);
  await assert.rejects(createStandby(settings, wish), /A server runs on/);
  const second = await acquireServer(spare);
  await assert.rejects(createStandby(spare, { ...wish, into: `${spare.home}/another` }), /is a standby itself/);
  await assert.rejects(statusOfStandbys(spare, limit), /is a standby itself/);
  await second.release();

  // Of a server of another machine one knows only what it answers.
  const file = path.join(spare.home, 'standby.json');
  const { primaryHome, ...note } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify(note));
  await assert.rejects(promoteStandby(settings, spare.home), /The primary runs/);
  await assert.rejects(promoteStandby(settings, spare.home, { primaryIsOff: true }), /The primary runs/);
  writeFileSync(file, JSON.stringify({ ...note, host: 'nowhere.invalid' }));
  await assert.rejects(promoteStandby(settings, spare.home), /Nobody can tell from here/);
  assert.equal((await promoteStandby(settings, spare.home, { primaryIsOff: true })).retired, false);
  assert.equal(existsSync(path.join(primaryHome, 'replaced')), false);
});

test('with a synchronous standby even two servers at once acknowledge no write that is lost, unless somebody cancels its wait', async (t) => {
  const hospital = await openEmpty(t);
  const { settings, server, spare, connect } = hospital;
  await follow(hospital, true);
  const owner = await connect(server.url('hospital_owner'));
  const admin = await connect(server.url('postgres'));
  await owner.query('create schema ledgers; create table ledgers.ledger (n integer primary key)');
  await owner.query('insert into ledgers.ledger values (1)');

  assert.equal((await promoteStandby(settings, spare.home, { whileThePrimaryRuns: true })).retired, false);
  const late = Promise.allSettled([owner.query('insert into ledgers.ledger values (2)')]);
  const waits = `select pid from pg_stat_activity where wait_event = 'SyncRep'`;
  await until(async () => (await column(admin, waits)).length === 1);
  const { problems, primary } = await statusOfStandbys(settings, limit);
  assert.equal(primary.waitingCommits, 1);
  assert.match(problems.map(({ problem }) => problem).join('\n'), /Nobody can write: commits wait for second, which is not connected/);
  // Ended, and not cancelled, a waiting commit is never acknowledged.
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`);
  const [outcome] = await late;
  assert.equal(outcome!.status, 'rejected');
  // Cancelled, it is: what the page warns of. Only the notice says that it is on one server alone.
  const careless = await connect(server.url('hospital_owner'));
  const warnings: string[] = [];
  careless.on('notice', ({ message }) => warnings.push(message ?? ''));
  const cancelled = Promise.allSettled([careless.query('insert into ledgers.ledger values (3)')]);
  await until(async () => (await column(admin, waits)).length === 1);
  await admin.query(`select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`);
  assert.equal((await cancelled)[0]!.status, 'fulfilled');
  assert.match(warnings.join(), /canceling wait for synchronous replication/);

  const second = await acquireServer(spare);
  hospital.later(() => second.release());
  const there = await connect(second.url('hospital_owner'));
  assert.deepEqual(await column(there, 'select n from ledgers.ledger'), [1]);
  await there.query('insert into ledgers.ledger values (2)');
});
