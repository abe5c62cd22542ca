import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobs } from '../../tools/worker/jobs.ts';
import { openLiveness } from '../../tools/worker/liveness.ts';
import { openPool } from '../../tools/worker/pool.ts';
import { runJob } from '../../tools/worker/run-job.ts';
import { startWorker } from '../../tools/worker/runner.ts';
import {
  blockMessages,
  blockSuccess,
  isDeserted,
  openHospital,
  spawnWork,
  until,
  waitingWorkers,
} from '../support/worker.ts';

const sendReminders = jobs.find(({ name }) => name === 'send_reminders')!;

test('five workers at once write every reminder once', async (t) => {
  const hospital = await openHospital(20);
  t.after(() => hospital.close());
  const pools = Array.from({ length: 5 }, () => openPool(hospital.url));
  const release = await blockMessages(hospital);
  const runs = pools.map((pool) => runJob(pool, sendReminders));
  await until(async () => (await waitingWorkers(hospital)) === 5);
  await release();
  await Promise.all(runs);
  await Promise.all(pools.map((pool) => pool.end()));
  assert.deepEqual(
    await hospital.column('select distinct count(*)::integer from hospital.notifications group by appointment_id'),
    [1],
  );
  assert.deepEqual(await hospital.column('select outcome from ops.job_runs'), Array(5).fill('succeeded'));
  assert.deepEqual(await hospital.column('select sum(affected_rows)::integer from ops.job_runs'), [20]);
});

test('five worker processes share one queue without doing a job twice', async (t) => {
  const hospital = await openHospital(5);
  t.after(() => hospital.close());
  const workers = await Promise.all(Array.from({ length: 5 }, () => startWorker(hospital.url)));
  await until(async () => (await hospital.column('select from hospital.notifications')).length === 5);
  await Promise.all(workers.map((worker) => worker.stop()));
  assert.deepEqual(
    await hospital.column("select sum(affected_rows)::integer from ops.job_runs where job = 'send_reminders'"),
    [5],
  );
});

const moments = [
  ['in the middle of its work', blockMessages],
  ['between its work and the commit', blockSuccess],
] as const;

for (const [moment, block] of moments) {
  test(`a worker killed ${moment} has done nothing, and the next one does it once`, async (t) => {
    const hospital = await openHospital(10);
    t.after(() => hospital.close());
    const release = await block(hospital);
    const doomed = spawnWork(hospital.url);
    await until(async () => (await waitingWorkers(hospital)) === 1);
    doomed.child.kill('SIGKILL');
    assert.equal(await doomed.ended, 'SIGKILL');
    // The server notices by itself, although the job still waits for the lock.
    await until(() => isDeserted(hospital));
    await release();
    const outcomes = (): Promise<unknown[]> =>
      hospital.column(`select outcome from ops.job_runs where job = 'send_reminders' order by id`);
    assert.deepEqual(await outcomes(), ['running']);
    assert.deepEqual(await hospital.column('select from hospital.notifications'), []);

    const next = await startWorker(hospital.url);
    await until(async () => (await outcomes()).includes('succeeded') && (await hospital.queue()).length === 0);
    await next.stop();
    assert.deepEqual((await outcomes()).slice(0, 2), ['abandoned', 'succeeded']);
    assert.deepEqual(
      await hospital.column('select count(*)::integer from hospital.notifications group by appointment_id'),
      Array(10).fill(1),
    );
    assert.deepEqual(await hospital.queue(), []);
  });
}

test('a job is taken from a dead worker and never from a living one', async (t) => {
  const hospital = await openHospital(1);
  t.after(() => hospital.close());
  const release = await blockMessages(hospital);
  const process = spawnWork(hospital.url);
  await until(async () => (await waitingWorkers(hospital)) === 1 && (await hospital.queue()).length === 1);
  const lockers = async (): Promise<unknown[]> => {
    await (await openLiveness(hospital.url)).end();
    return (await hospital.queue()).map((job) => job.locked_by !== null);
  };
  assert.deepEqual(await lockers(), [true]);
  process.child.kill('SIGKILL');
  await until(() => isDeserted(hospital));
  assert.deepEqual(await lockers(), [false]);
  await release();
});
