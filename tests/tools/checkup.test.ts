import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { judgeCatalogue, lookAtCatalogue } from '../../tools/checkup/catalogue.ts';
import { ask, type Check, type Finding, inSql, readQuery } from '../../tools/checkup/check.ts';
import { checksTable, checkUp, type Checkup, lookAround } from '../../tools/checkup/checkup.ts';
import { checks } from '../../tools/checkup/checks.ts';
import { judgeClock, lookAtClock } from '../../tools/checkup/clock.ts';
import { judgeRoom, lookAtKeys, lookAtRoom, lookAtSecrets } from '../../tools/checkup/files.ts';
import { judgeRuns, lookForOverdueJobs, periodOf } from '../../tools/checkup/jobs.ts';
import { judgeMigrations, lookAtMigrations } from '../../tools/checkup/migrations.ts';
import { lookAtPolicies, readPolicies, statedPolicies } from '../../tools/checkup/policies.ts';
import { lookForSequencesBehind } from '../../tools/checkup/sequences.ts';
import {
  judgeChecksums,
  judgeSettings,
  judgeWire,
  leaking,
  lookForLeaks,
  lookForLoss,
  losing,
} from '../../tools/checkup/server-settings.ts';
import { judgeVersion } from '../../tools/checkup/server-version.ts';
import { configure, measureMachine } from '../../tools/cluster/configuration.ts';
import { readSecrets } from '../../tools/cluster/secrets.ts';
import { UsageError } from '../../tools/failure.ts';
import { readCatalogue } from '../../tools/migrate/catalogue.ts';
import { verify } from '../../tools/migrate/verify.ts';
import { projectFolder, readSettings } from '../../tools/settings.ts';
import { jobs } from '../../tools/worker/jobs.ts';
import { cloneDatabase, type TestDatabase, testServer } from '../support/database.ts';
import { testSettings } from '../support/server.ts';
import { type Fault, faults } from './checkup-faults.ts';

const elsewhere = { url: () => 'postgres://hospital_monitor@192.0.2.1/hospital' };

const all: Check[] = Object.values(checks).flat();

/** Those that are told by TypeScript; each has a test of its own below. */
const inTypeScript = [
  'server-version',
  'settings-that-lose-data',
  'settings-that-leak-data',
  'clock-of-the-server',
  'sequences-behind',
  'disk-nearly-full',
  'policies-that-differ',
  'catalogue-that-differs',
  'secrets-readable',
  'keys-weak',
  'migrations-that-differ',
  'jobs-overdue',
];

/** What is of the whole cluster or machine, which other tests change at the same time. */
const shared = [
  'connections-near-their-limit',
  'clock-of-a-standby',
  'transaction-age',
  'transactions-left-open',
  'transactions-prepared',
  'disk-nearly-full',
  'roles-above-the-rules',
  'roles-with-too-much',
  'passwords-as-md5',
  'archiver-failing',
  'slots-forgotten',
];

