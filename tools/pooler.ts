import type { ClientBase } from 'pg';

/**
 * Whether a pooler such as PgBouncer answers for the server: then the process at work is not the one that greeted us,
 * and the next transaction may meet another. Nothing of a session holds there: no LISTEN, no lock, no prepared statement.
 */
export async function isPooled(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]!.pid !== (client as ClientBase & { processID: number }).processID;
}
