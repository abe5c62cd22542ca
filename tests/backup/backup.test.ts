import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBackup } from '../../tools/backup/create.ts';
import { loadDump } from '../../tools/backup/dump.ts';
import { takeSnapshot } from '../../tools/backup/facts.ts';
import { findBackup, finishBackup, listBackups, openRepository } from '../../tools/backup/repository.ts';
import { restore } from '../../tools/backup/restore-command.ts';
import { verifyBackup } from '../../tools/backup/verify.ts';
import { practise } from '../../tools/commands/backup/drill.ts';
import { dump } from '../../tools/commands/backup/dump.ts';
import { prune } from '../../tools/commands/backup/prune.ts';
import { receiveOnce } from '../../tools/commands/backup/receive.ts';
import { verify } from '../../tools/commands/backup/verify.ts';
import { ask, withClient } from '../../tools/database.ts';
import { projectFolder, type Settings } from '../../tools/settings.ts';
import { acquireServer } from '../support/cluster.ts';
import { hospital, makeHospital, now, query, withRepository } from './hospital.ts';

describe('backups of a cluster', () => {
  before(async () => {
    await makeHospital();
    await query(hospital, 'create table ops.ledger as select n from generate_series(1, 1000) as n');
  });

  async function backUp(settings: Settings): Promise<string> {
    const server = await acquireServer(settings);
    try {
      return (await createBackup(server, settings.database, openRepository(settings.backup))).name;
    } finally {
      await server.release();
    }
  }

  test('a restored backup has every row and every rule, its audit holds, and somebody logs in', async (t) => {
    const settings = withRepository(t, hospital, true);
    const name = await backUp(settings);
    assert.deepEqual(await verify(settings), []);
    const found = await practise(settings, {});
    const states = Object.fromEntries(found.checks.map((check) => [check.name, [check.passed, check.found]]));
    assert.ok(found.passed, JSON.stringify(states));
    assert.equal(found.backup, name);
    for (const check of ['rows', 'catalogue', 'constraints', 'indexes', 'audit', 'sequences', 'login']) {
      assert.equal(states[check]?.[0], true, `${check}: ${states[check]?.[1]}`);
    }
    // In the repository, which is there when the database is not, and in the database.
    const { drills } = openRepository(settings.backup);
    assert.equal((JSON.parse(readFileSync(drills, 'utf8')) as typeof found).backup, name);
    assert.deepEqual(await query(settings, `select passed from ops.backup_drills where backup = '${name}'`), [[true]]);
    assert.ok(!readdirSync(settings.home).some((file) => file.startsWith('drill')), 'the scratch cluster is gone');
  });

  test('a dropped table is back as of the moment before, and nothing is replaced by accident', async (t) => {
    const settings = withRepository(t, hospital);
    // From here on the server keeps its log until the repository has it.
    await receiveOnce(settings);
    await backUp(settings);
    await query(settings, 'create table ops.precious as select n from generate_series(1, 5000) as n');
    const before = await now(settings);
    await sleep(50);
    await query(settings, 'drop table ops.precious');
    await query(settings, 'create table ops.later ()');
    await receiveOnce(settings);
    assert.deepEqual(await verify(settings), []);

    const asked = { target: new Date(before), erase: true };
    const server = await acquireServer(settings);
    await assert.rejects(restore(settings, asked), /A server runs on/);
    await server.release();
    await assert.rejects(restore(settings, { ...asked, erase: false }), /is not empty/);
    await assert.rejects(restore(settings, { ...asked, target: new Date('2020-01-01T00:00:00Z') }), /No backup had ended by/);
    await assert.rejects(restore(settings, { ...asked, target: new Date('2199-01-01T00:00:00Z') }), /The log ends before that time/);
    assert.deepEqual(await query(settings, `select to_regclass('ops.precious')`), [[null]], 'nothing has changed yet');

    // Whom the hospital erased is in the journal, and not in this hospital.
    const entry = { erasedAt: '2026-01-05T10:00:00Z', isComplete: true, reason: 'person_asked', recordUuids: ['5f0c1b0a-0000-4000-8000-000000000000'] };
    writeFileSync(path.join(settings.home, 'erasures.jsonl'), `${JSON.stringify(entry)}\n`);
    const outcome = await restore(settings, asked);
    assert.match(outcome.erasures, /0 erased again, 0 were, 1 not here/);
    assert.equal(outcome.aside && existsSync(path.join(outcome.aside, 'PG_VERSION')), true, 'what was there is set aside');
    assert.deepEqual(await query(settings, `select count(*)::integer, to_regclass('ops.later') from ops.precious`), [[5000, null]]);
    // The restored server goes on, on a timeline of its own.
    await receiveOnce(settings);
    assert.ok(existsSync(path.join(settings.backup.repository, 'wal', '00000002', '00000002.history.zst')));
  });

  test('four flipped bytes anywhere are found and named, and are not restored', async (t) => {
    for (const isEncrypted of [false, true]) {
      const settings = withRepository(t, hospital, isEncrypted);
      const repository = openRepository(settings.backup);
      const backup = await findBackup(repository, await backUp(settings));
      for (const { file } of backup.archives) {
        const stored = path.join(repository.backups, backup.name, file);
        const whole = readFileSync(stored);
        for (const share of [0.001, 0.4, 0.9999]) {
          const damaged = Buffer.from(whole);
          const at = Math.min(Math.floor(share * whole.length), whole.length - 4);
          for (let n = 0; n < 4; n += 1) damaged[at + n]! ^= 0xff;
          writeFileSync(stored, damaged);
          const [finding] = await verifyBackup(repository, backup);
          assert.ok(finding, `${file} at ${at} of ${whole.length}`);
          assert.ok(finding.file.includes(file.split('.')[0]!), `${finding.file} is named`);
        }
        if (file.startsWith('base')) {
          writeFileSync(stored, flip(whole, Math.floor(whole.length / 2)));
          const into = path.join(settings.backup.repository, 'restored');
          await assert.rejects(restore(settings, { target: 'backup', into, erase: false }));
          assert.deepEqual(globSync(`${into}*`), [], 'a restore that failed leaves nothing');
        }
        writeFileSync(stored, whole.subarray(0, -1));
        assert.notDeepEqual(await verifyBackup(repository, backup), [], `${file} with its last byte cut off`);
        writeFileSync(stored, whole);
      }
      assert.deepEqual(await verifyBackup(repository, backup), []);
    }
  });

  test('a changed manifest is damaged; another key, and another cluster, are told from damage', async (t) => {
    const settings = withRepository(t, hospital, true);
    const repository = openRepository(settings.backup);
    const name = await backUp(settings);
    const other = withRepository(t, hospital, true).backup.keyFile!;
    for (const [keyFile, problem] of [[other, /encrypted with another key/], [undefined, /encrypted with a key, and none is set/]] as const) {
      const { keyFile: _, ...rest } = settings.backup;
      const locked = { ...settings, backup: { ...rest, ...(keyFile && { keyFile }) } };
      await assert.rejects(findBackup(openRepository(locked.backup), name), problem);
      await assert.rejects(restore(locked, { name, target: 'backup', into: path.join(repository.folder, 'restored'), erase: false }), problem);
    }
    const draft = path.join(repository.backups, '.other');
    mkdirSync(draft);
    await finishBackup(repository, draft, { ...(await findBackup(repository, name)), name: 'other', systemIdentifier: '1' });
    await assert.rejects(backUp(settings), /holds backups of another cluster, such as other/);
    rmSync(path.join(repository.backups, 'other'), { recursive: true });
    const file = path.join(repository.backups, name, 'manifest.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"ops.ledger"', '"ops.lodger"'));
    const [finding] = await verify(settings);
    assert.match(`${finding?.file} ${finding?.problem}`, /manifest\.json .*is damaged: it is not what was written/);
  });

  test('a missing or damaged segment of the log is named, and recovery does not take it for the end', async (t) => {
    const settings = withRepository(t, hospital);
    await backUp(settings);
    await query(settings, `select count(*) from (select pg_logical_emit_message(false, 'test', repeat('x', 1000000)) from generate_series(1, 50)) as x`);
    await receiveOnce(settings);
    const log = path.join(settings.backup.repository, 'wal');
    const [second = '', third = ''] = globSync('*/*.zst', { cwd: log }).filter((file) => !file.includes('history')).sort().slice(-3);
    const name = path.basename(second, '.zst');
    renameSync(path.join(log, second), path.join(settings.backup.repository, 'taken'));
    const into = path.join(settings.backup.repository, 'restored');
    const [finding] = await verify(settings);
    assert.match(`${finding?.file} ${finding?.problem}`, new RegExp(`${name} is missing`));
    await assert.rejects(restore(settings, { target: 'latest', into, erase: false }), new RegExp(`${name}: it is missing`));
    renameSync(path.join(settings.backup.repository, 'taken'), path.join(log, second));
    assert.deepEqual(await verify(settings), []);

    const whole = readFileSync(path.join(log, third));
    writeFileSync(path.join(log, third), flip(whole, Math.floor(whole.length / 2)));
    const damaged = await verify(settings);
    assert.deepEqual(damaged.map(({ file }) => path.basename(file)), [path.basename(third, '.zst')]);
    // One put in another's place.
    cpSync(path.join(log, second), path.join(log, third));
    assert.match((await verify(settings))[0]!.problem, /is another segment than its name says/);
  });

  test('a backup that is killed is none, and the next one sweeps it away', async (t) => {
    const settings = withRepository(t, hospital);
    const { backups } = openRepository(settings.backup);
    const server = await acquireServer(settings);
    const drafts = (): string[] => readdirSync(backups).filter((name) => name.startsWith('.'));
    await killWhen(t, settings, () => drafts().length > 0);
    assert.equal(drafts().length, 1, 'it was killed in the middle');
    assert.deepEqual((await listBackups(openRepository(settings.backup))).backups, []);
    await backUp(settings);
    assert.deepEqual(drafts(), []);
    await server.release();
  });

  test('of two backups at once one waits, and neither is pruned while the newest is not good', async (t) => {
    const settings = withRepository(t, hospital);
    const [older = '', newer = ''] = (await Promise.all([backUp(settings), backUp(settings)])).sort();
    assert.notEqual(older, newer);
    const keep = { daily: 1, weekly: 0, monthly: 0 };
    assert.deepEqual(await prune(settings, keep, false), { backups: [older], segments: [] });
    const [stored = ''] = globSync(path.join(settings.backup.repository, 'backups', newer, 'base.*'));
    const whole = readFileSync(stored);
    writeFileSync(stored, flip(whole, 1000));
    await assert.rejects(prune(settings, keep, true), /Nothing was removed/);
    writeFileSync(stored, whole);
    await prune(settings, keep, true);
    assert.deepEqual(readdirSync(path.join(settings.backup.repository, 'backups')), [newer]);
  });

  test('a dump by the program from npm brings the same rows and rules into an empty database', async (t) => {
    const { backup } = withRepository(t, hospital);
    const file = `${backup.repository}.sql`;
    await dump(hospital, file, true);
    await assert.rejects(dump(hospital, file, true), /is there already/);
    const server = await acquireServer(hospital);
    try {
      await withClient(server.url('postgres'), (client) => client.query('create database copy owner hospital_owner'));
      await loadDump(server, 'copy', file);
      await assert.rejects(loadDump(server, 'copy', file), /is not empty/);
      const [one, other] = [await takeSnapshot(server.url('hospital_backup')), await takeSnapshot(server.url('hospital_backup', 'copy'))];
      assert.deepEqual(other.rows, one.rows);
      // PostgreSQL writes "a and (b and c)" of a check, a trigger or a view without its brackets.
      for (const kind of ['columns', 'functions', 'indexes', 'policies']) {
        assert.equal(other.catalogue[kind], one.catalogue[kind], kind);
      }
      assert.deepEqual(await viewsOf(server.url('hospital_owner', 'copy')), await viewsOf(server.url('hospital_owner')));
    } finally {
      await server.release();
    }
  });
});

