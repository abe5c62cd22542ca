import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { codeOf } from '../../tools/failure.ts';
import { allAtOnce, tally, type Call } from '../support/callers.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

/*
 * Who takes time away and who takes the time reads what the other writes: without a lock both are right as
 * they begin, and both win. Here they are let go in the same moment, on every path, and one of them loses.
 */

interface Place {
  doctor: string;
  patient: string;
  at: Date;
}

/** Ways to take the time of a place away. */
const changes: Record<string, (place: Place, reception: string, administrator: string) => Call> = {
  'another week': ({ doctor }, email) => ({
    email,
    sql: `select * from hospital.set_doctor_schedule($1, '{}')`,
    values: [doctor],
  }),
  'an absence': ({ doctor, at }, email) => ({
    email,
    sql: `select * from hospital.add_time_off($1, $2, $2::timestamptz + interval '1 hour', 'illness')`,
    values: [doctor, at],
  }),
  'a doctor who leaves': ({ doctor }, _, email) => ({
    email,
    sql: 'select * from hospital.update_doctor($1, is_active => false)',
    values: [doctor],
  }),
  'a week deleted by the owner': ({ doctor }) => ({
    login: 'hospital_owner',
    sql: 'delete from hospital.doctor_schedules where doctor_id = $1',
    values: [doctor],
  }),
  'an absence entered by the owner': ({ doctor, at }) => ({
    login: 'hospital_owner',
    sql: `insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
          values ($1, $2, $2::timestamptz + interval '1 hour', 'illness')`,
    values: [doctor, at],
  }),
  'other clocks set by the owner': ({ doctor }) => ({
    login: 'hospital_owner',
    sql: `update hospital.facilities set time_zone = 'Asia/Tokyo'
          where id = (select p.facility_id from hospital.doctors as d
            join hospital.staff_members as m on m.id = d.staff_member_id
            join hospital.departments as p on p.id = m.department_id where d.id = $1)`,
    values: [doctor],
  }),
};

/** Ways to take it. */
const bookings: Record<string, (place: Place, email: string) => Call> = {
  'a patient': ({ doctor, patient, at }, email) => ({
    email,
    sql: 'select * from hospital.book_appointment($1, $2, tests.type_id(), $3)',
    values: [patient, doctor, at],
  }),
  'the owner': ({ doctor, patient, at }) => ({
    login: 'hospital_owner',
    sql: `insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at)
          values ($1, $2, tests.type_id(), $3)`,
    values: [patient, doctor, at],
  }),
};

