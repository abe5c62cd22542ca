import type { RunnerOptions, TaskList } from 'graphile-worker';
import type { Pool } from 'pg';
import { jobs } from './jobs.ts';
import type { Liveness } from './liveness.ts';
import { quietLogger } from './log.ts';
import { concurrency } from './pool.ts';
import { runJob } from './run-job.ts';

/** How long a running job is waited for when the worker stops, in milliseconds, before it is cancelled. */
const patience = 5_000;

/** What every way of running the queue has in common. */
export function runnerOptions(pool: Pool, liveness: Liveness): RunnerOptions {
  return {
    pgPool: pool,
    concurrency,
    taskList: taskList(pool),
    logger: quietLogger(),
    // The process has one place that hears signals, tools/shutdown.ts.
    noHandleSignals: true,
    gracefulShutdownAbortTimeout: patience,
    preset: {
      plugins: [liveness.plugin],
      // Without a batch, telling the queue that a job is done throws where nobody can catch when the connection is cut;
      // with one, of no length, it ends the pool, and the worker comes back.
      worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 },
    },
  };
}

function taskList(pool: Pool): TaskList {
  return Object.fromEntries(
    jobs.map((job) => [job.name, (_payload: unknown, helpers) => runJob(pool, job, helpers.abortSignal)]),
  ) as TaskList;
}
