import type pg from 'pg';
import { Failure } from '../failure.ts';
import { tableNames, tables } from './tables.ts';

/**
 * Refuses a hospital that has data already. The tables are locked until the transaction ends, so that two
 * seeds, or a seed and somebody at work, do not mix.
 * @throws Failure with the first table that has rows.
 */
export async function requireEmpty(client: pg.Client): Promise<void> {
  const names = tableNames.map((name) => `${tables[name].schema}.${name}`);
  await client.query(`lock table ${names.join(', ')} in share row exclusive mode`);
  for (const name of names) {
    const { rowCount } = await client.query(`select from ${name} limit 1`);
    if (!rowCount) continue;
    throw new Failure(
      `The hospital has data already (${name}); nothing was changed.`,
      'infirmary seed --erase empties it first: every patient, appointment, member of staff and account is lost.',
    );
  }
}

/**
 * Empties the hospital: facilities and patients, and with them everything that refers to them, accounts
 * and their sessions too. Code lists refer to nothing and stay.
 */
export async function erase(client: pg.Client): Promise<void> {
  await client.query('truncate hospital.facilities, hospital.patients restart identity cascade');
}
