import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { cloneDatabase } from '../support/database.ts';
import { openPair } from '../support/standby.ts';

const registering = `select ops.register_consumer('lab', '{hospital.facilities}')`;
const reading = `select * from ops.read_change_events('lab')`;

test('after a failover a consumer is told to begin anew, since what it was told may be undone there', async (t) => {
  const pair = await openPair(t);
  await pair.owner.query(registering);
  await pair.caughtUp();
  const reader = new Client({ connectionString: pair.standby.url('hospital_worker') });
  reader.on('error', () => {});
  await pair.onStandby.query('select pg_promote()');
  await pair.onStandby.query('grant connect on database hospital to hospital_worker');
  await reader.connect();
  pair.later(() => reader.end());
  await assert.rejects(reader.query(reading), { code: 'RESYN' });
  await pair.onStandby.query(`select ops.reset_consumer('lab')`);
  assert.deepEqual((await reader.query(reading)).rows, []);
});

test('so it is in a copy of the database in the same cluster, whose numbers run on alike', async (t) => {
  const database = await cloneDatabase();
  const run = async (url: string, sql: string): Promise<unknown[]> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  await run(database.url('hospital_owner'), registering);
  assert.deepEqual(await run(database.url('hospital_worker'), reading), []);
  const copy = `test_${process.pid}_copy`;
  const admin = new URL(database.url('postgres'));
  admin.pathname = '/postgres';
  await run(admin.href, `create database ${copy} template ${database.name} owner hospital_owner`);
  t.after(() => run(admin.href, `drop database ${copy} with (force)`));
  await run(admin.href, `grant connect on database ${copy} to hospital_worker`);
  const there = new URL(database.url('hospital_worker'));
  there.pathname = `/${copy}`;
  await assert.rejects(run(there.href, reading), { code: 'RESYN' });
});
