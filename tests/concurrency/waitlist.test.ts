import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { allAtOnce, tally, type Call, type Outcome } from '../support/callers.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

/* Real parallel connections, each with a session of its own, released in one moment. */

interface Person {
  id: string;
  email: string;
}
/** A booked slot, with the patient who can give it back. */
interface Slot {
  doctor: string;
  at: Date;
  holder: Person;
  appointment: string;
}

describe('the waitlist at the same time', () => {
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

  async function column<T>(sql: string, values: unknown[] = []): Promise<T[]> {
    const { rows } = await admin.query({ text: sql, values, rowMode: 'array' });
    return rows.map((row: unknown[]) => row[0] as T);
  }
  const value = async <T>(sql: string, values: unknown[] = []): Promise<T> => (await column<T>(sql, values))[0] as T;

  async function person(): Promise<Person> {
    const id = await value<string>('select tests.patient()');
    return { id, email: await value<string>('select tests.email_of_patient($1)', [id]) };
  }
  async function people(count: number): Promise<Person[]> {
    const all: Person[] = [];
    while (all.length < count) all.push(await person());
    return all;
  }

  async function slot(department: string): Promise<Slot> {
    const doctor = await value<string>('select tests.doctor($1)', [department]);
    const at = await value<Date>('select tests.next_working_instant($1)', [doctor]);
    const holder = await person();
    const appointment = await value<string>('select tests.appointment($1, $2, $3)', [doctor, holder.id, at]);
    return { doctor, at, holder, appointment };
  }
  /** Puts them onto the waitlist of the department, one after the other. */
  async function wait(waiters: Person[], department: string): Promise<void> {
    for (const { id } of waiters)
      await admin.query(
        `insert into hospital.waitlist_entries (patient_id, appointment_type_id, department_id, starts_before)
         values ($1, tests.type_id(), $2, now() + interval '30 days')`,
        [id, department],
      );
  }
  const cancel = ({ holder, appointment }: Slot): Call => ({
    email: holder.email,
    sql: 'select * from hospital.cancel_appointment($1)',
    values: [appointment],
  });
  const book = ({ id, email }: Person, { doctor, at }: Slot): Call => ({
    email,
    sql: 'select * from hospital.book_appointment($1, $2, tests.type_id(), $3)',
    values: [id, doctor, at],
  });
  const answer = (email: string, verb: 'accept' | 'refuse', offer: string): Call => ({
    email,
    sql: `select * from hospital.${verb}_offer($1)`,
    values: [offer],
  });
  const expire: Call = { login: 'hospital_worker', sql: 'select ops.expire_holds()' };
  const offerAll: Call = { login: 'hospital_worker', sql: 'select ops.offer_waitlist()' };

  interface Offer {
    id: string;
    doctor_id: string;
    patient_id: string;
    email: string;
  }
  const offers = async (department: string): Promise<Offer[]> =>
    (
      await admin.query<Offer>(
        `select a.id, a.doctor_id, a.patient_id, tests.email_of_patient(a.patient_id) as email
         from hospital.appointments as a
         where a.department_id = $1 and a.status = 'held' and a.waitlist_entry_id is not null
         order by a.id`,
        [department],
      )
    ).rows;
  /** Frees a slot that one waiter is then offered. */
  async function offered(department: string): Promise<{ slot: Slot; waiter: Person; offer: string }> {
    const free = await slot(department);
    const waiter = await person();
    await wait([waiter], department);
    assert.deepEqual(tally(await allAtOnce(database, [cancel(free)])), { done: 1 });
    const [offer] = await offers(department);
    return { slot: free, waiter, offer: offer!.id };
  }
  const active = (of: string): Promise<string[]> =>
    column<string>(
      `select patient_id from hospital.appointments where doctor_id = $1 and status in ('held', 'scheduled')`,
      [of],
    );
  const only = (outcomes: Outcome[], ...codes: string[]): void => {
    const others = Object.keys(tally(outcomes)).filter((code) => !codes.includes(code));
    assert.deepEqual(others, [], JSON.stringify(tally(outcomes)));
  };

  test('two slots freed at once and five who wait: each slot goes to one, nobody gets two', async () => {
    for (let round = 0; round < 12; round++) {
      const department = await value<string>('select tests.department()');
      const slots = [await slot(department), await slot(department)];
      const waiters = await people(5);
      await wait(waiters, department);
      const calls = slots.map(cancel);
      // Every other round the jobs run at the same moment too.
      if (round % 2 === 1) calls.push(offerAll, expire);
      const outcomes = await allAtOnce(database, calls);
      assert.deepEqual(tally(outcomes), { done: calls.length });
      const made = await offers(department);
      const ofSlots = made.filter(({ doctor_id }) => slots.some(({ doctor }) => doctor === doctor_id));
      assert.equal(new Set(made.map(({ patient_id }) => patient_id)).size, made.length);
      if (round % 2 === 1) continue;
      assert.deepEqual(ofSlots.map(({ doctor_id }) => doctor_id).sort(), slots.map(({ doctor }) => doctor).sort());
      assert.deepEqual(
        ofSlots.map(({ patient_id }) => patient_id).sort(),
        waiters.slice(0, 2).map(({ id }) => id).sort(),
        'Who came first is asked first.',
      );
    }
  });

  test('one who waits for two doctors is asked about one of two times freed at once, by whoever freed them', async () => {
    for (let round = 0; round < 6; round++) {
      const department = await value<string>('select tests.department()');
      const slots = [await slot(department), await slot(department)];
      const waiter = await person();
      for (const { doctor } of slots)
        await admin.query(
          `insert into hospital.waitlist_entries (patient_id, appointment_type_id, doctor_id, starts_before)
           values ($1, tests.type_id(), $2, now() + interval '30 days')`,
          [waiter.id, doctor],
        );
      const raw: Call = {
        login: 'hospital_owner',
        sql: `update hospital.appointments set status = 'cancelled', cancellation_reason = 'patient_request' where id = $1`,
        values: [slots[1]!.appointment],
      };
      const outcomes = await allAtOnce(database, [cancel(slots[0]!), raw, offerAll]);
      assert.deepEqual(tally(outcomes), { done: 3 });
      const made = await offers(department);
      assert.deepEqual(made.map(({ patient_id }) => patient_id), [waiter.id]);
    }
  });

  test('an offer accepted in two sessions at once is accepted once', async () => {
    const department = await value<string>('select tests.department()');
    const { waiter, offer } = await offered(department);
    const outcomes = await allAtOnce(database, Array<Call>(4).fill(answer(waiter.email, 'accept', offer)));
    assert.deepEqual(tally(outcomes), { done: 4 });
    const changes = await column(
      `select to_status from hospital.appointment_status_history where appointment_id = $1 order by id`,
      [offer],
    );
    assert.deepEqual(changes, ['held', 'scheduled']);
  });

  test('an offer accepted and refused at once ends in one of them', async () => {
    for (let round = 0; round < 5; round++) {
      const department = await value<string>('select tests.department()');
      const { waiter, offer, slot: freed } = await offered(department);
      const outcomes = await allAtOnce(database, [
        answer(waiter.email, 'accept', offer),
        answer(waiter.email, 'refuse', offer),
      ]);
      assert.deepEqual(tally(outcomes), { done: 1, TRNSN: 1 });
      const accepted = outcomes[0]!.row !== undefined;
      assert.deepEqual(await active(freed.doctor), accepted ? [waiter.id] : []);
    }
  });

  test('an offer that is accepted, tidied up and booked by another as it runs out has one holder', async () => {
    for (let round = 0; round < 12; round++) {
      const department = await value<string>('select tests.department()');
      const { waiter, offer, slot: freed } = await offered(department);
      const other = await person();
      await admin.query(
        `update hospital.appointments set expires_at = clock_timestamp() + $2 * interval '1 millisecond' where id = $1`,
        [offer, round * 15],
      );
      const outcomes = await allAtOnce(database, [
        answer(waiter.email, 'accept', offer),
        book(other, freed),
        expire,
      ]);
      only(outcomes, 'done', 'XHOLD', 'SLOTT');
      const holders = await active(freed.doctor);
      assert.ok(holders.length <= 1);
      if (outcomes[0]!.row) assert.deepEqual(holders, [waiter.id]);
      if (outcomes[1]!.row) assert.deepEqual(holders, [other.id]);
    }
  });

  test('with the worker dead an offer that ran out blocks nobody', async () => {
    const department = await value<string>('select tests.department()');
    const { offer, slot: freed } = await offered(department);
    await admin.query(
      `update hospital.appointments set expires_at = clock_timestamp() - interval '1 second' where id = $1`,
      [offer],
    );
    const outcomes = await allAtOnce(database, (await people(8)).map((one) => book(one, freed)));
    assert.deepEqual(tally(outcomes), { done: 1, SLOTT: 7 });
    assert.equal((await active(freed.doctor)).length, 1);
  });

  test('who refused is not asked about that time again, whatever happens to it', async () => {
    const department = await value<string>('select tests.department()');
    const { waiter, offer, slot: freed } = await offered(department);
    const others = await people(3);
    await wait(others, department);
    let current: { email: string; offer: string } | undefined = { email: waiter.email, offer };
    const asked: string[] = [];
    while (current) {
      asked.push(current.email);
      const refusal = answer(current.email, 'refuse', current.offer);
      const outcomes = await allAtOnce(database, [refusal, refusal, expire]);
      assert.deepEqual(tally(outcomes), { done: 3 });
      const [next] = await offers(department);
      current = next && { email: next.email, offer: next.id };
    }
    assert.deepEqual(asked, [waiter, ...others].map(({ email }) => email));
    assert.deepEqual(await active(freed.doctor), []);
  });

  test('cancelling, answering, leaving and booking at once end in success or a clear refusal, with no deadlock', async () => {
    const deadlocks = (): Promise<number> =>
      value<number>('select deadlocks::integer from pg_stat_database where datname = current_database()');
    const before = await deadlocks();
    for (let round = 0; round < 8; round++) {
      const department = await value<string>('select tests.department()');
      const { waiter, offer, slot: first } = await offered(department);
      const slots = [await slot(department), await slot(department), await slot(department)];
      const waiters = await people(4);
      await wait(waiters, department);
      const entries = await column<string>(
        'select id from hospital.waitlist_entries where patient_id = any ($1) order by id',
        [[waiter.id, ...waiters.map(({ id }) => id)]],
      );
      const outcomes = await allAtOnce(database, [
        ...slots.map(cancel),
        answer(waiter.email, round % 2 ? 'refuse' : 'accept', offer),
        ...waiters.map(({ email }, n) => ({
          email,
          sql: 'select * from hospital.leave_waitlist($1)',
          values: [entries[n + 1]],
        })).slice(0, 2),
        ...waiters.map((one, n) => book(one, slots[n % 3]!)),
        ...slots.map((one) => book(one.holder, first)),
        expire,
        offerAll,
      ]);
      only(outcomes, 'done', 'SLOTT', 'PATBU', 'RETRY', 'TRNSN');
      const overlaps = await column(
        `select a.id
         from hospital.appointments as a
         join hospital.appointments as b on b.id > a.id and b.busy && a.busy
           and (b.doctor_id = a.doctor_id or b.patient_id = a.patient_id)
         where a.status in ('held', 'scheduled') and b.status in ('held', 'scheduled')`,
      );
      assert.deepEqual(overlaps, []);
    }
    assert.equal(await deadlocks(), before);
  });
});
