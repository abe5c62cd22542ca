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
 * and their sessions too; what was published of it, since no period is published twice; and what the
 * warehouse knows of their past. Code lists refer to nothing and stay. What is kept as it was written (the
 * log of looks at charts) goes with the patients it is about: its guards are off until the transaction ends.
 */
export async function erase(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ on: string; guard: string }>(
    `select tgrelid::regclass::text as on, tgname as guard
     from pg_trigger
     where tgfoid = 'hospital_private.keep_as_written()'::regprocedure and tgname ~ 'keep_all$'`,
  );
  const switchAll = async (state: string): Promise<void> => {
    for (const { on, guard } of rows) await client.query(`alter table ${on} ${state} trigger ${guard}`);
  };
  await switchAll('disable');
  await client.query('truncate hospital.facilities, hospital.patients restart identity cascade');
  await switchAll('enable');
  await client.query(
    'truncate masked.publications, masked.published_appointments, masked.published_diagnoses',
  );
  // Keys are given anew, and a doctor of today has no past as another one.
  await client.query(
    'truncate warehouse.department_versions, warehouse.doctor_versions, warehouse.patient_versions',
  );
}
