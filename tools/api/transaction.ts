import type { Pool, PoolClient } from 'pg';

/**
 * Runs work in one transaction as the caller the claims describe, the way GraphQL's own requests run.
 * Rolls back and rethrows when the work fails.
 * @param begin how the transaction begins, where another isolation is wanted
 */
export async function asCaller<T>(
  pool: Pool,
  claims: Readonly<Record<string, string>>,
  work: (client: PoolClient) => Promise<T>,
  begin = 'begin',
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    await client.query('select set_config(key, value, true) from json_each_text($1)', [
      JSON.stringify(claims),
    ]);
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => (broken = failure));
    throw error;
  } finally {
    // A connection that cannot even roll back is thrown away: it may still carry somebody's claims.
    client.release(broken);
  }
}
