import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { type Load, run, type Verification, verify } from '../../tools/commands/etl.ts';
import { projectFolder, readSettings, type Settings } from '../../tools/settings.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

describe('infirmary etl', { concurrency: 1 }, () => {
  let database: TestDatabase;
  let owner: Client;
  let settings: Settings;

  before(async () => {
    database = await cloneDatabase({ seeded: true });
    owner = new Client({ connectionString: database.url('hospital_owner') });
    await owner.connect();
    settings = readSettings({ ...process.env, DATABASE_URL: database.url('hospital_owner') });
  });
  after(async () => {
    await owner.end();
    await database.drop();
  });

  const infirmary = (...words: string[]): { status: number | null; stdout: string; stderr: string } => {
    const env: NodeJS.ProcessEnv = { ...process.env, DATABASE_URL: database.url('hospital_owner') };
    delete env.NODE_TEST_CONTEXT;
    return spawnSync(process.execPath, [path.join('tools', 'cli.ts'), 'etl', ...words], {
      cwd: projectFolder,
      env,
      encoding: 'utf8',
    });
  };

  test('run loads what is there, says how far it has come, and records the run', async () => {
    const { status, stdout, stderr } = infirmary('run', '--json');
    assert.equal(status, 0, stderr);
    const load = JSON.parse(stdout) as Load;
    assert.ok(load.rows > 1000);
    assert.match(stderr, /Loading everything: nothing has been loaded yet/);
    assert.match(stderr, /fact_visits: \d+ rows/);
    const { rows } = await owner.query(`select job, outcome, affected_rows::integer as rows from ops.job_runs`);
    assert.deepEqual(rows, [{ job: 'load_warehouse', outcome: 'succeeded', rows: load.rows }]);
    assert.equal((await run(settings, false)).rows, 0);
    assert.equal((await run(settings, true)).rows, 0, 'a full load writes nothing that is right already');
  });

  test('verify passes over what is right and changes nothing', async () => {
    await owner.query(`update hospital.patients set sex = 'other' where id = 1`);
    const position = 'select snapshot, data_as_of from warehouse.load_state';
    const before = (await owner.query(position)).rows;
    const { tables, differences } = await verify(settings);
    assert.deepEqual(differences, []);
    const { rows: loaded } = await owner.query<{ name: string }>('select unnest(warehouse.loaded_tables()) as name');
    assert.equal(tables.length, loaded.length);
    assert.ok(tables.length > 12 && tables.every(({ rows }) => rows > 0), JSON.stringify(tables));
    assert.deepEqual((await owner.query(position)).rows, before);
  });

  test('verify names the rows that differ and not what is in them, and exits with 1', async () => {
    await run(settings, false);
    await owner.query(
      `update warehouse.dim_doctor set name = 'Somebody Else' where doctor_key = 3;
       delete from warehouse.fact_visits where visit_id = 5`,
    );
    const { status, stdout, stderr } = infirmary('verify', '--json');
    assert.equal(status, 1);
    assert.deepEqual((JSON.parse(stdout) as Verification).differences, [
      { table: 'dim_doctor', key: '3', problem: 'is not what it should be' },
      { table: 'fact_visits', key: '5', problem: 'is missing' },
    ]);
    assert.doesNotMatch(stdout + stderr, /Somebody Else/);
    assert.match(stderr, /row 3 of dim_doctor is not what it should be/);
    assert.equal((await run(settings, true)).rows, 2);
    assert.equal(infirmary('verify').status, 0);
  });

  test('verify waits for a load that is running', async () => {
    const worker = new Client({ connectionString: database.url('hospital_worker') });
    await worker.connect();
    await worker.query('begin isolation level repeatable read; select ops.load_warehouse()');
    const told: string[] = [];
    const verifying = verify(settings, (line) => {
      told.push(line);
      if (line.startsWith('Waiting')) void worker.end();
    });
    assert.deepEqual((await verifying).differences, []);
    assert.ok(told.includes('Waiting for a load to end.'));
  });

  test('what is erased from the hospital is gone from the warehouse', async () => {
    const { erase } = await import('../../tools/seed/erase.ts');
    await owner.query('begin');
    await erase(owner as never);
    await owner.query('commit');
    await run(settings, false);
    const { tables, differences } = await verify(settings);
    assert.deepEqual(differences, []);
    assert.deepEqual(tables.filter(({ table, rows }) => rows > 0 && table !== 'dim_appointment_type'), []);
  });
});
