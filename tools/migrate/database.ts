import type { Client } from 'pg';
import { withClient } from '../database.ts';
import { codeOf, Failure } from '../failure.ts';
import { inPostgres } from './roles.ts';

/** The part of a server (tools/cluster/server.ts) that is needed here. */
export interface Administered {
  url(role: 'postgres' | 'hospital_owner', database?: string): string;
}

/** Roles that may connect; the groups are only ever reached with `set role`. */
const loginRoles = 'hospital_authenticator, hospital_worker, hospital_backup, hospital_monitor';

/**
 * Creates the database if it is absent, owned by hospital_owner, and lets only Infirmary's login roles
 * connect to it. Safe to repeat and safe for several callers at once. The roles must exist.
 * @returns whether it was created now
 * @throws Failure when it is absent and the administrator may not create it
 */
export async function prepareDatabase(server: Administered, name: string): Promise<boolean> {
  return withClient(inPostgres(server.url('postgres')), async (client) => {
    const database = client.escapeIdentifier(name);
    const { rows } = await client.query<{ ours: boolean }>(
      `select pg_has_role(datdba, 'usage') as ours from pg_database where datname = $1`,
      [name],
    );
    if (rows.length > 0 && !rows[0]?.ours) return false;
    const prepared = asOwner(client, async () => {
      const created = rows.length === 0 && (await create(client, database));
      await client.query(
        `begin;
         revoke all on database ${database} from public;
         grant connect on database ${database} to ${loginRoles};
         commit`,
      );
      return created;
    });
    return prepared.catch((error) => {
      if (codeOf(error) !== '42501') throw error;
      throw new Failure(
        `The database ${database} does not exist, and this role may not create it.`,
        `As a superuser: create database ${database} owner hospital_owner encoding 'UTF8' template template0;`,
        { cause: error },
      );
    });
  });
}

/**
 * Makes the administrator a member of hospital_owner while `work` runs, where he is no superuser: else he could give no
 * database to it. Others who prepare one at once wait: each takes back what he was given, and two grants on the same row
 * at once are an error.
 */
async function asOwner<Result>(client: Client, work: () => Promise<Result>): Promise<Result> {
  await client.query('select pg_advisory_lock(4677462437)');
  try {
    const { rows } = await client.query<{ may: boolean; options: string }>(
      `select
         pg_has_role('hospital_owner', 'usage') as may,
         case when current_setting('server_version_num')::integer >= 160000 then ' with inherit true, set true' else '' end as options`,
    );
    const { may, options } = rows[0]!;
    if (may) return await work();
    await client.query(`grant hospital_owner to current_user${options}`);
    return await work().finally(() => client.query('revoke hospital_owner from current_user'));
  } finally {
    await client.query('select pg_advisory_unlock(4677462437)');
  }
}

async function create(client: Client, database: string): Promise<boolean> {
  try {
    // template0: nothing a site may have left in template1 becomes part of the hospital.
    await client.query(
      `create database ${database} owner hospital_owner encoding 'UTF8' template template0`,
    );
    return true;
  } catch (error) {
    // 42P04 and 23505: somebody else created it meanwhile.
    if (['42P04', '23505'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
}
