import type pg from 'pg';
import { ask, withClient } from '../database.ts';
import { codeOf, Failure } from '../failure.ts';

const ours = /^FIRST 1 \(("[a-z0-9_]+"(?:, "[a-z0-9_]+")*)\)$/;

/** The standbys of which one must have a commit before it is acknowledged, or undefined when others than us said so. */
export function readNames(setting: string): string[] | undefined {
  return setting === '' ? [] : ours.exec(setting)?.[1]!.split(', ').map((name) => name.slice(1, -1));
}

/**
 * From now on no commit is acknowledged before the standby has it on disk; or, with `wanted` false, it is
 * waited for no longer. Whoever waits already is let go on.
 * @param url a superuser of the primary
 * @returns whether that changed anything
 */
export async function requireStandby(url: string, name: string, wanted: boolean): Promise<boolean> {
  return withClient(url, async (client) => {
    const setting = String((await ask(client, 'show synchronous_standby_names')).rows[0]![0]);
    const names = readNames(setting);
    if (!names) {
      throw new Failure(
        `synchronous_standby_names is "${setting}", which was not set here.`,
        "Change it by hand, as a superuser: alter system set synchronous_standby_names = '…'; select pg_reload_conf()",
      );
    }
    if (names.includes(name) === wanted) return false;
    if (wanted) await refuseAbsent(client, name);
    const next = wanted ? [...names, name] : names.filter((each) => each !== name);
    const value = next.length === 0 ? '' : `FIRST 1 (${next.map((each) => `"${each}"`).join(', ')})`;
    await change(client, value);
    return true;
  });
}

async function refuseAbsent(client: pg.Client, name: string): Promise<void> {
  const { count } = await ask(client, `select from pg_stat_replication where application_name = $1 and state = 'streaming'`, [name]);
  if (count > 0) return;
  throw new Failure(`The standby "${name}" does not follow: nobody could write.`, 'infirmary standby status says why.');
}

async function change(client: pg.Client, value: string): Promise<void> {
  try {
    await client.query(`alter system set synchronous_standby_names = '${value}'`);
    await client.query('select pg_reload_conf()');
  } catch (error) {
    if (codeOf(error) !== '42501') throw error;
    throw new Failure(
      'Only a superuser decides whether commits wait for a standby.',
      `Give one in DATABASE_ADMIN_URL, or let him run: alter system set synchronous_standby_names = '${value}'; select pg_reload_conf()`,
      { cause: error },
    );
  }
}
