import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { allAtOnce, tally, type Call } from '../support/callers.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

describe('registrations and log-ins at the same time', () => {
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

  async function value<T>(sql: string, values: unknown[] = []): Promise<T> {
    const { rows } = await admin.query({ text: sql, values, rowMode: 'array' });
    return rows[0]?.[0] as T;
  }

  const registration = (family: string, email: string, doctor: string, at: Date): Call => ({
    sql: `select * from hospital.register_patient_and_book(
            'New', $1, '1990-01-01', 'other', $2, tests.type_id(), $3, $4, 'a long password')`,
    values: [family, doctor, at, email],
  });
  const left = (family: string): Promise<unknown> =>
    value(
      `select json_build_object(
         'patients', count(p.id), 'accounts', count(a.id), 'appointments', count(b.id))
       from hospital.patients as p
       left join hospital_private.accounts as a on a.patient_id = p.id
       left join hospital.appointments as b on b.patient_id = p.id
       where p.family_name = $1`,
      [family],
    );

  test('20 visitors who register for one slot leave one patient, and no half of another', async () => {
    const doctor = await value<string>('select tests.doctor()');
    const at = await value<Date>('select tests.next_working_instant($1)', [doctor]);
    const calls = Array.from({ length: 20 }, (_, n) =>
      registration('Slot', `slot${n}@example.test`, doctor, at),
    );
    assert.deepEqual(tally(await allAtOnce(database, calls)), { done: 1, SLOTT: 19 });
    assert.deepEqual(await left('Slot'), { patients: 1, accounts: 1, appointments: 1 });
  });

  test('ten registrations with one address leave one patient, and no half of another', async () => {
    const doctor = await value<string>('select tests.doctor()');
    const at = await value<Date>('select tests.next_working_instant($1)', [doctor]);
    const calls = Array.from({ length: 10 }, (_, n) =>
      registration('Address', 'one@example.test', doctor, new Date(at.getTime() + n * 30 * 60_000)),
    );
    assert.deepEqual(tally(await allAtOnce(database, calls)), { done: 1, 23505: 9 });
    assert.deepEqual(await left('Address'), { patients: 1, accounts: 1, appointments: 1 });
  });

  test('20 wrong passwords at once lock the account after five', async () => {
    const email = 'guessed@example.test';
    await value('select tests.patient($1)', [email]);
    const call: Call = { sql: `select * from hospital.log_in($1, 'a wrong password')`, values: [email] };
    const outcomes = await allAtOnce(database, Array<Call>(20).fill(call));
    assert.deepEqual(new Set(outcomes.map(({ row }) => row?.outcome)), new Set(['refused']));
    assert.deepEqual(
      await value(
        `select json_build_array(failed_attempts, locked_until > now()) from hospital_private.accounts where email = $1`,
        [email],
      ),
      [5, true],
    );
  });

  test('a refresh token used ten times at once is granted once and ends its session', async () => {
    await value('select tests.patient($1)', ['copied@example.test']);
    const { rows } = await admin.query('select * from tests.new_session($1)', ['copied@example.test']);
    const { refresh_token: token, session_id: session } = rows[0] as Record<string, string>;
    const call: Call = { sql: 'select * from hospital.refresh_session($1)', values: [token] };
    const outcomes = await allAtOnce(database, Array<Call>(10).fill(call));
    assert.equal(outcomes.filter(({ row }) => row?.outcome === 'granted').length, 1);
    assert.equal(outcomes.filter(({ row }) => row?.outcome === 'refused').length, 9);
    assert.equal(
      await value('select revoked_reason from hospital_private.sessions where id = $1', [session]),
      'refresh_reused',
    );
  });
});