describe('changes of hours and bookings at the same time', () => {
  let database: TestDatabase;
  let admin: Client;
  let reception: string;
  let administrator: string;

  before(async () => {
    database = await cloneDatabase();
    admin = new Client({ connectionString: database.url('postgres') });
    await admin.connect();
    reception = await value(`select tests.email_of_staff(tests.staff('reception'))`);
    administrator = await value(`select tests.email_of_staff(tests.staff('administrator'))`);
  });
  after(async () => {
    await admin.end();
    await database.drop();
  });

  async function value<T>(sql: string, values: unknown[] = []): Promise<T> {
    const { rows } = await admin.query({ text: sql, values, rowMode: 'array' });
    return rows[0]?.[0] as T;
  }

  async function place(hour = 10): Promise<Place> {
    const doctor = await value<string>('select tests.doctor()');
    return {
      doctor,
      patient: await value('select tests.patient()'),
      at: await value('select tests.next_working_instant($1, make_time($2, 0, 0))', [doctor, hour]),
    };
  }
  const emailOf = (patient: string): Promise<string> => value('select tests.email_of_patient($1)', [patient]);
  const inTheWay = (): Promise<string[]> =>
    value(
      `select array(select a.id from hospital.doctors as d
         cross join lateral unnest(hospital_private.appointments_in_the_way(d.id)) as a (id))`,
    );
  const deadlocks = async (): Promise<number> => {
    await admin.query('select pg_stat_force_next_flush(), pg_stat_clear_snapshot()');
    return value('select deadlocks::integer from pg_stat_database where datname = current_database()');
  };
  const rounds = 6;

  for (const [change, changing] of Object.entries(changes)) {
    for (const [who, booking] of Object.entries(bookings)) {
      test(`${change}, and a booking by ${who}: never both`, async () => {
        const before = await deadlocks();
        for (let round = 0; round < rounds; round++) {
          const where = await place();
          const calls = [
            changing(where, reception, administrator),
            booking(where, await emailOf(where.patient)),
          ];
          if (round % 2) calls.reverse();
          // A patient does not find (NTFND) or name (42501) a doctor who has left.
          const { done = 0, NTFND = 0, '42501': hidden = 0, OUTWH = 0, NOTBK = 0, INWAY = 0, RETRY = 0, ...other } = tally(
            await allAtOnce(database, calls),
          );
          assert.deepEqual(other, {});
          assert.equal(done, 1);
          assert.equal(NTFND + hidden + OUTWH + NOTBK + INWAY + RETRY, 1);
        }
        assert.deepEqual(await inTheWay(), []);
        assert.equal(await deadlocks(), before);
      });
    }
  }

  for (const [who, booking] of Object.entries(bookings)) {
    for (const closing of ['reception', 'the owner']) {
      test(`a record closed by ${closing}, and a booking by ${who}: never both`, async () => {
        for (let round = 0; round < rounds; round++) {
          const where = await place();
          const values = [where.patient];
          const calls: Call[] = [
            closing === 'reception'
              ? { email: reception, sql: `select * from hospital.deactivate_patient($1, 'Moved')`, values }
              : {
                  login: 'hospital_owner',
                  sql: `update hospital.patients set deactivated_at = now(), deactivation_reason = 'Moved'
                        where id = $1`,
                  values,
                },
            booking(where, await emailOf(where.patient)),
          ];
          if (round % 2) calls.reverse();
          const { done = 0, NOTBK = 0, INWAY = 0, RETRY = 0, ...other } = tally(
            await allAtOnce(database, calls),
          );
          assert.deepEqual(other, {});
          assert.equal(done, 1);
          assert.equal(NOTBK + INWAY + RETRY, 1);
        }
      });
    }
  }

  test('ten weeks set at once are all set, one after another', async () => {
    const { doctor } = await place();
    const calls: Call[] = Array.from({ length: 10 }, (_, n) => ({
      email: reception,
      sql: `select * from hospital.set_doctor_schedule(
              $1, array[($2::integer % 5 + 1, make_time(8 + $2, 0, 0), '19:00', null)]::hospital.weekly_shift[])`,
      values: [doctor, n],
    }));
    assert.deepEqual(tally(await allAtOnce(database, calls)), { done: 10 });
    const inForce = await value(
      `select count(*)::integer from hospital.doctor_schedules
       where doctor_id = $1 and effective @> ((now() at time zone 'America/New_York')::date + 30)`,
      [doctor],
    );
    assert.equal(inForce, 1);
  });

  test('an absence and an extra session entered at once leave no absence over a session before it', async () => {
    for (let round = 0; round < rounds; round++) {
      const { doctor, at } = await place();
      const values = [doctor, at];
      const span = `$2::timestamptz, $2::timestamptz + interval '1 hour'`;
      const outcomes = await allAtOnce(database, [
        {
          login: 'hospital_owner',
          sql: `insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
                values ($1, ${span}, 'illness')`,
          values,
        },
        { email: reception, sql: `select * from hospital.add_extra_session($1, ${span})`, values },
      ]);
      const { done = 0, SESSN = 0, ...other } = tally(outcomes);
      assert.deepEqual(other, {});
      assert.equal(outcomes[1]!.code, undefined);
      assert.equal(done + SESSN, 2);
    }
  });

  test('forty who book, move, and change the hours of three doctors meet no deadlock', async () => {
    const before = await deadlocks();
    const places = [await place(9), await place(9), await place(9)];
    const calls: Call[] = [];
    for (let n = 0; n < 40; n++) {
      const { doctor, at } = places[n % 3]!;
      const other = places[(n + 1) % 3]!.doctor;
      const time = new Date(at.getTime() + (n % 8) * 30 * 60_000);
      const patient = await value<string>('select tests.patient()');
      const email = await emailOf(patient);
      if (n % 4 === 0) {
        calls.push({
          email: reception,
          sql: `select hospital.set_doctor_schedule($1, array[(2, $2::time, '18:00', null)]::hospital.weekly_shift[]),
                  hospital.add_time_off($3, $4, $4::timestamptz + interval '20 minutes', 'other')`,
          values: [doctor, n % 8 ? '08:00' : '11:00', other, time],
        });
      } else if (n % 4 === 1) {
        calls.push({
          email,
          sql: `select hospital.reschedule_appointment(b.id, $4, $5)
                from hospital.book_appointment($1, $2, tests.type_id(), $3) as b`,
          values: [patient, doctor, time, at, other],
        });
      } else {
        calls.push({
          email,
          sql: 'select * from hospital.book_appointment($1, $2, tests.type_id(), $3)',
          values: [patient, doctor, time],
        });
      }
    }
    const outcomes = tally(await allAtOnce(database, calls));
    const expected = ['done', 'OUTWH', 'INWAY', 'RETRY', 'SLOTT'];
    assert.deepEqual(
      Object.keys(outcomes).filter((code) => !expected.includes(code)),
      [],
    );
    assert.deepEqual(await inTheWay(), []);
    assert.equal(await deadlocks(), before);
  });

  /** Looks, lets something else be committed, and then runs the statement: what it ended with. */
  async function withOlderSnapshot(level: string, meanwhile: Call, call: Call): Promise<string> {
    const client = new Client({ connectionString: database.url(call.login!) });
    await client.connect();
    try {
      await client.query(`begin isolation level ${level}`);
      await client.query('select count(*) from hospital.doctor_schedules');
      assert.deepEqual(tally(await allAtOnce(database, [meanwhile])), { done: 1 });
      await client.query(call.sql, call.values);
      await client.query('commit');
      return 'done';
    } catch (error) {
      return codeOf(error) ?? String(error);
    } finally {
      await client.end();
    }
  }

  for (const level of ['repeatable read', 'serializable']) {
    for (const [change, changing] of Object.entries(changes)) {
      test(`a booking under ${level} does not miss ${change}`, async () => {
        const where = await place();
        const call = bookings['the owner']!(where, '');
        assert.equal(
          await withOlderSnapshot(level, changing(where, reception, administrator), call),
          '40001',
        );
        assert.deepEqual(await inTheWay(), []);
      });
    }

    test(`a booking under ${level} does not miss that the record was closed`, async () => {
      const where = await place();
      const closing: Call = {
        email: reception,
        sql: `select * from hospital.deactivate_patient($1, 'Moved')`,
        values: [where.patient],
      };
      const call = bookings['the owner']!(where, '');
      assert.equal(await withOlderSnapshot(level, closing, call), '40001');
    });

    test(`hours are not changed and records not closed under ${level}`, async () => {
      const where = await place();
      const booking = bookings['the owner']!(where, '');
      const change = changes['a week deleted by the owner']!(where, '', '');
      assert.equal(await withOlderSnapshot(level, booking, change), 'ISOLN');
      const closing: Call = {
        login: 'hospital_owner',
        sql: 'update hospital.patients set deceased_on = current_date where id = $1',
        values: [where.patient],
      };
      const elsewhere = bookings['the owner']!({ ...(await place(12)), patient: where.patient }, '');
      assert.equal(await withOlderSnapshot(level, elsewhere, closing), 'ISOLN');
    });
  }
});
