import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { allAtOnce, tally, type Call } from '../support/callers.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

/*
 * Merging closes a record and points it at another. Whoever books for it, merges either of the two or acts for
 * them in the same moment must not end with a booking nobody sees, a chain, or a right that was taken away.
 */
describe('merges and proxies at the same time as everything else', () => {
  let database: TestDatabase;
  let admin: Client;
  let administrator: string;
  const rounds = 6;

  before(async () => {
    database = await cloneDatabase();
    admin = new Client({ connectionString: database.url('postgres') });
    await admin.connect();
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

  const merging: Record<string, (duplicate: string, survivor: string) => Call> = {
    'an administrator': (duplicate, survivor) => ({
      email: administrator,
      sql: `select hospital.merge_patients($1, $2, 'Same passport')`,
      values: [duplicate, survivor],
    }),
    'the owner': (duplicate, survivor) => ({
      login: 'hospital_owner',
      sql: 'update hospital.patients set merged_into_id = $2 where id = $1',
      values: [duplicate, survivor],
    }),
  };
  const patients = (count: number): Promise<string[]> =>
    value('select array(select tests.patient()::text from generate_series(1, $1))', [count]);
  const chains = (): Promise<number> =>
    value(`select count(*)::integer from hospital.patients as d
           join hospital.patients as s on s.id = d.merged_into_id where s.merged_into_id is not null`);

  for (const [who, merge] of Object.entries(merging)) {
    for (const booker of ['the patient', 'the owner', 'an old snapshot', 'a move of what was missed']) {
      test(`a merge by ${who}, and a booking for the duplicate by ${booker}: never both`, async () => {
        for (let round = 0; round < rounds; round++) {
          const [duplicate, survivor] = (await patients(2)) as [string, string];
          const doctor = await value<string>('select tests.doctor()');
          const at = await value<Date>('select tests.next_working_instant($1)', [doctor]);
          const values = [duplicate, doctor, at];
          const missed = await value(
            `select tests.appointment($2, $1, $3::timestamptz - interval '14 days')`,
            values,
          );
          const insert = `insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at)
                          values ($1, $2, tests.type_id(), $3)`;
          const bookings: Record<string, Call> = {
            'the patient': {
              email: await value('select tests.email_of_patient($1)', [duplicate]),
              sql: 'select * from hospital.book_appointment($1, $2, tests.type_id(), $3)',
              values,
            },
            'the owner': { login: 'hospital_owner', sql: insert, values },
            'an old snapshot': {
              login: 'hospital_owner',
              isolation: 'repeatable read',
              sql: insert,
              values,
            },
            'a move of what was missed': {
              login: 'hospital_owner',
              sql: 'update hospital.appointments set starts_at = $2 where id = $1',
              values: [missed, at],
            },
          };
          const calls = [merge(duplicate, survivor), bookings[booker]!];
          if (round % 2) calls.reverse();
          const { done = 0, INWAY = 0, NOTBK = 0, RETRY = 0, ...other } = tally(
            await allAtOnce(database, calls),
          );
          const serialization = other['40001'] ?? 0;
          delete other['40001'];
          assert.deepEqual(other, {});
          assert.equal(done, 1);
          assert.equal(INWAY + NOTBK + RETRY + serialization, 1);
        }
      });
    }

    test(`a person whose records are merged by ${who} while both are booked is not in two places`, async () => {
      for (let round = 0; round < rounds; round++) {
        const [duplicate, survivor] = (await patients(2)) as [string, string];
        const doctors = await value<string[]>('select array[tests.doctor(), tests.doctor()]::text[]');
        const at = await value<Date>('select tests.next_working_instant($1)', [doctors[0]]);
        const book = async (patient: string, doctor: string): Promise<Call> => ({
          email: await value('select tests.email_of_patient($1)', [patient]),
          sql: 'select * from hospital.book_appointment($1, $2, tests.type_id(), $3)',
          values: [patient, doctor, at],
        });
        const calls = [
          await book(survivor, doctors[0]!),
          merge(duplicate, survivor),
          await book(duplicate, doctors[1]!),
        ];
        if (round % 2) calls.reverse();
        const { done = 0 } = tally(await allAtOnce(database, calls));
        assert.ok(done >= 1);
      }
      assert.equal(
        await value(`select count(*)::integer
          from hospital.appointments as a
          join hospital.patients as p on p.id = a.patient_id
          join hospital.patients as q on q.person_id = p.person_id
          join hospital.appointments as b on b.patient_id = q.id and b.id > a.id and b.busy && a.busy
          where a.status = 'scheduled' and b.status = 'scheduled'`),
        0,
      );
    });

    test(`two who are merged into each other by ${who} end as one, or not at all`, async () => {
      for (let round = 0; round < rounds; round++) {
        const [a, b] = (await patients(2)) as [string, string];
        const { done = 0 } = tally(await allAtOnce(database, [merge(a, b), merge(b, a)]));
        assert.equal(done, 1);
        assert.equal(
          await value('select count(*)::integer from hospital.patients where person_id = any ($1)', [[a, b]]),
          2,
        );
      }
      assert.equal(await chains(), 0);
    });

    test(`of merges by ${who} that would make a chain, one stands`, async () => {
      for (let round = 0; round < rounds; round++) {
        const [a, b, c] = (await patients(3)) as [string, string, string];
        const { done = 0 } = tally(await allAtOnce(database, [merge(a, b), merge(b, c)]));
        assert.equal(done, 1);
      }
      assert.equal(await chains(), 0);
    });

    test(`four duplicates merged by ${who} into one record at once are all merged`, async () => {
      const [survivor, ...duplicates] = (await patients(5)) as [string, ...string[]];
      const outcomes = await allAtOnce(
        database,
        duplicates.map((duplicate) => merge(duplicate, survivor)),
      );
      assert.deepEqual(tally(outcomes), { done: 4 });
    });
  }

  test('a chart opened while its merge is undone is not left open', async () => {
    for (let round = 0; round < rounds; round++) {
      const [duplicate, survivor] = (await patients(2)) as [string, string];
      const doctor = await value<string>('select tests.doctor()');
      const email = await value<string>('select tests.email_of_doctor($1)', [doctor]);
      await admin.query('select tests.appointment($1, $2)', [doctor, survivor]);
      await admin.query('update hospital.patients set merged_into_id = $2 where id = $1', [
        duplicate,
        survivor,
      ]);
      const calls: Call[] = [
        { email, sql: 'select hospital.open_chart($1)', values: [duplicate] },
        { email: administrator, sql: 'select hospital.unmerge_patients($1)', values: [duplicate] },
      ];
      if (round % 2) calls.reverse();
      await allAtOnce(database, calls);
      assert.equal(
        await value(
          `select count(*)::integer from audit.chart_openings as c join hospital_private.sessions as s on s.id = c.session_id
           where c.patient_id = $1 and s.revoked_at is null`,
          [duplicate],
        ),
        0,
      );
    }
  });

  test('a grant made twice at once is made once', async () => {
    const mine = await value<string>('select tests.patient()');
    const other = await value<string>('select public_uuid from hospital.patients where id = $1', [
      await value('select tests.patient()'),
    ]);
    const grant: Call = {
      email: await value('select tests.email_of_patient($1)', [mine]),
      sql: `select hospital.grant_proxy($1, $2, 'spouse')`,
      values: [mine, other],
    };
    assert.deepEqual(tally(await allAtOnce(database, [grant, grant, grant])), { done: 1, '23P01': 2 });
  });

  test('a proxy in the middle of a transaction sees what is granted, and nothing once it is revoked', async () => {
    const mine = await value<string>('select tests.patient()');
    const proxy = await value<string>('select tests.patient()');
    const { id, secret } = (
      await admin.query(
        'select session_id as id, session_secret as secret from tests.new_session(tests.email_of_patient($1))',
        [proxy],
      )
    ).rows[0];
    const client = new Client({ connectionString: database.url('hospital_authenticator') });
    await client.connect();
    const open = async (isolation: string): Promise<void> => {
      await client.query(`begin isolation level ${isolation}`);
      await client.query(
        `select set_config('role', 'hospital_patient', true), set_config('infirmary.session_id', $1, true),
           set_config('infirmary.session_secret', $2, true)`,
        [id, secret],
      );
    };
    const seen = async (): Promise<boolean> =>
      (await client.query('select from hospital.patients where id = $1', [mine])).rowCount === 1;
    try {
      await open('read committed');
      assert.equal(await seen(), false);
      const grant = await value<string>(`select tests.proxy($1, $2, 'spouse')`, [mine, proxy]);
      assert.equal(await seen(), true);
      await admin.query('update hospital.patient_proxies set revoked_at = clock_timestamp() where id = $1', [
        grant,
      ]);
      assert.equal(await seen(), false);
      await client.query('commit');

      // An older snapshot does not know of a revocation, but the clock it cannot hold.
      await admin.query('update hospital.patient_proxies set revoked_at = null where id = $1', [grant]);
      await admin.query(
        `update hospital.patient_proxies set granted = tstzrange(lower(granted), clock_timestamp() + interval '1 second')
         where id = $1`,
        [grant],
      );
      await open('repeatable read');
      await seen();
      await client.query('select pg_sleep(1.1)');
      assert.equal(await seen(), false);
      await client.query('commit');
    } finally {
      await client.end();
    }
  });
});
