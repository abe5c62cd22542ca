import pg from 'pg';
import { Failure } from '../failure.ts';
import { APPLICATION_NAME } from './claims.ts';
import { logEvent } from './log.ts';

/** The API's connections, all as hospital_authenticator. */
export function makePool({
  databaseUrl,
  poolSize = 10,
}: {
  databaseUrl: string;
  poolSize?: number;
}): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: poolSize,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 5_000,
    application_name: APPLICATION_NAME,
  });
  // Without listeners a connection that the server closes would end this process.
  const report = (error: Error & { code?: string }): void => {
    // pool.end() does not wait for the last goodbye.
    if (pool.ending) return;
    logEvent('error', 'database_connection_lost', { name: error.name, sqlstate: error.code });
  };
  pool.on('error', report);
  pool.on('connect', (client) => client.on('error', report));
  return pool;
}

/** Fails, with what to do, where there is no hospital to serve. */
export async function requireHospital(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query(`select to_regnamespace('hospital') is not null as migrated`);
  if (!rows[0].migrated) throw new Failure('The database has not been migrated.', 'Run: infirmary migrate');
}

/** Whether the database answers, and how busy the connections to it are. */
export async function poolFigures(
  pool: pg.Pool,
): Promise<{ reachable: boolean; pool: { total: number; idle: number; waiting: number } }> {
  const reachable = await pool.query('select').then(
    () => true,
    () => false,
  );
  const { totalCount: total, idleCount: idle, waitingCount: waiting } = pool;
  return { reachable, pool: { total, idle, waiting } };
}
