import { Client } from 'pg';
import { codeOf } from '../../tools/failure.ts';
import type { LoginRole } from '../../tools/cluster/server.ts';
import type { TestDatabase } from './database.ts';

/** The barrier at which callers wait for each other: any number that no code of ours locks. */
const barrier = 790_001;

/** What a call ended with: its first row, or the code of its error. */
export interface Outcome {
  row?: Record<string, unknown>;
  code?: string;
}

/** One transaction of one connection: who calls, and what. */
export interface Call {
  /** An account of the tests, whose session's claims are sent as the API sends them; '' for a visitor. */
  email?: string;
  /** Instead of an account: connect as this role, without claims. */
  login?: LoginRole;
  /** The isolation of the transaction, where it is not read committed. */
  isolation?: 'repeatable read' | 'serializable';
  sql: string;
  values?: unknown[];
}

/**
 * Runs every call in a connection and a transaction of its own, all released in the same moment, and
 * returns how each ended. Nobody starts before everybody is ready.
 */
export async function allAtOnce(database: TestDatabase, calls: Call[]): Promise<Outcome[]> {
  const admin = new Client({ connectionString: database.url('postgres') });
  const clients: Client[] = [];
  await admin.connect();
  try {
    await admin.query('select pg_advisory_lock($1)', [barrier]);
    for (const call of calls) clients.push(await ready(database, admin, call));
    let ended = 0;
    const outcomes = calls.map(async (call, n) => {
      const outcome = await run(clients[n]!, call);
      ended++;
      return outcome;
    });
    for (;;) {
      const { rows } = await admin.query<{ waiting: number }>(
        `select count(*)::integer as waiting
         from pg_catalog.pg_locks
         where locktype = 'advisory' and objid = $1 and not granted
           and database = (select oid from pg_catalog.pg_database where datname = current_database())`,
        [barrier],
      );
      if (rows[0]!.waiting + ended === calls.length) break;
    }
    await admin.query('select pg_advisory_unlock($1)', [barrier]);
    return await Promise.all(outcomes);
  } finally {
    await Promise.all([admin, ...clients].map((client) => client.end()));
  }
}

/** Connects, opens the transaction and sends the claims. */
async function ready(database: TestDatabase, admin: Client, call: Call): Promise<Client> {
  const client = new Client({ connectionString: database.url(call.login ?? 'hospital_authenticator') });
  await client.connect();
  await client.query(`set lock_timeout = 0; set statement_timeout = 0`);
  await client.query(`begin isolation level ${call.isolation ?? 'read committed'}`);
  if (call.login) return client;
  let claims = { role: 'hospital_anonymous', id: '', secret: '' };
  if (call.email) {
    const { rows } = await admin.query<typeof claims>(
      `select 'hospital_' || role as role, session_id as id, session_secret as secret from tests.new_session($1)`,
      [call.email],
    );
    claims = rows[0]!;
  }
  await client.query(
    `select
       set_config('role', $1, true),
       set_config('infirmary.session_id', $2, true),
       set_config('infirmary.session_secret', $3, true)`,
    [claims.role, claims.id, claims.secret],
  );
  return client;
}

async function run(client: Client, call: Call): Promise<Outcome> {
  try {
    await client.query('select pg_advisory_xact_lock_shared($1)', [barrier]);
    const { rows } = await client.query<Record<string, unknown>>(call.sql, call.values);
    await client.query('commit');
    return { row: rows[0] };
  } catch (error) {
    await client.query('rollback');
    return { code: codeOf(error) };
  }
}

/** How often each way of ending occurred, 'done' for success. */
export function tally(outcomes: Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code = 'done' } of outcomes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
