import type { Pool, PoolClient } from 'pg';
import { codeOf, Failure } from '../failure.ts';
import type { Job } from './job.ts';

/**
 * A job that failed. Its message is a code and never the error's own text: that may quote a row, and
 * graphile-worker keeps messages in its table and writes them to the log.
 */
export class JobFailure extends Failure {
  constructor(job: string, code: string) {
    super(`The job ${job} failed with ${code}.`);
    this.name = 'JobFailure';
  }
}

/**
 * Runs a job once and records the run in ops.job_runs: the start in a transaction of its own, the work
 * and its success in one. So whenever this process dies there is either all of the effect and a run that
 * succeeded, or nothing and a run that the next one marks abandoned.
 * @param signal when to give up: the running statement is cancelled and the run recorded as failed
 * @throws JobFailure
 */
export async function runJob(pool: Pool, job: Job, signal?: AbortSignal): Promise<void> {
  let run: string | undefined;
  try {
    run = await startRun(pool, job);
    await workAndFinish(pool, job, run, signal);
  } catch (error) {
    const code = codeOf(error) ?? (error instanceof Error ? error.name : 'Error');
    // Unreachable now, the server learns from the next run that this one died.
    if (run) await pool.query('select ops.fail_job_run($1, $2)', [run, code]).catch(() => {});
    throw new JobFailure(job.name, code);
  }
}

async function startRun(pool: Pool, job: Job): Promise<string> {
  const { rows } = await pool.query<{ run: string }>('select ops.start_job_run($1) as run', [job.name]);
  return rows[0]!.run;
}

async function workAndFinish(pool: Pool, job: Job, run: string, signal?: AbortSignal): Promise<void> {
  const client = await pool.connect();
  const cancel = (): void => void cancelStatement(pool, client);
  let broken: Error | undefined;
  signal?.addEventListener('abort', cancel);
  try {
    await client.query('select ops.enter_job_run($1)', [run]);
    await client.query(`begin isolation level ${job.isolation ?? 'read committed'}`);
    signal?.throwIfAborted();
    const affected = await job.work(client);
    await client.query('select ops.finish_job_run($1, $2)', [run, affected]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch((lost: Error) => (broken = lost));
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    await client.query('select ops.leave_job_run($1)', [run]).catch((lost: Error) => (broken = lost));
    client.release(broken);
  }
}

/** A role may cancel what its own connections do. */
async function cancelStatement(pool: Pool, { processID }: PoolClient & { processID?: number }): Promise<void> {
  await pool.query('select pg_cancel_backend($1)', [processID]).catch(() => {});
}
