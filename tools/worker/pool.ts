import pg from 'pg';
import { logEvent } from '../api/log.ts';
import { codeOf } from '../failure.ts';

/** How the worker's connections are called in pg_stat_activity. */
export const applicationName = 'infirmary-worker';

/** How many jobs one worker runs at once. */
export const concurrency = 2;

/**
 * Opens the worker's connections.
 * @param url the database, as hospital_worker
 */
export function openPool(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    // Each job one, to listen one, and some for the queue and for recording a failure.
    max: 2 * concurrency + 4,
    onConnect: noticeOurEnd,
  });
  // A connection that breaks shows in the query that fails; unheard, it would end the process.
  const report = (error: Error): void => logEvent('error', 'worker.connection', { code: codeOf(error) });
  pool.on('error', report);
  pool.on('connect', (client) => void client.on('error', report));
  return pool;
}

/**
 * Lets a server process that waits for a lock or works on notice within a second that this process was
 * killed, instead of holding its locks on. Not every operating system can.
 */
async function noticeOurEnd(client: pg.ClientBase): Promise<void> {
  await client.query(`select set_config('client_connection_check_interval', '1s', false)`).catch(() => {});
}
