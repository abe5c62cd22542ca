import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { allAtOnce, tally, type Call } from '../support/callers.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

/* Sessions of one account and of several open charts and break the glass in the same moment. */

interface Patient {
  id: string;
  mrn: string;
  born: string;
}

describe('charts opened at the same time', () => {
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
  const doctor = (): Promise<string> => value('select tests.doctor()');
  const emailOf = (id: string): Promise<string> => value('select tests.email_of_doctor($1)', [id]);

  async function patientOf(...doctors: string[]): Promise<Patient> {
    const patient = await value<string>('select tests.patient()');
    for (const [n, id] of doctors.entries()) {
      await admin.query(
        `select tests.appointment($1, $2, now() - make_interval(days => $3), status => 'completed')`,
        [id, patient, n + 1],
      );
    }
    const { rows } = await admin.query<Patient>(
      'select id, mrn, date_of_birth::text as born from hospital.patients where id = $1',
      [patient],
    );
    return rows[0]!;
  }
  const open = (email: string, patient: Patient, purpose = 'treatment'): Call => ({
    email,
    sql: 'select * from hospital.open_chart($1, $2)',
    values: [patient.id, purpose],
  });
  const breakGlass = (email: string, { mrn, born }: Patient): Call => ({
    email,
    sql: `select * from hospital.break_glass('Collapsed', mrn => $1, date_of_birth => $2)`,
    values: [mrn, born],
  });
  /** How many looks at a chart are on record, by how many accounts, in how many sessions. */
  const looks = ({ id }: Patient): Promise<number[]> =>
    value(
      `select array[count(distinct c.id), count(distinct c.account_id), count(o.session_id)]::integer[]
       from audit.chart_accesses as c
       join audit.chart_openings as o on o.access_id = c.id
       where c.patient_id = $1`,
      [id],
    );
  const granted = ({ id }: Patient): Promise<number[]> =>
    value(
      `select array[
         (select count(*) from hospital.break_glass_grants where patient_id = $1),
         (select count(*) from hospital.notifications where patient_id = $1 and reason like 'break_glass:%')
       ]::integer[]`,
      [id],
    );
  /** Only these endings occurred, the first of them at least once. */
  const only = (calls: Record<string, number>, ...endings: string[]): void => {
    assert.deepEqual(Object.keys(calls).filter((ending) => !endings.includes(ending)), []);
    assert.ok(calls[endings[0]!]);
  };

  test('16 sessions of one account make one look, and the chart is open in every one', async () => {
    const id = await doctor();
    const patient = await patientOf(id);
    const email = await emailOf(id);
    const outcomes = await allAtOnce(database, Array.from({ length: 16 }, () => open(email, patient)));
    assert.deepEqual(tally(outcomes), { done: 16 });
    assert.deepEqual(await looks(patient), [1, 1, 16]);
  });

  test('sessions of two accounts for two purposes make four looks', async () => {
    const doctors = [await doctor(), await doctor()];
    const patient = await patientOf(...doctors);
    const emails = [await emailOf(doctors[0]!), await emailOf(doctors[1]!)];
    const outcomes = await allAtOnce(
      database,
      Array.from({ length: 16 }, (_, n) =>
        open(emails[n % 2]!, patient, n % 4 < 2 ? 'treatment' : 'quality'),
      ),
    );
    assert.deepEqual(tally(outcomes), { done: 16 });
    assert.deepEqual(await looks(patient), [4, 2, 16]);
  });

  for (const isolation of ['repeatable read', 'serializable'] as const) {
    test(`under ${isolation} too there is one look, and nobody reads without it`, async () => {
      const id = await doctor();
      const patient = await patientOf(id);
      const email = await emailOf(id);
      const outcomes = await allAtOnce(
        database,
        Array.from({ length: 8 }, () => ({ ...open(email, patient), isolation })),
      );
      const calls = tally(outcomes);
      only(calls, 'done', '40001');
      assert.deepEqual(await looks(patient), [1, 1, calls['done']]);
    });
  }

  test('8 sessions that break the glass at once get one grant, one message and one look', async () => {
    const patient = await patientOf();
    const email = await emailOf(await doctor());
    const outcomes = await allAtOnce(database, Array.from({ length: 8 }, () => breakGlass(email, patient)));
    assert.deepEqual(tally(outcomes), { done: 8 });
    assert.deepEqual(await granted(patient), [1, 1]);
    assert.deepEqual(await looks(patient), [1, 1, 8]);
  });

  test('under repeatable read as well', async () => {
    const patient = await patientOf();
    const email = await emailOf(await doctor());
    const calls = tally(
      await allAtOnce(
        database,
        Array.from({ length: 8 }, (): Call => ({ ...breakGlass(email, patient), isolation: 'repeatable read' })),
      ),
    );
    only(calls, 'done', '40001', '23P01');
    assert.deepEqual(await granted(patient), [1, 1]);
  });

  for (const isolation of [undefined, 'repeatable read', 'serializable'] as const) {
    test(`where the next waits for the review, of 6 patients at once one is reached (${isolation ?? 'read committed'})`, async () => {
      await admin.query('update hospital_private.privacy_rules set break_glass_waits_for_review = true');
      try {
        const email = await emailOf(await doctor());
        const patients: Patient[] = [];
        while (patients.length < 6) patients.push(await patientOf());
        const calls = tally(
          await allAtOnce(
            database,
            patients.map((patient): Call => ({ ...breakGlass(email, patient), ...(isolation && { isolation }) })),
          ),
        );
        only(calls, 'done', 'RVIEW', '40001', '23505');
        assert.equal(calls['done'], 1);
        const grants = await value(
          'select count(*)::integer from hospital.break_glass_grants where patient_id = any ($1)',
          [patients.map(({ id }) => id)],
        );
        assert.equal(grants, 1);
      } finally {
        await admin.query('update hospital_private.privacy_rules set break_glass_waits_for_review = false');
      }
    });
  }

  const read = async (client: Client, { id }: Patient): Promise<number | null> =>
    (await client.query('select from hospital.visits where patient_id = $1', [id])).rowCount;

  for (const [isolation, seen] of [['read committed', 0], ['repeatable read', 1]] as const) {
    test(`what is ended in another session is closed in the midst of a transaction, or at the latest after it (${isolation})`, async () => {
      const patient = await patientOf(await doctor());
      await admin.query('select tests.visit(id) from hospital.appointments where patient_id = $1', [patient.id]);
      const email = await emailOf(await doctor());
      const client = new Client({ connectionString: database.url('postgres') });
      await client.connect();
      try {
        const { rows } = await client.query('select * from tests.new_session($1)', [email]);
        const session = Object.values(rows[0]);
        const begin = async (level: string): Promise<void> => {
          await client.query(`begin isolation level ${level}`);
          await client.query('select tests.claim(row($1, $2, $3, $4, $5, $6)::hospital.login_result)', session);
        };
        await begin('read committed');
        await client.query(breakGlass(email, patient).sql, breakGlass(email, patient).values);
        await client.query('commit');

        await begin(isolation);
        assert.equal(await read(client, patient), 1);
        const end = { email, sql: 'select hospital.end_break_glass(id) from hospital.break_glass_grants' };
        assert.deepEqual(tally(await allAtOnce(database, [end])), { done: 1 });
        assert.equal(await read(client, patient), seen);
        await client.query('commit');
        await begin(isolation);
        assert.equal(await read(client, patient), 0);
      } finally {
        await client.end();
      }
    });
  }
});
