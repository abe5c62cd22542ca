import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { jobs } from '../../tools/worker/jobs.ts';
import { workOnce } from '../../tools/worker/once.ts';
import { startWorker } from '../../tools/worker/runner.ts';
import {
  blockMessages,
  isDeserted,
  openHospital,
  spawnWork,
  until,
  waitingWorkers,
  type WorkerHospital,
} from '../support/worker.ts';

/** A constraint that no reminder can meet, and whose error quotes the whole row. */
const refuseMessages = `alter table hospital.notifications add constraint no_messages check (body = '') not valid`;

/** How the runs of the job that has something to do ended. */
const outcomes = (hospital: WorkerHospital): Promise<unknown[]> =>
  hospital.column(`select outcome from ops.job_runs where job = 'send_reminders' order by id`);

describe('the worker', { concurrency: 2 }, () => {
  test('does every job when it starts, and records the run', async (t) => {
    const hospital = await openHospital(3);
    t.after(() => hospital.close());
    const worker = await startWorker(hospital.url);
    const done = `select job from ops.job_runs where outcome = 'succeeded' order by job`;
    await until(async () => (await hospital.column(done)).length === jobs.length);
    await worker.stop();
    const { rows } = await hospital.owner.query(
      // The first of each: the clock may have started another meanwhile.
      // How much there is to seal depends on what the second brought, to load and to refresh on the hospital, and
      // whether answers are stale on which came first; of the record every check writes a result.
      `select distinct on (job) job, outcome,
         case when job not in ('seal_audit', 'load_warehouse', 'refresh_views', 'check_freshness', 'check_data_quality') then affected_rows else 0 end as affected_rows, finished_at >= started_at as in_order
       from ops.job_runs
       order by job, id`,
    );
    const expected = (name: string): object => ({
      job: name,
      outcome: 'succeeded',
      affected_rows: name === 'send_reminders' ? '3' : '0',
      in_order: true,
    });
    assert.deepEqual(rows, jobs.map(({ name }) => name).sort().map(expected));
  });

  test('records a failing job with its SQLSTATE and tries it again', async (t) => {
    const hospital = await openHospital(2);
    t.after(() => hospital.close());
    await hospital.owner.query(refuseMessages);
    const worker = await startWorker(hospital.url);
    await until(async () => (await outcomes(hospital)).includes('failed'));
    await hospital.owner.query('alter table hospital.notifications drop constraint no_messages');
    await until(async () => (await outcomes(hospital)).includes('succeeded'));
    await worker.stop();
    assert.deepEqual(
      new Set(await hospital.column(`select error_code from ops.job_runs where outcome = 'failed'`)),
      new Set(['23514']),
    );
    assert.deepEqual(await hospital.column('select count(*)::integer from hospital.notifications'), [2]);
  });

  test('lets a running job finish before it stops', async (t) => {
    const hospital = await openHospital(1);
    t.after(() => hospital.close());
    const release = await blockMessages(hospital);
    const worker = await startWorker(hospital.url);
    await until(async () => (await waitingWorkers(hospital)) === 1);
    const stopped = worker.stop();
    await release();
    await stopped;
    assert.deepEqual(await outcomes(hospital), ['succeeded']);
    await until(() => isDeserted(hospital));
  });

  test('cancels a job that does not end, and leaves nothing locked for the next worker', async (t) => {
    const hospital = await openHospital(1);
    t.after(() => hospital.close());
    const release = await blockMessages(hospital);
    const worker = await startWorker(hospital.url);
    await until(async () => (await waitingWorkers(hospital)) === 1);
    await worker.stop();
    await until(() => isDeserted(hospital));
    await release();
    assert.deepEqual(
      await hospital.column(`select error_code from ops.job_runs where job = 'send_reminders'`),
      ['57014'],
    );
    const next = await startWorker(hospital.url);
    await until(async () => (await outcomes(hospital)).includes('succeeded'));
    await next.stop();
    assert.deepEqual(await hospital.column('select count(*)::integer from hospital.notifications'), [1]);
  });

  test('comes back when its connections are cut', async (t) => {
    const hospital = await openHospital(1);
    t.after(() => hospital.close());
    const worker = await startWorker(hospital.url);
    await until(async () => (await outcomes(hospital)).includes('succeeded'));
    const admin = new Client({ connectionString: hospital.database.url('postgres') });
    await admin.connect();
    await admin.query(
      `select pg_terminate_backend(pid)
       from pg_stat_activity
       where usename = 'hospital_worker' and datname = $1`,
      [hospital.database.name],
    );
    await admin.end();
    await hospital.book(5);
    await until(async () => (await hospital.column('select from hospital.notifications')).length === 2);
    await worker.stop();
  });

  test('comes back when it is cut off while it says that a job is done', async (t) => {
    const hospital = await openHospital(1);
    t.after(() => hospital.close());
    const admin = new Client({ connectionString: hospital.database.url('postgres') });
    await admin.connect();
    await admin.query(`
      create sequence public.cuts;
      grant usage on schema public to hospital_worker;
      grant usage on sequence public.cuts to hospital_worker;
      create function public.cut_off() returns trigger language plpgsql as $$
      begin
        if nextval('public.cuts') = 1 then
          perform pg_terminate_backend(pg_backend_pid());
        end if;
        return old;
      end;
      $$;
      create trigger cut_off before delete on graphile_worker._private_jobs
        for each row execute function public.cut_off()`);
    const worker = await startWorker(hospital.url);
    await until(async () => (await hospital.queue()).length === 0);
    assert.deepEqual((await admin.query('select last_value > 1 as again from public.cuts')).rows, [{ again: true }]);
    await admin.end();
    await worker.stop();
  });

  test('says nothing of a patient when a job fails', async (t) => {
    const hospital = await openHospital(0);
    t.after(() => hospital.close());
    await hospital.book(2, { familyName: 'Whitethorn' });
    await hospital.owner.query(refuseMessages);
    const once = spawnWork(hospital.url, '--once');
    assert.equal(await once.ended, 1);
    const on = spawnWork(hospital.url);
    await until(async () => (await outcomes(hospital)).length >= 2 && on.said().includes('23514'));
    on.child.kill('SIGTERM');
    assert.equal(await on.ended, 0);
    const waiting = (await hospital.queue()).find(({ last_error }) => last_error);
    for (const text of [once.said(), on.said(), String(waiting?.last_error)]) {
      assert.doesNotMatch(text, /Whitethorn|Cardiology|Harbor|Failing row|You have an appointment/);
    }
    for (const text of [once.said(), String(waiting?.last_error)]) {
      assert.match(text, /The job send_reminders failed with 23514/);
    }
  });

  test('ends after one round when asked to work once', async (t) => {
    const hospital = await openHospital(2);
    t.after(() => hospital.close());
    await workOnce(hospital.url);
    const again = spawnWork(hospital.url, '--once');
    assert.equal(await again.ended, 0, again.said());
    const written = `select affected_rows::integer from ops.job_runs where job = 'send_reminders' order by id`;
    assert.deepEqual(await hospital.column(written), [2, 0]);
    await until(() => isDeserted(hospital));
  });

  test('says, for a health check, whether one works on this machine', async (t) => {
    const [hospital, another] = await Promise.all([openHospital(1), openHospital(1)]);
    t.after(() => Promise.all([hospital.close(), another.close()]));
    assert.notEqual(await spawnWork(hospital.url, '--check').ended, 0);
    const worker = await startWorker(hospital.url);
    t.after(() => worker.stop());
    const check = async (): Promise<boolean> => (await spawnWork(hospital.url, '--check').ended) === 0;
    await until(check);
    // Of another hospital on the same server it says nothing.
    const elsewhere = spawnWork(another.url, '--check');
    assert.notEqual(await elsewhere.ended, 0);
    assert.match(elsewhere.said(), /No worker of this machine works/);
    await worker.stop();
    assert.equal(await check(), false);
  });
});
