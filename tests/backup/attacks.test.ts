import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBackup } from '../../tools/backup/create.ts';
import { backUpNightly } from '../../tools/backup/nightly.ts';
import { superfluous } from '../../tools/backup/prune.ts';
import { findBackup, finishBackup, listBackups, type Manifest, openRepository } from '../../tools/backup/repository.ts';
import { restore } from '../../tools/backup/restore-command.ts';
import { unpack } from '../../tools/backup/tar.ts';
import { chooseAccount, giveTo } from '../../tools/cluster/account.ts';
import { findBinaries } from '../../tools/cluster/binaries.ts';
import { openHome } from '../../tools/cluster/home.ts';
import { findPostmaster } from '../../tools/cluster/postmaster.ts';
import { passwordsOf } from '../../tools/cluster/server.ts';
import { verify } from '../../tools/commands/backup/verify.ts';
import { ask, withClient } from '../../tools/database.ts';
import { applyRoles } from '../../tools/migrate/roles.ts';
import { projectFolder, type Settings } from '../../tools/settings.ts';
import { acquireServer, makeSettings } from '../support/cluster.ts';
import { withRepository } from './hospital.ts';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-attack-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An archive of the entries given, with right checksums: only its names are meant ill. */
async function* archive(...entries: { name: string; type?: '0' | '2' | '5'; text?: string; target?: string }[]): AsyncGenerator<Buffer> {
  for (const { name, type = '0', text = '', target = '' } of entries) {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000600\0', 100);
    header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write(type, 156);
    header.write(target, 157);
    const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    yield header;
    yield Buffer.concat([Buffer.from(text), Buffer.alloc((512 - (text.length % 512)) % 512)]);
  }
  yield Buffer.alloc(1024);
}

test('an archive writes nothing outside of its folder, through no link and over no file', async (t) => {
  const folder = temporaryFolder(t);
  const [outside, into] = [path.join(folder, 'outside'), path.join(folder, 'into')];
  for (const each of [outside, into]) mkdirSync(each);
  writeFileSync(path.join(outside, 'kept'), 'as it was');
  const attacks = [
    archive({ name: '../outside/kept', text: 'x' }),
    archive({ name: `${outside}/kept`, text: 'x' }),
    archive({ name: 'a/../../outside/kept', text: 'x' }),
    archive({ name: 'door', type: '2', target: outside }, { name: 'door/kept', text: 'x' }),
    archive({ name: 'deep', type: '5' }, { name: 'deep/door', type: '2', target: outside }, { name: 'deep/door/new/kept', text: 'x' }),
    archive({ name: 'window', type: '2', target: path.join(outside, 'kept') }, { name: 'window', text: 'x' }),
    archive({ name: 'same', text: 'one' }, { name: 'same', text: 'other' }),
  ];
  for (const attack of attacks) {
    await assert.rejects(unpack(attack, into));
    assert.equal(readFileSync(path.join(outside, 'kept'), 'utf8'), 'as it was');
    assert.ok(!existsSync(path.join(outside, 'new')));
  }
});

