import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { checkWorld } from './finder.ts';
import { runOperations } from './operations.ts';
import { seedOf } from './random.ts';

/* The test of the tests: what is taken out of the database is missed. */

const trial = {
  operations: (database: TestDatabase, seed: number) => runOperations(database, seed, 500),
  finder: async (database: TestDatabase, seed: number) => {
    const client = new Client({ connectionString: database.url('postgres') });
    await client.connect();
    try {
      await checkWorld(client, seed, 1);
    } finally {
      await client.end();
    }
  },
};

const injuries: [string, keyof typeof trial, string][] = [
  [
    'the constraint on doctors',
    'operations',
    'alter table hospital.appointments drop constraint appointments_doctor_never_double_booked',
  ],
  [
    'the trigger that ends holds',
    'operations',
    'drop trigger _350_lapse_holds_insert on hospital.appointments',
  ],
  [
    'the trigger that keeps appointments within the hours',
    'operations',
    'drop trigger _310_keep_appointments on hospital.doctor_time_off',
  ],
  ['the history of changes', 'operations', 'drop trigger _700_history_update on hospital.appointments'],
  [
    'the first of two equal hours',
    'finder',
    `create or replace function hospital_private.wall_instant(local timestamp, zone text)
     returns timestamptz language sql stable strict
     as 'select local at time zone zone'`,
  ],
];

describe('a database that lacks', () => {
  const seed = seedOf();

  for (const [what, by, injury] of injuries) {
    test(`${what} is found out`, async (t) => {
      const database = await cloneDatabase();
      const client = new Client({ connectionString: database.url('postgres') });
      await client.connect();
      try {
        await client.query(injury);
      } finally {
        await client.end();
      }
      let told: string | undefined;
      let runs = 0;
      for (; !told && runs < 40; runs++) {
        told = await trial[by](database, seed + runs).then(
          () => undefined,
          (error: Error) => error.message,
        );
      }
      t.diagnostic(`after ${runs} runs: ${told?.slice(0, 200)}`);
      assert.match(told ?? 'nothing', /INFIRMARY_SEED=/);
    });
  }
});
