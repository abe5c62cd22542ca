import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { allAtOnce, tally, type Call } from '../support/callers.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

/* Series take many times at once: the more there is to cross, the surer two would meet in the middle. */

describe('series at the same time', () => {
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

  const patient = (): Promise<string> => value<string>('select tests.patient()');
  const booked = (doctor: string): Promise<number[]> =>
    value<number[]>(
      `select array_agg(s.booked)
       from (
         select count(*)::integer as booked
         from hospital.appointments as a
         where a.doctor_id = $1 and a.status = 'scheduled'
         group by a.patient_id
       ) as s`,
      [doctor],
    );
  const deadlocks = async (): Promise<number> => {
    await admin.query('select pg_stat_force_next_flush(), pg_stat_clear_snapshot()');
    return value<number>(
      'select deadlocks::integer from pg_stat_database where datname = current_database()',
    );
  };
  /** A patient's series of ten weeks with each of the doctors, in this order. */
  async function booking(id: string, wanted: { doctor: string; at: Date }[]): Promise<Call> {
    return {
      email: await value<string>('select tests.email_of_patient($1)', [id]),
      sql: `select s.*
            from unnest($2::bigint[], $3::timestamptz[]) with ordinality as w (doctor_id, at, place)
            cross join lateral hospital.book_series($1, w.doctor_id, tests.type_id(), w.at, 10) as s
            order by w.place`,
      values: [id, wanted.map(({ doctor }) => doctor), wanted.map(({ at }) => at)],
    };
  }
  /** Another doctor's next Tuesday at this hour. */
  async function slot(hour: number): Promise<{ doctor: string; at: Date }> {
    const doctor = await value<string>('select tests.doctor()');
    const at = await value<Date>('select tests.next_working_instant($1, make_time($2, 0, 0))', [doctor, hour]);
    return { doctor, at };
  }

  test('ten patients who want the same ten weeks: one has all of them', async () => {
    const wanted = await slot(10);
    const calls: Call[] = [];
    for (let n = 0; n < 10; n++) calls.push(await booking(await patient(), [wanted]));
    assert.deepEqual(tally(await allAtOnce(database, calls)), { done: 1, SRIES: 9 });
    assert.deepEqual(await booked(wanted.doctor), [10]);
  });

  test('two series in one transaction, crosswise, never deadlock and never share a time', async () => {
    for (let round = 0; round < 5; round++) {
      const wanted = [await slot(10), await slot(11)];
      const calls: Call[] = [];
      for (let n = 0; n < 6; n++) {
        calls.push(await booking(await patient(), n % 2 === 0 ? wanted : wanted.toReversed()));
      }
      const { done = 0, RETRY = 0, SRIES = 0, ...other } = tally(await allAtOnce(database, calls));
      assert.deepEqual(other, {});
      assert.equal(done + RETRY + SRIES, calls.length);
      assert.ok(done <= 1);
      for (const { doctor } of wanted) assert.deepEqual(await booked(doctor), done === 1 ? [10] : null);
    }
    assert.equal(await deadlocks(), 0);
  });

  test('a series that is cancelled while five book its times leaves all of them to one or to nobody', async () => {
    const wanted = await slot(10);
    const [held] = await allAtOnce(database, [await booking(await patient(), [wanted])]);
    const { id, patient_id: holder } = held!.row!;
    const email = await value<string>('select tests.email_of_patient($1)', [holder]);
    const calls: Call[] = [{ email, sql: 'select * from hospital.cancel_series($1)', values: [id] }];
    for (let n = 0; n < 5; n++) calls.push(await booking(await patient(), [wanted]));
    const [cancelled, ...outcomes] = await allAtOnce(database, calls);
    assert.ok(cancelled!.row);
    const { done = 0, SRIES = 0, ...other } = tally(outcomes);
    assert.deepEqual(other, {});
    assert.equal(done + SRIES, outcomes.length);
    assert.ok(done <= 1);
    assert.deepEqual(await booked(wanted.doctor), done === 1 ? [10] : null);
  });
});
