import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { allAtOnce, tally, type Call } from '../support/callers.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

/* Real parallel connections, each with a session of its own, released in one moment. */

describe('bookings at the same time', () => {
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

  async function patients(count: number): Promise<{ id: string; email: string }[]> {
    const { rows } = await admin.query<{ id: string; email: string }>(
      `select p.id, tests.email_of_patient(p.id) as email
       from (select tests.patient() as id from generate_series(1, $1)) as p`,
      [count],
    );
    return rows;
  }

  const doctor = (): Promise<string> => value<string>('select tests.doctor()');
  const slot = (of: string): Promise<Date> => value<Date>('select tests.next_working_instant($1)', [of]);
  const booking = (email: string, patient: string, of: string, at: Date): Call => ({
    email,
    sql: 'select * from hospital.book_appointment($1, $2, tests.type_id(), $3)',
    values: [patient, of, at],
  });
  const active = (of: string): Promise<number> =>
    value<number>(
      `select count(*)::integer from hospital.appointments where doctor_id = $1 and status = 'scheduled'`,
      [of],
    );
  const overlaps = (): Promise<number> =>
    value<number>(
      `select count(*)::integer
       from hospital.appointments as a
       join hospital.appointments as b on b.id > a.id and b.busy && a.busy
         and (b.doctor_id = a.doctor_id or b.patient_id = a.patient_id or b.room_id = a.room_id)
       where a.status = 'scheduled' and b.status = 'scheduled'`,
    );

  test('50 patients who want one slot get one appointment, 49 refusals and no deadlock', async () => {
    const wanted = await doctor();
    const at = await slot(wanted);
    const outcomes = await allAtOnce(
      database,
      (await patients(50)).map(({ id, email }) => booking(email, id, wanted, at)),
    );
    assert.deepEqual(tally(outcomes), { done: 1, SLOTT: 49 });
    assert.equal(await active(wanted), 1);
  });

  test('50 patients who want overlapping slots never overlap', async () => {
    const wanted = await doctor();
    const at = await slot(wanted);
    const outcomes = await allAtOnce(
      database,
      (await patients(50)).map(({ id, email }, n) =>
        booking(email, id, wanted, new Date(at.getTime() + (n % 10) * 10 * 60_000)),
      ),
    );
    const { done, ...refused } = tally(outcomes);
    assert.deepEqual(Object.keys(refused), ['SLOTT']);
    assert.equal(await active(wanted), done);
    assert.equal(await overlaps(), 0);
  });

  test('a patient who books ten doctors at once has one appointment', async () => {
    const [patient] = await patients(1);
    const calls: Call[] = [];
    for (let n = 0; n < 10; n++) {
      const wanted = await doctor();
      calls.push(booking(patient!.email, patient!.id, wanted, await slot(wanted)));
    }
    assert.deepEqual(tally(await allAtOnce(database, calls)), { done: 1, PATBU: 9 });
  });

  test('ten doctors who share a room are not booked in it at once', async () => {
    const department = await value<string>('select tests.department()');
    const room = await value<string>('select tests.room($1)', [department]);
    const calls: Call[] = [];
    for (const { id, email } of await patients(10)) {
      const wanted = await value<string>('select tests.doctor($1, null, $2)', [department, room]);
      calls.push(booking(email, id, wanted, await slot(wanted)));
    }
    assert.deepEqual(tally(await allAtOnce(database, calls)), { done: 1, ROOMT: 9 });
  });

  test('inserts past the function, as the owner, still leave one appointment', async () => {
    const wanted = await doctor();
    const at = await slot(wanted);
    const outcomes = await allAtOnce(
      database,
      (await patients(12)).map(({ id }) => ({
        login: 'hospital_owner',
        sql: `insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at)
              select $1, $2, t.id, $3 from hospital.appointment_types as t where t.code = 'consultation'`,
        values: [id, wanted, at],
      })),
    );
    const { done, ...refused } = tally(outcomes);
    assert.equal(done, 1);
    // Bare inserts under an exclusion constraint may deadlock; what may not happen is a second booking.
    assert.ok(Object.keys(refused).every((code) => ['23P01', '40P01'].includes(code)), JSON.stringify(refused));
    assert.equal(await active(wanted), 1);
  });

  test('a slot that is cancelled while ten want it goes to one of them or to nobody', async () => {
    for (let round = 0; round < 5; round++) {
      const [holder, ...others] = await patients(11);
      const wanted = await doctor();
      const at = await slot(wanted);
      const held = await value<string>('select tests.appointment($1, $2, $3)', [wanted, holder!.id, at]);
      const [cancelled, ...booked] = await allAtOnce(database, [
        { email: holder!.email, sql: 'select * from hospital.cancel_appointment($1)', values: [held] },
        ...others.map(({ id, email }) => booking(email, id, wanted, at)),
      ]);
      assert.equal(cancelled!.row?.status, 'cancelled');
      const { done = 0, SLOTT = 0, ...other } = tally(booked);
      assert.deepEqual(other, {});
      assert.equal(done + SLOTT, 10);
      assert.ok(done <= 1);
      assert.equal(await active(wanted), done);
    }
  });

  test('a patient who cancels ten times at once is cancelled once', async () => {
    const [patient] = await patients(1);
    const wanted = await doctor();
    const held = await value<string>('select tests.appointment($1, $2)', [wanted, patient!.id]);
    const call: Call = {
      email: patient!.email,
      sql: 'select * from hospital.cancel_appointment($1)',
      values: [held],
    };
    assert.deepEqual(tally(await allAtOnce(database, Array<Call>(10).fill(call))), { done: 10 });
    assert.equal(
      await value<number>(
        `select count(*)::integer from hospital.appointment_status_history
         where appointment_id = $1 and to_status = 'cancelled'`,
        [held],
      ),
      1,
    );
  });

  test('ten visits recorded of one appointment are one visit', async () => {
    const wanted = await doctor();
    const held = await value<string>('select tests.appointment($1)', [wanted]);
    const email = await value<string>('select tests.email_of_doctor($1)', [wanted]);
    const call: Call = { email, sql: 'select * from hospital.record_visit($1)', values: [held] };
    assert.deepEqual(tally(await allAtOnce(database, Array<Call>(10).fill(call))), { done: 1, 23505: 9 });
  });
});