/** What each view asks, without brackets and spaces, nor the names that columns of a union are given when they are written down. */
async function viewsOf(url: string): Promise<unknown[][]> {
  const sql = `select c.oid::regclass::text, regexp_replace(pg_get_viewdef(c.oid), ' AS text\\M|[()[:space:]]', '', 'g')
    from pg_class as c
    where c.relkind in ('v', 'm') and c.relnamespace::regnamespace::text !~ '^pg_|^information_schema'
    order by 1`;
  return withClient(url, async (client) => (await ask(client, sql)).rows);
}

/** Starts a backup in a process of its own and kills that at some moment. */
async function killWhen(t: TestContext, settings: Settings, isTime: () => boolean): Promise<void> {
  const child = spawn(process.execPath, [path.join(projectFolder, 'tools', 'infirmary.mjs'), 'backup', 'create'], {
    env: { ...process.env, INFIRMARY_HOME: settings.home, BACKUP_REPOSITORY: settings.backup.repository },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  while (!isTime()) {
    assert.equal(child.exitCode, null, 'it ended before its time');
    await sleep(1);
  }
  child.kill('SIGKILL');
  await ended;
}

function flip(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  for (let n = 0; n < 4; n += 1) flipped[at + n]! ^= 0xff;
  return flipped;
}