describe('of a small cluster', () => {
  // It has no hospital: what is tried here concerns files.
  const settings: Settings = { ...makeSettings({ after } as unknown as TestContext), database: 'postgres' };

  async function run(sql: string, of = settings): Promise<unknown[][]> {
    const server = await acquireServer(of);
    try {
      return await withClient(server.url('postgres'), async (client) => (await ask(client, sql)).rows);
    } finally {
      await server.release();
    }
  }

  async function backUp(own: Settings): Promise<Manifest> {
    const server = await acquireServer(own);
    try {
      return await createBackup(server, 'postgres', openRepository(own.backup));
    } finally {
      await server.release();
    }
  }

  /** Another backup of that content, whose manifest says something else. */
  async function forge(own: Settings, backup: Manifest, changes: Partial<Manifest>): Promise<Manifest> {
    const repository = openRepository(own.backup);
    const forged = { ...backup, name: `${backup.name}-${Object.keys(changes).join('-')}`, ...changes };
    const draft = path.join(repository.backups, `.${forged.name}`);
    mkdirSync(draft);
    await finishBackup(repository, draft, forged);
    return forged;
  }

  before(async () => {
    const server = await acquireServer(settings);
    await applyRoles(server.url('postgres'), passwordsOf(server));
    await server.release();
    await run('create table ledger as select n from generate_series(1, 1000) as n');
  });

  test('a manifest that names files elsewhere, another name, or another version, restores nothing', async (t) => {
    const own = withRepository(t, settings);
    const repository = openRepository(own.backup);
    const backup = await backUp(own);
    const into = path.join(repository.folder, 'restored');
    const [base, ...others] = backup.archives;
    for (const file of ['../../../etc/passwd', '../../wal/x.tar.zst', '/etc/passwd', '.tar.zst', '../base.tar.zst']) {
      const { name } = await forge(own, backup, { archives: [{ ...base!, file }, ...others], name: 'forged' });
      await assert.rejects(findBackup(repository, name), /manifest\.json is damaged/, file);
      await assert.rejects(restore(own, { name, target: 'backup', into, erase: false }), /is damaged/, file);
      rmSync(path.join(repository.backups, name), { recursive: true });
    }
    for (const name of ['../backups', `../backups/${backup.name}`, '.', '..', '/etc', '']) {
      await assert.rejects(findBackup(repository, name), /There is no backup/, name);
    }
    renameSync(path.join(repository.backups, backup.name), path.join(repository.backups, 'renamed'));
    assert.match((await verify(own))[0]!.problem, /is damaged/);
    renameSync(path.join(repository.backups, 'renamed'), path.join(repository.backups, backup.name));
    const { name } = await forge(own, backup, { version: 14 });
    await assert.rejects(restore(own, { name, target: 'backup', into, erase: false }), /of PostgreSQL 14, and these programs are PostgreSQL 1\d/);
    for (const each of [into, `${into}.restoring`]) assert.ok(!existsSync(each));
  });

  test('a repository that was copied by halves says what is missing, and one moved by a link is whole', async (t) => {
    const own = withRepository(t, settings);
    const repository = openRepository(own.backup);
    const backup = await backUp(own);
    const folder = path.join(repository.backups, backup.name);
    const elsewhere = path.join(repository.folder, 'elsewhere');
    renameSync(folder, elsewhere);
    symlinkSync(elsewhere, folder);
    assert.deepEqual(await verify(own), []);
    for (const file of ['base.tar.zst', 'backup_manifest.zst', 'manifest.json']) {
      renameSync(path.join(folder, file), path.join(repository.folder, file));
      const [finding] = await verify(own);
      assert.match(`${finding?.file} ${finding?.problem}`, new RegExp(`${file.split('.')[0]}.*(ENOENT|no such file)`));
      renameSync(path.join(repository.folder, file), path.join(folder, file));
    }
    truncateSync(path.join(folder, 'base.tar.zst'), 100_000);
    assert.match((await verify(own))[0]!.problem, /cannot be read/);
  });

  test('the newest backup is the furthest in the log, whatever a clock said', async (t) => {
    const own = withRepository(t, settings);
    const first = await backUp(own);
    await run('select pg_switch_wal()');
    const second = await backUp(own);
    const repository = openRepository(own.backup);
    // Made when the clock was a year fast, before it was set right.
    const fast = await forge(own, first, { name: '20991125T000000Z', finishedAt: '2099-11-25T00:00:00.000Z' });
    const { backups } = await listBackups(repository);
    assert.equal(backups.at(-1)?.name, second.name);
    assert.equal((await findBackup(repository)).name, second.name);
    assert.ok(!superfluous(backups, { daily: 1, weekly: 0, monthly: 0 }).some(({ name }) => name === second.name));
    rmSync(path.join(repository.backups, first.name), { recursive: true });
    rmSync(path.join(repository.backups, second.name), { recursive: true });
    // What is of the future is not of this night.
    assert.equal(await backUpNightly(own), 1);
    assert.ok((await listBackups(repository)).backups.length >= 1);
    assert.notEqual((await findBackup(repository)).name, fast.name);
  });

  test('the worker and a clock may both ask for the backup of the night: one is made', async (t) => {
    const own = withRepository(t, settings);
    const made = await Promise.all([backUpNightly(own), backUpNightly(own), backUpNightly(own)]);
    assert.deepEqual(made.toSorted(), [0, 0, 1]);
    assert.equal((await listBackups(openRepository(own.backup))).backups.length, 1);
  });

  test('a server that lets nobody replicate says what to change, and nothing is written', async (t) => {
    const own = withRepository(t, settings);
    const { backups } = openRepository(own.backup);
    for (const [change, back, problem] of [
      ['alter role hospital_backup noreplication', 'alter role hospital_backup replication', /"hospital_backup" may not replicate/],
      [`alter role hospital_backup password 'other'`, undefined, /does not know "hospital_backup" by that password/],
    ] as const) {
      await run(change);
      await assert.rejects(backUp(own), problem).finally(() => back && run(back));
      assert.deepEqual(readdirSync(backups), []);
    }
    const server = await acquireServer(settings);
    await applyRoles(server.url('postgres'), passwordsOf(server)).finally(() => server.release());
    await backUp(own);
  });

  test('a tablespace is restored beside the data, and never where the server may still use it', async (t) => {
    const own = withRepository(t, settings);
    const folder = temporaryFolder(t);
    const place = path.join(folder, 'space');
    mkdirSync(place, { mode: 0o700 });
    const { folder: home, data } = openHome(own.home);
    const account = chooseAccount(home, data, findBinaries(own.pgBinDir).initdb);
    for (const each of [folder, place]) giveTo(account, each);
    await run(`create tablespace beside location '${place}'`);
    await run('create table apart tablespace beside as select n from generate_series(1, 1000) as n');
    t.after(async () => {
      await run('drop table apart');
      await run('drop tablespace beside');
    });
    const [[file] = []] = await run(`select pg_relation_filepath('apart')`);
    const { name } = await backUp(own);
    assert.deepEqual(await verify(own), []);
    const into = path.join(path.dirname(own.backup.repository), 'restored');
    chmodSync(path.dirname(into), 0o711);
    await restore(own, { name, target: 'backup', into, erase: false });
    const [, oid, ...rest] = String(file).split('/');
    assert.ok(existsSync(path.join(`${into}.tablespaces`, oid!, ...rest)));
    assert.equal(readlinkSync(path.join(into, 'pg_tblspc', oid!)), path.join(`${into}.tablespaces`, oid!));
    await assert.rejects(restore(own, { name, target: 'backup', into, erase: true }), /\.tablespaces is in the way/);
  });

  test('a restore that is killed leaves what was there, and its own server is never restored upon', async (t) => {
    const own = withRepository(t, settings);
    const { name } = await backUp(own);
    await run('insert into ledger values (1001)');
    const { data } = openHome(own.home);
    const draft = `${data}.restoring`;
    const leftover = (): number | undefined => findPostmaster({ ...openHome(own.home), data: draft })?.pid;
    t.after(() => {
      const pid = leftover();
      if (pid) process.kill(pid, 'SIGKILL');
    });
    const child = spawn(process.execPath, [path.join(projectFolder, 'tools', 'infirmary.mjs'), 'backup', 'restore', '--erase'], {
      env: { ...process.env, INFIRMARY_HOME: own.home, BACKUP_REPOSITORY: own.backup.repository },
      stdio: 'ignore',
    });
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    while (leftover() === undefined && child.exitCode === null) await sleep(1);
    child.kill('SIGKILL');
    await ended;
    const pid = leftover();
    assert.ok(pid, 'its server was started, and runs on');
    await assert.rejects(restore(own, { target: 'backup', erase: true }), /A server runs on .*\.restoring \(process \d+\)/);
    process.kill(pid, 'SIGKILL');
    while (leftover() !== undefined) await sleep(20);
    assert.deepEqual(await run('select count(*)::integer from ledger'), [[1001]], 'what was there is as it was');
    const outcome = await restore(own, { target: 'backup', erase: true });
    assert.equal(outcome.backup, name);
    assert.deepEqual(await run('select count(*)::integer from ledger'), [[1000]]);
  });
});
