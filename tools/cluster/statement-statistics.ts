import { ask, withClient } from '../database.ts';
import { codeOf } from '../failure.ts';

/** The part of a server (server.ts) that is needed here. */
interface Administered {
  url(role: 'postgres', database: string): string;
}

/**
 * Makes the extension behind ops.statement_statistics, which is a superuser's to make, where the server loads it. In a
 * schema of its own: it belongs to the superuser, and to no chapter of ours, so no right there is hospital_monitor's own,
 * which its policies would take back and may not. Where it cannot be, the view says so.
 */
export async function provideStatementStatistics(server: Administered, database: string): Promise<void> {
  await withClient(server.url('postgres', database), async (client) => {
    const { rows } = await ask(
      client,
      `select to_regnamespace('statements') is null
         -- Not to be seen by everybody; whoever may not see it may not make the extension either.
         and exists (select from pg_settings where name = 'shared_preload_libraries' and setting ~ '\\mpg_stat_statements\\M')
         and not exists (select from pg_extension where extname = 'pg_stat_statements')`,
    );
    if (!rows[0]![0]) return;
    await client
      .query('begin; create schema statements; create extension pg_stat_statements schema statements; grant usage on schema statements to pg_monitor; commit')
      .catch(async (error) => {
        await client.query('rollback');
        // Not a superuser; or somebody else has made it meanwhile.
        if (!['42501', '42P06', '42710', '23505', '58P01'].includes(codeOf(error) ?? '')) throw error;
      });
  });
}
