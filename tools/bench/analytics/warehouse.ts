import type { Client } from 'pg';
import { ask, withClient } from '../../database.ts';
import type { BenchDatabase } from '../database.ts';

/** The load and the refresh as their jobs do them, each in one snapshot. */
const jobs = ['select ops.load_warehouse()', 'select ops.refresh_views()'];

/** Brings warehouse and views up to the record, and lets the planner know of it. */
export async function fillWarehouse(database: BenchDatabase, name: string): Promise<void> {
  await withClient(database.url('hospital_owner', name), async (owner) => {
    for (const job of jobs) {
      await owner.query('begin isolation level repeatable read');
      await owner.query(job);
      await owner.query('commit');
    }
  });
  const tables = `select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = 'warehouse'
                  union all select format('%I.%I', schemaname, matviewname) from pg_matviews where schemaname = 'warehouse'`;
  // As the one who may do it, and after everything else: autovacuum would come in the middle of a measurement.
  await withClient(database.url('postgres', name), async (client) => {
    const { rows } = await ask(client, tables);
    await client.query(`vacuum (analyze) ${rows.map(([table]) => table).join(', ')}`);
    await client.query('checkpoint');
  });
}

/** Does something in one snapshot and takes it back, so that every round begins with the same rows. */
export async function inSnapshot<Result>(client: Client, work: () => Promise<Result>): Promise<Result> {
  await client.query('begin isolation level repeatable read');
  try {
    return await work();
  } finally {
    await client.query('rollback');
  }
}

/** The facts of which there are the most, in the order in which they are loaded. */
export const facts = [
  'fact_appointments',
  'fact_visits',
  'fact_diagnoses',
  'fact_conditions',
  'fact_prescriptions',
  'fact_treatments',
] as const;
