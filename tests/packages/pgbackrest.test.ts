import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseAccount, giveTo, runAs } from '../../tools/cluster/account.ts';
import { freePort } from '../../tools/cluster/cluster.ts';
import { check as checkSequences } from '../../tools/commands/sequences.ts';
import { ask, withClient } from '../../tools/database.ts';
import { projectFolder, readSettings } from '../../tools/settings.ts';
import { makeHospital } from '../backup/hospital.ts';
import { valueOf } from '../support/cluster.ts';

const binaries = '/usr/lib/postgresql/15/bin';

describe('pgBackRest, as backups/pgbackrest.conf sets it up', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'infirmary-pgbackrest-'));
  const within = (name: string): string => path.join(folder, name);
  const [data, configuration] = [within('data'), within('pgbackrest.conf')];
  const password = randomBytes(12).toString('hex');
  let port = 0;
  let account: ReturnType<typeof chooseAccount>;

  const run = (program: string, ...args: string[]): ReturnType<typeof runAs> => runAs(account, program, args);
  const say = async (program: string, ...args: string[]): Promise<string> => {
    const { code, output } = await run(program, ...args);
    assert.equal(code, 0, `${program} ${args.join(' ')}\n${output}`);
    return output;
  };
  const ofHospital = [`--config=${configuration}`, '--stanza=hospital'];
  const pgbackrest = (...args: string[]): Promise<string> => say('pgbackrest', ...ofHospital, ...args);
  const url = (role: string, database = 'hospital'): string => `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
  const query = (sql: string): Promise<unknown> => valueOf(url('postgres'), sql);
  const start = (): Promise<string> => say(`${binaries}/pg_ctl`, '-D', data, '-l', within('server.log'), '-w', '-t', '600', 'start');
  const stop = (): Promise<string> => say(`${binaries}/pg_ctl`, '-D', data, '-m', 'fast', '-w', '-t', '600', 'stop');
  const backups = async (): Promise<{ label: string; type: string }[]> =>
    (JSON.parse(await pgbackrest('info', '--output=json')) as { backup: { label: string; type: string }[] }[])[0]!.backup;
  const backUp = async (type: string, ...more: string[]): Promise<string> => {
    await pgbackrest(`--type=${type}`, ...more, 'backup');
    return (await backups()).at(-1)!.label;
  };

  before(async () => {
    chmodSync(folder, 0o711);
    account = chooseAccount(folder, folder, `${binaries}/initdb`);
    port = await freePort(0);
    for (const each of ['repository', 'spool', 'log', 'lock', 'sockets']) mkdirSync(within(each), { mode: 0o700 });
    const example = readFileSync(path.join(projectFolder, 'backups', 'pgbackrest.conf'), 'utf8')
      .replace('/var/lib/pgbackrest', within('repository'))
      .replace('/var/spool/pgbackrest', within('spool'))
      .replace('/var/log/pgbackrest', `${within('log')}\nlock-path=${within('lock')}`)
      .replace('/var/lib/postgresql/15/main', data)
      .replace('5432', `${port}`)
      .replace('/var/run/postgresql', `${within('sockets')}\npg1-user=postgres`)
      .replace('repo1-cipher-pass=', `repo1-cipher-pass=${randomBytes(48).toString('base64')}`);
    assert.doesNotMatch(example, /\/var\//);
    writeFileSync(configuration, example, { mode: 0o600 });
    giveTo(account, folder);
    await say(`${binaries}/initdb`, '-D', data, '-U', 'postgres', '--auth-local=trust', '--auth-host=scram-sha-256', '-E', 'UTF8', '--data-checksums', '--no-sync');
    const settings = [
      ...[`port = ${port}`, `listen_addresses = '127.0.0.1'`, `unix_socket_directories = '${within('sockets')}'`, 'shared_buffers = 64MB'],
      ...['wal_level = logical', 'archive_mode = on', `archive_command = 'pgbackrest ${ofHospital.join(' ')} archive-push %p'`],
      `infirmary.audit_key = '${randomBytes(32).toString('hex')}'`,
    ];
    writeFileSync(path.join(data, 'postgresql.conf'), `${settings.join('\n')}\n`, { flag: 'a' });
    await start();
    await say(`${binaries}/psql`, '-h', within('sockets'), '-p', `${port}`, '-U', 'postgres', '-qc', `alter role postgres password '${password}'`);
    await pgbackrest('stanza-create');
    await pgbackrest('check');
    await makeHospital(
      readSettings({
        INFIRMARY_HOME: within('home'),
        DATABASE_ADMIN_URL: url('postgres', 'postgres'),
        DATABASE_URL: url('hospital_owner'),
      }),
    );
  });

  after(async () => {
    await run(`${binaries}/pg_ctl`, '-D', data, '-m', 'immediate', '-w', 'stop');
    rmSync(folder, { recursive: true, force: true });
  });

  test('a dropped table is back as of the moment before, from a full, a differential and an incremental backup', async () => {
    await backUp('full');
    await query(`create table ops.precious as select n from generate_series(1, 1000) as n`);
    await query(`insert into hospital.patients (given_name, family_name, date_of_birth, sex) values ('Pat', 'Precious', '1980-02-29', 'female')`);
    await backUp('diff');
    await query(`insert into ops.precious values (1001)`);
    await backUp('incr');
    assert.deepEqual((await backups()).slice(-3).map(({ type }) => type), ['full', 'diff', 'incr']);
    await query(`insert into ops.precious values (1002)`);
    const moment = await query(`select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US+00')`);
    await sleep(50);
    await query('drop table ops.precious');
    // The end of the log is archived while the server stops.
    await stop();
    await pgbackrest('--delta', '--type=time', `--target=${String(moment)}`, '--target-action=promote', 'restore');
    await start();
    while (await query('select pg_is_in_recovery()')) await sleep(50);

    assert.equal(await query('select count(*)::integer from ops.precious'), 1002);
    // What a drill looks at, said to the restored server.
    const owner = url('hospital_owner');
    await withClient(url('postgres'), (client) => client.query('alter role hospital_owner password ' + client.escapeLiteral(password)));
    assert.deepEqual((await withClient(owner, (client) => ask(client, `select * from audit.verify('[]')`))).rows, []);
    assert.ok((await checkSequences(owner)).every(({ isBehind }) => !isBehind));
    await withClient(owner, async (client) => {
      const { count } = await ask(client, `update hospital.patients set given_name = 'Patricia' where family_name = 'Precious'`);
      assert.equal(count, 1, 'the audit has its key');
    });
  });

  test('flipped bytes are found by verify, which says so and exits with 0 all the same', async () => {
    const label = await backUp('full');
    // What cannot be decompressed it would try again after 15 s.
    const verify = (): Promise<string> => pgbackrest('--job-retry=0', '--output=text', '--verbose', 'verify');
    assert.match(await verify(), /^status: ok$/m);
    for (const place of [`backup/hospital/${label}/bundle/*`, `backup/hospital/${label}/pg_data/base/*/1255.zst`, 'archive/hospital/*/*/*.zst']) {
      const [file] = globSync(path.join(within('repository'), place)).sort();
      assert.ok(file, place);
      const whole = readFileSync(file);
      const damaged = Buffer.from(whole);
      for (let n = 0; n < 4; n += 1) damaged[Math.floor(whole.length / 2) + n]! ^= 0xff;
      writeFileSync(file, damaged);
      assert.match(await verify(), /^status: error$/m, place);
      writeFileSync(file, whole);
    }
    assert.match(await verify(), /^status: ok$/m);
  });

  test('a missing segment of the log is not found by verify; a server that is restored without it does not start', async () => {
    const label = await backUp('full');
    const manifest = (JSON.parse(await pgbackrest('info', `--set=${label}`, '--output=json')) as { backup: { archive: { start: string } }[] }[])[0];
    const [segment] = globSync(path.join(within('repository'), 'archive/hospital/*/*', `${manifest!.backup[0]!.archive.start}-*`));
    assert.ok(segment);
    renameSync(segment, within('taken'));
    assert.match(await pgbackrest('--output=text', '--verbose', 'verify'), /^status: ok$/m);
    const restored = within('restored');
    await pgbackrest(`--pg1-path=${restored}`, `--set=${label}`, '--type=default', '--archive-mode=off', 'restore');
    const other = `-p ${await freePort(0)} -k ${within('lock')}`;
    const { code } = await run(`${binaries}/pg_ctl`, '-D', restored, '-l', within('restored.log'), '-o', other, '-w', '-t', '600', 'start');
    assert.notEqual(code, 0);
    assert.match(readFileSync(within('restored.log'), 'utf8'), /could not locate required checkpoint record|WAL ends before end of online backup/);
    renameSync(within('taken'), segment);
  });

  test('retention keeps as many full backups as it says, and nothing is restored without the key', async () => {
    await backUp('full');
    const newest = await backUp('full', '--repo1-retention-full=1');
    assert.deepEqual((await backups()).map(({ label }) => label), [newest]);
    const locked = within('locked.conf');
    writeFileSync(locked, readFileSync(configuration, 'utf8').replace(/^repo1-cipher-pass=.*$/m, 'repo1-cipher-pass=another'), { mode: 0o600 });
    giveTo(account, locked);
    const { code, output } = await run('pgbackrest', `--config=${locked}`, '--stanza=hospital', `--pg1-path=${within('nothing')}`, 'restore');
    assert.notEqual(code, 0);
    assert.match(output, /unable to load info file/);
  });
});
