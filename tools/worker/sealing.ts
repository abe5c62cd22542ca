import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';

const second = 1_000;

/**
 * Seals the audit every second until stopped: the queue's own schedule knows minutes only, and a row in
 * ops.job_runs for each second would be noise. What fails here fails again in the minute's job, on record.
 */
export function sealEverySecond(pool: Pool): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const ended = (async () => {
    while (!stopping.signal.aborted) {
      await pool.query('select ops.seal_audit()').catch(() => {});
      await sleep(second, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}
