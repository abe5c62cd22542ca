import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import { jobs } from '../../tools/worker/jobs.ts';
import { openPool } from '../../tools/worker/pool.ts';
import { JobFailure, runJob } from '../../tools/worker/run-job.ts';
import { isDeserted, openHospital, spawnWork, until, waitingWorkers, type WorkerHospital } from '../support/worker.ts';

const [load, refresh] = ['load_warehouse', 'refresh_views'].map((name) => jobs.find((job) => job.name === name)!);

/** Keeps a refresh, when it has filled its views, from saying so, until the function returned is called. */
async function blockAtTheEnd({ database, owner }: WorkerHospital): Promise<() => Promise<void>> {
  await owner.query(
    `create function warehouse.wait_for_test() returns trigger language plpgsql
     as 'begin perform pg_advisory_xact_lock(4712); return new; end';
     create trigger wait_for_test before update on warehouse.view_states
     for each row when (new.data_as_of is distinct from old.data_as_of) execute function warehouse.wait_for_test()`,
  );
  const client = new Client({ connectionString: database.url('hospital_owner') });
  await client.connect();
  await client.query('select pg_advisory_lock(4712)');
  return () => client.end();
}

/** How many refreshes wait there. */
const waiting = async ({ column }: WorkerHospital): Promise<number> =>
  (await column(
    `select from pg_locks where locktype = 'advisory' and objid = 4712 and not granted
     and database = (select oid from pg_database where datname = current_database())`,
  )).length;

const told = ({ column }: WorkerHospital): Promise<unknown[]> =>
  column('select coalesce(sum(appointments), 0)::integer from warehouse.mv_department_load where grain = $1', ['all']);
const states = async ({ owner }: WorkerHospital): Promise<unknown[]> =>
  (await owner.query('select * from warehouse.view_states order by view_name')).rows;

test('a worker killed while it refreshes has advanced no view, and the next one does', async (t) => {
  const hospital = await openHospital(5);
  t.after(() => hospital.close());
  const pool = openPool(hospital.url);
  await runJob(pool, load!);
  await runJob(pool, refresh!);
  assert.deepEqual(await told(hospital), [5]);
  const before = await states(hospital);

  await hospital.book(20);
  await runJob(pool, load!);
  await pool.end();
  const release = await blockAtTheEnd(hospital);
  const doomed = spawnWork(hospital.url);
  await until(async () => (await waiting(hospital)) === 1);
  doomed.child.kill('SIGKILL');
  await doomed.ended;
  await until(() => isDeserted(hospital));
  await release();
  assert.deepEqual(await told(hospital), [5]);
  assert.deepEqual(await states(hospital), before);

  const next = openPool(hospital.url);
  await runJob(next, refresh!);
  await next.end();
  assert.deepEqual(await told(hospital), [6]);
  assert.notDeepEqual(await states(hospital), before);
});

test('of two that refresh at once one does, and the other fails without harm and is tried again', async (t) => {
  const hospital = await openHospital(3);
  t.after(() => hospital.close());
  const pool = openPool(hospital.url);
  await runJob(pool, load!);
  await runJob(pool, refresh!);
  await hospital.book(20);
  await runJob(pool, load!);
  const release = await blockAtTheEnd(hospital);
  // Settled from the start: the one that fails may do so before the lock's release is heard of.
  const runs = Promise.allSettled([runJob(pool, refresh!), runJob(pool, refresh!)]);
  // One waits there, the other for the states that it holds.
  await until(async () => (await waitingWorkers(hospital)) === 2);
  await release();
  const outcomes = await runs;
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
  assert.equal(failures.length, 1);
  assert.ok(failures[0] instanceof JobFailure && failures[0].message.includes('40001'));
  await runJob(pool, refresh!);
  assert.deepEqual(await told(hospital), [4]);
  await pool.end();
});

test('while bookings go on, loads and refreshes end with what there is', async (t) => {
  const hospital = await openHospital(2);
  t.after(() => hospital.close());
  const pool = openPool(hospital.url);
  let isBooking = true;
  const working = (async () => {
    while (isBooking) {
      await runJob(pool, load!);
      await runJob(pool, refresh!);
    }
  })();
  for (let hour = 30; hour < 50; hour += 1) await hospital.book(hour);
  isBooking = false;
  await working;
  await runJob(pool, load!);
  await runJob(pool, refresh!);
  assert.deepEqual(await told(hospital), [22]);
  // What the views say is what the facts say, of one instant.
  const { rows } = await hospital.owner.query(
    `select (select sum(visits) from warehouse.mv_top_doctors where grain = 'all') is not distinct from
       nullif((select count(*) from warehouse.fact_visits), 0) as visits,
       (select count(distinct data_as_of) from warehouse.view_states)::integer as instants`,
  );
  assert.deepEqual(rows, [{ visits: true, instants: 1 }]);
  await pool.end();
});
