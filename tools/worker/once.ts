import { EventEmitter } from 'node:events';
import { runOnce } from 'graphile-worker';
import { Failure } from '../failure.ts';
import { assertInstalled } from './install.ts';
import { jobs } from './jobs.ts';
import { openLiveness } from './liveness.ts';
import { runnerOptions } from './options.ts';
import { openPool } from './pool.ts';
import { runJob } from './run-job.ts';

/**
 * Runs every scheduled job once, now, and then whatever waits in the queue and is due.
 * @param url the database, as hospital_worker
 * @throws Failure when a job failed, after all were tried
 */
export async function workOnce(url: string): Promise<void> {
  await assertInstalled(url);
  const failures: string[] = [];
  const pool = openPool(url);
  const liveness = await openLiveness(url);
  try {
    for (const job of jobs) {
      await runJob(pool, job).catch((error: Error) => void failures.push(error.message));
    }
    const events = new EventEmitter();
    events.on('job:error', ({ error }: { error: Error }) => void failures.push(error.message));
    await runOnce({ ...runnerOptions(pool, liveness), events });
  } finally {
    await liveness.end();
    await pool.end();
  }
  if (failures.length === 0) return;
  throw new Failure(failures.join('\n'), 'ops.job_runs has the time and the code of every run.');
}
