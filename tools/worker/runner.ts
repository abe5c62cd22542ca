import { setTimeout as sleep } from 'node:timers/promises';
import { parseCronItems, run, type Runner } from 'graphile-worker';
import type { Pool } from 'pg';
import { logEvent } from '../api/log.ts';
import { codeOf } from '../failure.ts';
import { assertInstalled } from './install.ts';
import { jobs } from './jobs.ts';
import { openLiveness } from './liveness.ts';
import { runnerOptions } from './options.ts';
import { openPool } from './pool.ts';
import { sealEverySecond } from './sealing.ts';

/** A worker that waits for jobs. */
export interface RunningWorker {
  /**
   * Takes no more jobs, waits five seconds for those that run, cancels what then still runs (it is
   * tried again by the next worker), and closes all connections. Safe to call twice.
   */
  stop(): Promise<void>;
}

/** After this many milliseconds stop() no longer waits: the connections are cut, the server rolls back. */
const stopLimit = 9_000;

/** How long to wait before trying again when the server was lost, in milliseconds. */
const pause = 5_000;

/** One life of the worker, from connecting to losing the server. */
interface Life {
  over: Promise<void>;
  end(): Promise<void>;
}

/**
 * Starts a worker: it runs every job at once and then on its schedule. When the server goes away it
 * comes back with it.
 * @param url the database, as hospital_worker
 * @throws Failure when the worker's schema is not installed
 */
export async function startWorker(url: string): Promise<RunningWorker> {
  await assertInstalled(url);
  const stopping = new AbortController();
  const first = await live(url);
  const ended = liveOn(url, first, stopping.signal);
  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}

async function liveOn(url: string, first: Life, stopping: AbortSignal): Promise<void> {
  const stopped = new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve()));
  for (let life: Life | undefined = first; ; life = undefined) {
    try {
      life ??= await live(url);
      await Promise.race([life.over, stopped]);
      await life.end();
      if (!stopping.aborted) logEvent('error', 'worker.lost', {});
    } catch (error) {
      logEvent('error', 'worker.lost', { code: codeOf(error) });
    }
    await sleep(pause, undefined, { signal: stopping }).catch(() => {});
    if (stopping.aborted) return;
  }
}

async function live(url: string): Promise<Life> {
  const liveness = await openLiveness(url);
  const pool = openPool(url);
  try {
    await queueAll(pool);
    const runner = await run({ ...runnerOptions(pool, liveness), parsedCronItems: schedule() });
    const ran = runner.promise.catch(() => {});
    const sealing = sealEverySecond(pool);
    return {
      over: Promise.race([ran, liveness.lost]),
      end: async () => {
        const sealed = sealing.stop();
        await stopRunner(runner, Promise.all([ran, sealed]), pool);
        await liveness.end();
      },
    };
  } catch (error) {
    await pool.end();
    await liveness.end();
    throw error;
  }
}

async function queueAll(pool: Pool): Promise<void> {
  for (const { name, maxAttempts, queue, priority } of jobs) {
    const add =
      'select graphile_worker.add_job($1, job_key => $1, max_attempts => $2, queue_name => $3, priority => $4)';
    await pool.query(add, [name, maxAttempts, queue, priority]);
  }
}

/** The key makes a time that comes while the job still waits move it, instead of queueing it twice. */
function schedule(): ReturnType<typeof parseCronItems> {
  return parseCronItems(
    jobs.map(({ name, schedule: match, catchUp, maxAttempts, queue, priority }) => ({
      task: name,
      match,
      identifier: name,
      options: { jobKey: name, backfillPeriod: catchUp, maxAttempts, queueName: queue, priority },
    })),
  );
}

async function stopRunner(runner: Runner, ran: Promise<unknown>, pool: Pool): Promise<void> {
  const orderly = runner
    .stop()
    .catch(() => {}) // It had already stopped by itself.
    .then(() => ran)
    .then(() => pool.end());
  await Promise.race([orderly, sleep(stopLimit, undefined, { ref: false })]);
}
