import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { allAtOnce, tally, type Call } from '../support/callers.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

describe('joining the waitlist at the same time', () => {
  let database: TestDatabase;
  let admin: Client;

  before(async () => {
    database = await cloneDatabase();
    admin = new Client({ connectionString: database.url('postgres') });
    await admin.connect();
  });
  after(async () => {
    await admin.end();
    await database.drop();
  });

  const value = async <T>(sql: string, values: unknown[] = []): Promise<T> => {
    const { rows } = await admin.query({ text: sql, values, rowMode: 'array' });
    return rows[0]?.[0] as T;
  };
  const openWishes = (patient: string): Promise<number> =>
    value(
      `select count(*)::integer from hospital.waitlist_entries where patient_id = $1 and status = 'waiting'`,
      [patient],
    );

  /** Joins for a kind of appointment through the function. */
  const join = (patient: string, email: string, department: string, kind: string): Call => ({
    email,
    sql: 'select * from hospital.join_waitlist($1, tests.type_id($2), $3)',
    values: [patient, kind, department],
  });
  /** The same in plain SQL, as who is bound by no policy. */
  const insert = (patient: string, department: string, kind: string): Call => ({
    login: 'postgres',
    sql: `insert into hospital.waitlist_entries (patient_id, appointment_type_id, department_id, starts_before)
          values ($1, tests.type_id($2), $3, now() + interval '30 days')`,
    values: [patient, kind, department],
  });

  test('of sessions that each join for a fifth thing one does, on every path', async () => {
    for (let round = 0; round < 8; round++) {
      const department = await value<string>('select tests.department()');
      const patient = await value<string>('select tests.patient()');
      const email = await value<string>('select tests.email_of_patient($1)', [patient]);
      await admin.query(
        `insert into hospital.waitlist_entries (patient_id, appointment_type_id, department_id, starts_before)
         select $1, tests.type_id(), tests.department(), now() + interval '30 days' from generate_series(1, 4)`,
        [patient],
      );
      const outcomes = await allAtOnce(database, [
        join(patient, email, department, 'follow_up'),
        join(patient, email, department, 'physical'),
        insert(patient, department, 'telehealth'),
        insert(patient, department, 'procedure'),
      ]);
      const { done, ...refused } = tally(outcomes);
      assert.equal(done, 1);
      assert.deepEqual(Object.keys(refused).filter((code) => !['WISHN', 'RETRY'].includes(code)), []);
      assert.equal(await openWishes(patient), 5);
    }
  });

  test('one who joins for the same in several sessions at once has one wish', async () => {
    const department = await value<string>('select tests.department()');
    const patient = await value<string>('select tests.patient()');
    const email = await value<string>('select tests.email_of_patient($1)', [patient]);
    const outcomes = await allAtOnce(database, Array<Call>(4).fill(join(patient, email, department, 'physical')));
    assert.deepEqual(tally(outcomes), { done: 4 });
    assert.equal(await openWishes(patient), 1);
  });
});