describe('infirmary checkup', { concurrency: 1 }, () => {
  let database: TestDatabase;
  let admin: Client;
  let monitor: Client;
  const settings = testSettings();

  before(async () => {
    database = await cloneDatabase({ seeded: true });
    admin = new Client({ connectionString: database.url('postgres') });
    monitor = new Client({ connectionString: database.url('hospital_monitor') });
    for (const client of [admin, monitor]) {
      await client.connect();
      await client.query(`select set_config('search_path', '', false)`);
    }
  });
  after(async () => {
    await admin.end();
    await monitor.end();
    await database.drop();
  });

  /** Breaks something, looks, and undoes it: only within this transaction is anything ever wrong. */
  const within = async (work: () => Promise<void>): Promise<void> => {
    await admin.query('begin');
    try {
      await work();
    } finally {
      await admin.query('rollback');
    }
  };

  /** Asks as the role that the check reads as. */
  const asReader = async (check: Check, { instead = [] }: Fault): Promise<Finding[]> => {
    let query = await readQuery(check.name);
    for (const [text, by] of instead) {
      assert.ok(query.includes(text), `${check.name} no longer says ${text}`);
      query = query.replace(text, by);
    }
    if (check.reads === 'monitor') await admin.query('set local role hospital_monitor');
    const found = await ask(admin, query);
    await admin.query('reset role');
    return found;
  };

  test('every check has a fault that it must see', () => {
    const others = [...inTypeScript, 'transactions-left-open'];
    assert.deepEqual([...Object.keys(faults), ...others].sort(), all.map(({ name }) => name).sort());
  });

  for (const [name, fault] of Object.entries(faults)) {
    test(`sees its fault and names the remedy: ${name}`, () =>
      within(async () => {
        const check = all.find((each) => each.name === name)!;
        const names = ({ problem }: Finding): boolean => fault.problem.test(problem);
        const before = await asReader(check, { ...fault, instead: [] });
        assert.ok(fault.already || !before.some(names), 'nothing is wrong before');
        if (fault.breaking) await admin.query(fault.breaking);
        const found = (await asReader(check, fault)).find(names);
        assert.ok(found, 'the fault is seen');
        assert.match(found.remedy, fault.remedy);
        if (!fault.mending) return;
        await admin.query(fault.mending === 'remedy' ? found.remedy.split(';')[0]! : fault.mending);
        assert.ok(!(await asReader(check, fault)).some(names), 'the fault is mended');
      }));
  }

  test('lets a registered consumer read changes, and nothing else', () =>
    within(async () => {
      const check = all.find(({ name }) => name === 'rights-beyond-the-policies')!;
      const find = async (): Promise<Finding[]> => {
        const found = await asReader(check, { problem: /./, remedy: /./ });
        return found.filter(({ problem }) => problem.startsWith('joe_probe'));
      };
      await admin.query(`
        create role joe_probe;
        grant connect on database ${database.name} to joe_probe;
        grant usage on schema ops to joe_probe;
        grant execute on function ops.read_change_events, ops.acknowledge_change_events to joe_probe`);
      assert.equal((await find()).length, 4);
      assert.deepEqual(new Set((await find()).map(({ severity }) => severity)), new Set(['warning']));
      await admin.query(`select ops.register_consumer('probe', '{hospital.appointments}', 'joe_probe')`);
      assert.deepEqual(await find(), []);
      await admin.query('grant select on ops.alerts to joe_probe');
      assert.equal((await find()).length, 1);
    }));

  test('sees a transaction that is left open, and ends it by the remedy', async () => {
    const forgetful = new Client({ connectionString: database.url('hospital_owner') });
    forgetful.on('error', () => {});
    await forgetful.connect();
    const { rows } = await forgetful.query<{ pid: number }>('select pg_backend_pid() as pid');
    await forgetful.query('begin; select 1');
    const query = (await readQuery('transactions-left-open')).replace("interval '5 minutes'", "interval '0'");
    const find = async (): Promise<Finding | undefined> =>
      (await ask(monitor, query)).find(({ problem }) => problem.startsWith(`Process ${rows[0]!.pid} of hospital_owner`));
    let found: Finding | undefined;
    while (!found) found = await find();
    assert.match(found.problem, /idle in transaction/);
    await admin.query(found.remedy);
    while (await find());
    await forgetful.end().catch(() => {});
  });

  test('finds nothing wrong with the seeded hospital but what is true of it', async () => {
    await admin.query('insert into ops.job_runs (job, outcome, finished_at, affected_rows) select unnest($1::text[]), $2, now(), 0', [
      jobs.map(({ name }) => name),
      'succeeded',
    ]);
    const usual = all.filter(({ thorough }) => !thorough);
    const { problems, unseen, looked } = await lookAround({ monitor, administrator: admin, settings, server: database }, usual);
    const expected = [
      // Throw-away clusters are without fsync; the embedded 18.4 is for development; no worker has loaded anything.
      'settings-that-lose-data',
      'server-version',
      'backup-missing',
      'drill-missing',
      'log-not-kept',
      'warehouse-stale',
      ...((await verify(projectFolder)).problems.length > 0 ? ['migrations-that-differ'] : []),
    ];
    const found = problems.filter(
      ({ check, severity }) => severity !== 'notice' && ![...shared, ...expected].includes(check),
    );
    assert.deepEqual(found, []);
    assert.deepEqual(unseen, []);
    assert.equal(looked, usual.length);
    const orders = problems.map(({ severity }) => ['critical', 'warning', 'notice'].indexOf(severity));
    assert.deepEqual(orders, orders.toSorted(), 'the worst comes first');
    await admin.query('delete from ops.job_runs');
  });

  test('says what it could not look at, and that a check broke', async () => {
    const broken: Check = { name: 'probe', severity: 'notice', reads: 'monitor', finds: '', look: async () => ask(monitor, 'select 1/0') };
    const { unseen, problems } = await lookAround({ monitor, settings, server: elsewhere }, [
      broken,
      inSql('passwords-as-md5', 'warning', '', 'administrator'),
      all.find(({ name }) => name === 'disk-nearly-full')!,
    ]);
    assert.deepEqual(problems, []);
    assert.deepEqual(unseen, [
      { check: 'probe', why: 'division by zero', failed: true },
      { check: 'passwords-as-md5', why: 'only an administrator sees it: set DATABASE_ADMIN_URL', failed: false },
      { check: 'disk-nearly-full', why: 'the data are on another machine', failed: false },
    ]);
  });

  test('is a command that a program reads, exits with 1 when there is a problem, and shows no password', async () => {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      INFIRMARY_HOME: settings.home,
      DATABASE_URL: database.url('hospital_owner'),
      MONITOR_URL: database.url('hospital_monitor'),
    };
    delete env.NODE_TEST_CONTEXT;
    const infirmary = (...words: string[]) =>
      spawnSync(process.execPath, [path.join('tools', 'cli.ts'), 'checkup', ...words], { cwd: projectFolder, env, encoding: 'utf8' });
    const { status, stdout, stderr } = infirmary('--json');
    assert.equal(status, 1, stderr);
    const { problems, unseen } = JSON.parse(stdout) as Checkup;
    assert.ok(problems.some(({ check, remedy }) => check === 'backup-missing' && remedy.includes('infirmary backup create')));
    assert.deepEqual(
      unseen.map(({ check }) => check).sort(),
      all.filter(({ reads, thorough }) => reads === 'administrator' && !thorough).map(({ name }) => name).sort(),
    );
    const text = infirmary('--except', 'drill-missing');
    assert.equal(text.status, 1);
    assert.match(text.stdout, /^WARNING backup-missing\n {2}There is no backup\.\n {2}→ infirmary backup create/m);
    assert.doesNotMatch(text.stdout, /drill-missing/);
    assert.match(text.stderr, /Not looked at: passwords-as-md5/);
    await assert.rejects(checkUp(settings, { except: ['nonsense'] }), UsageError);
    const password = new URL(database.url('hospital_monitor')).password;
    assert.ok(!(stdout + stderr + text.stdout + text.stderr).includes(password));
  });

  test('names the fixes of row security that a release lacks', () => {
    assert.match(judgeVersion(150003)[0]!.problem, /15\.3 lacks .*CVE-2023-39418.*CVE-2024-10976.*CVE-2025-8713/);
    assert.doesNotMatch(judgeVersion(150003)[0]!.problem, /CVE-2023-2455/);
    assert.match(judgeVersion(180004)[0]!.remedy, /Install PostgreSQL 18\.7 or later/);
    for (const version of [150020, 160016, 170012, 180007, 180012]) assert.deepEqual(judgeVersion(version), []);
    for (const version of [140023, 190000]) assert.match(judgeVersion(version)[0]!.problem, /not a release that/);
  });

  test('sees settings that lose or leak data, of the server, of a database and of a role', () =>
    within(async () => {
      for (const [look, setting, value, why] of [
        [lookForLoss, 'synchronous_commit', 'off', /loses commits/],
        [lookForLoss, 'session_replication_role', 'replica', /neither triggers/],
        [lookForLeaks, 'log_statement', 'all', /name patients/],
        [lookForLeaks, 'password_encryption', 'md5', /stolen verifier/],
      ] as const) {
        for (const target of [`database ${database.name}`, `role joe_probe in database ${database.name}`]) {
          await admin.query('savepoint before; create role joe_probe');
          await admin.query(`alter ${target} set ${setting} = '${value}'`);
          const found = (await look({ monitor: admin } as never)).find(({ problem }) => problem.includes(`(alter ${target})`));
          assert.match(found!.problem, why);
          await admin.query(found!.remedy);
          assert.ok(!(await look({ monitor: admin } as never)).some(({ problem }) => problem.includes(target)));
          await admin.query('rollback to before');
        }
      }
      const server = [{ name: 'fsync', value: 'off', given: 'alter system' }];
      assert.match(judgeSettings(server, losing)[0]!.remedy, /^alter system set fsync = 'on'; select pg_reload_conf\(\)$/);
      const level = [{ name: 'wal_level', value: 'minimal', given: 'alter system' }];
      assert.match(judgeSettings(level, losing)[0]!.remedy, /restart/);
      assert.match(judgeChecksums([{ name: 'data_checksums', value: 'off', given: '' }])[0]!.remedy, /pg_checksums --enable/);
      const wire = (addresses: string, ssl: string): Finding[] =>
        judgeWire([
          { name: 'listen_addresses', value: addresses, given: '' },
          { name: 'ssl', value: ssl, given: '' },
        ]);
      assert.match(wire('localhost, 192.0.2.7', 'off')[0]!.problem, /ssl is off/);
      assert.deepEqual([...wire('*', 'on'), ...wire('127.0.0.1', 'off'), ...wire('', 'off')], []);
    }));

  test('finds nothing in the configuration of the private cluster', () => {
    const text = configure({ port: 1, preload: [], durable: true, ...measureMachine() });
    const rows = [...text.matchAll(/^(\w+) = '([^']*)'$/gm)].map(([, name, value]) => ({ name: name!, value: value!, given: 'alter system' }));
    assert.ok(rows.length > 20);
    assert.deepEqual([...judgeSettings(rows, [...losing, ...leaking]), ...judgeWire(rows)], []);
  });

  test('sees a clock that is wrong, and not that an answer was slow', async () => {
    assert.match(judgeClock(5000, 10)[0]!.problem, /5\.0 s ahead of/);
    assert.match(judgeClock(-5000, 10)[0]!.problem, /5\.0 s behind/);
    assert.deepEqual([...judgeClock(1500, 0), ...judgeClock(5000, 4000)], []);
    assert.deepEqual(await lookAtClock({ monitor } as never), []);
  });

  test('sees a sequence that is behind its rows', () =>
    within(async () => {
      const find = () => lookForSequencesBehind({ administrator: admin } as never);
      assert.deepEqual(await find(), []);
      await admin.query(`insert into ops.alert_kinds values ('probe', 'For a proof.')`);
      await admin.query(`insert into ops.alerts (id, kind) overriding system value values (999999, 'probe')`);
      const [found] = await find();
      assert.match(found!.problem, /ops\.alerts\.id has 999999 already/);
      assert.equal(found!.remedy, 'infirmary sequences reset');
    }));

  test('sees policies that are missing, and policies of nobody', () =>
    within(async () => {
      const look = () => lookAtPolicies({ monitor: admin } as never);
      assert.deepEqual(await look(), []);
      await admin.query('drop policy owner_all_rows on hospital.patients; create policy probe on hospital.rooms using (true)');
      const [missing, extra] = await look();
      assert.deepEqual(missing, {
        problem: 'The policy owner_all_rows on hospital.patients is missing.',
        remedy: 'As hospital_owner: psql -f policies/owner.sql',
      });
      await admin.query(extra!.remedy);
      assert.deepEqual(await look(), [missing]);
    }));

  test('knows the policies from the signed migrations where there is no working tree, as in an image', async (t) => {
    const image = mkdtempSync(path.join(os.tmpdir(), 'infirmary-image-'));
    t.after(() => rmSync(image, { recursive: true, force: true }));
    cpSync(path.join(projectFolder, 'migrations'), path.join(image, 'migrations'), { recursive: true });
    const stated = statedPolicies(await readPolicies(image));
    assert.equal(stated.get('owner_all_rows on hospital.patients'), 'policies/owner.sql');
    assert.ok(stated.size > 100);
  });

  test('thorough, sees whatever no migration makes, and leaves nothing behind', () =>
    within(async () => {
      const wanted = await readCatalogue(admin);
      assert.deepEqual(judgeCatalogue(wanted, wanted), []);
      await admin.query(
        `grant select on hospital.patients to hospital_monitor;
         drop index hospital.appointments_patient_id_starts_at_idx;
         create index probe_idx on hospital.rooms (name);
         create extension amcheck with schema extensions;
         alter function hospital_private.current_patient_id() volatile`,
      );
      assert.deepEqual(judgeCatalogue(wanted, await readCatalogue(admin)).map(({ problem }) => problem), [
        'Not as the migrations made it: function hospital_private.current_patient_id() (definition).',
        'Missing: index hospital.appointments_patient_id_starts_at_idx (definition).',
        'In no migration: index hospital.probe_idx (definition).',
        'Not as the migrations made it: table hospital.patients (rights).',
      ]);
      await admin.query('rollback');
      const server = await testServer();
      const found = await lookAtCatalogue({ administrator: admin, server } as never);
      // What is not signed yet differs from what is, and nothing else does but the tests' own schemas.
      assert.equal(found.length > 0, (await verify(projectFolder)).problems.length > 0, JSON.stringify(found.slice(0, 9)));
      const { rows } = await admin.query('select from pg_database where datname = $1', [`checkup_${process.pid}`]);
      assert.deepEqual(rows, []);
    }));

  test('sees migrations that are pending, and a database of another history', () =>
    within(async () => {
      const signed = [
        { file: '000001-a.sql', hash: 'a' },
        { file: '000002-b.sql', hash: 'b' },
      ];
      assert.deepEqual(judgeMigrations(signed, [{ filename: '000001-a.sql', hash: 'a' }]), [
        { problem: 'The migration 000002-b.sql has not been applied.', remedy: 'infirmary migrate' },
      ]);
      const newer = [...signed.map(({ file, hash }) => ({ filename: file, hash })), { filename: '000003-c.sql', hash: 'c' }];
      assert.match(judgeMigrations(signed, newer)[0]!.problem, /another 000003-c\.sql/);
      const newest = 'where filename = (select max(filename) from graphile_migrate.migrations)';
      await admin.query(`savepoint before; delete from graphile_migrate.migrations ${newest}`);
      await admin.query('set local role hospital_monitor');
      assert.match((await lookAtMigrations({ monitor: admin } as never))[0]!.problem, /has not been applied/);
      await admin.query(`rollback to before; update graphile_migrate.migrations set hash = 'sha1:0' ${newest}`);
      assert.match((await lookAtMigrations({ monitor: admin } as never))[0]!.problem, /migrated with another/);
    }));

  test('sees jobs that ought to have run, by their schedules', async () => {
    const [overdue] = await lookForOverdueJobs({ monitor } as never);
    assert.deepEqual(overdue!.problem.match(/\w+(?= \(never\))/g), jobs.map(({ name }) => name), 'no worker has ever run here');
    const [minute, day] = [60_000, 24 * 60 * 60_000];
    assert.deepEqual(
      ['* * * * *', '*/5 * * * *', '17 * * * *', '17 2 * * *', '0 6 * * 1', '0 5 1 * *'].map((schedule) => periodOf({ schedule })),
      [minute, 60 * minute, 60 * minute, day, 7 * day, 31 * day],
    );
    const nightly = [{ name: 'probe', schedule: '17 2 * * *' }];
    const judge = (days: number): Finding[] => judgeRuns(nightly, [{ job: 'probe', startedAt: 0 }], days * day);
    assert.deepEqual(judge(1.9), []);
    assert.match(judge(3)[0]!.problem, /probe \(since 1970-01-01T00:00:00/);
    assert.match(judge(3)[0]!.remedy, /infirmary work/);
  });

  test('sees secrets that others may read, keys that can be guessed and a disk that is nearly full', async (t) => {
    const home = mkdtempSync(path.join(os.tmpdir(), 'infirmary-home-'));
    t.after(() => rmSync(home, { recursive: true, force: true }));
    const own = readSettings({ INFIRMARY_HOME: home });
    assert.deepEqual(await lookAtKeys({ settings: own }), [], 'a home without secrets has none that is weak');
    const { passwords } = readSecrets(own);
    mkdirSync(path.join(home, 'keys'));
    const audit = path.join(home, 'keys', 'audit.conf');
    writeFileSync(audit, `infirmary.audit_key = '${'0'.repeat(64)}'\n`, { mode: 0o600 });
    assert.deepEqual(await lookAtSecrets({ settings: own }), []);
    const secrets = path.join(home, 'secrets.json');
    chmodSync(secrets, 0o644);
    chmodSync(audit, 0o640);
    const found = await lookAtSecrets({ settings: own });
    assert.deepEqual(found.map(({ problem }) => problem), [
      `${secrets} may be read by everybody (mode 644).`,
      `${audit} may be read by its group (mode 640).`,
    ]);
    assert.deepEqual(found.map(({ severity }) => severity), ['critical', 'notice']);
    assert.match(found[0]!.remedy, /^chmod 600 /);
    writeFileSync(secrets, JSON.stringify({ passwords, jwtKeys: [{ kid: 'old', secret: 'secret'.repeat(6) }] }));
    assert.deepEqual(
      (await lookAtKeys({ settings: own })).map(({ problem }) => problem),
      ['The key old, which signs access tokens, can be guessed.', 'The key of the audit can be guessed.'],
    );
    assert.match(judgeRoom('/srv/data', 1e9, 500e9)[0]!.problem, /\/srv\/data has 1\.0 GB of 500\.0 GB left/);
    assert.deepEqual([1e9, 10e9].map((free) => judgeRoom('/srv/data', free, 500e9)[0]!.severity), ['critical', 'warning']);
    for (const [free, total] of [[3e9, 40e9], [25e9, 4000e9], [100e9, 500e9]] as const) assert.deepEqual(judgeRoom('/srv/data', free, total), []);
    await assert.rejects(lookAtRoom({ monitor, server: elsewhere } as never), /another machine/);
  });

  test('is documented check by check', async () => {
    const page = await readFile(path.join(projectFolder, 'docs', 'checkup.md'), 'utf8');
    assert.ok(page.includes(checksTable()), `docs/checkup.md has another table than:\n\n${checksTable()}`);
  });
});
