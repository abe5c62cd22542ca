import pg from 'pg';
import { codeOf, Failure, messageOf } from '../failure.ts';
import { isPooled } from '../pooler.ts';
import { APPLICATION_NAME } from './claims.ts';
import { logEvent } from './log.ts';

/** A connection that knows whether a pooler is in between, which has never prepared what the transaction before did. */
class Connection extends pg.Client {
  isPooled = false;

  override query(question: any, ...more: any[]): any {
    return super.query(this.isPooled && question.name ? { ...question, name: undefined } : question, ...more);
  }
}

/** The API's connections, all as hospital_authenticator. */
export function makePool({
  databaseUrl,
  poolSize = 10,
}: {
  databaseUrl: string;
  poolSize?: number;
}): pg.Pool {
  const pool = new pg.Pool({
    Client: Connection,
    connectionString: databaseUrl,
    max: poolSize,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 5_000,
    application_name: APPLICATION_NAME,
    onConnect: async (client) => {
      (client as Connection).isPooled = await isPooled(client);
    },
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

/** Fails, with what to do, where there is no hospital to serve, or where a pooler takes no transactions. */
export async function requireHospital(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin').catch(refuseStatementMode);
    const { rows } = await client.query(`select to_regnamespace('hospital') is not null as migrated`);
    if (!rows[0].migrated) throw new Failure('The database has not been migrated.', 'Run: infirmary migrate');
    await client.query('commit');
  } finally {
    // Whatever has become of it.
    client.release(true);
  }
}

/** In statement mode each statement may go to another process, where nobody has said who asks. */
function refuseStatementMode(error: unknown): never {
  // What PgBouncer itself says has this code, whatever it is.
  if (codeOf(error) !== '08P01') throw error;
  throw new Failure(`The pooler takes no transactions: ${messageOf(error)}.`, 'Set pool_mode = transaction in pgbouncer.ini.', {
    cause: error,
  });
}

/** Fails where what is sent to subscribers would never arrive: a pooler takes LISTEN, and gives the listener to others. */
export async function requireListening(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  client.release();
  if (!(client as unknown as Connection).isPooled) return;
  throw new Failure(
    'Subscribers would hear nothing: the API would listen through a pooler.',
    'Set SUBSCRIPTIONS_URL to a URL of hospital_authenticator that leads to the server itself.',
  );
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
