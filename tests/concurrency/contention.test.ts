import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { codeOf } from '../../tools/failure.ts';
import { randomOf, seedOf } from '../property/random.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';
import { compete, type Prize, writePast } from './soak.ts';

/* Many connections that want the same few times, for INFIRMARY_SOAK_SECONDS (10 unless said). */

const seconds = Number(process.env.INFIRMARY_SOAK_SECONDS || 10);
/** What a client can do something about; the last is a change of status that is not listed. */
const refusals = ['SLOTT', 'PATBU', 'ROOMT', 'RETRY', 'WAITED', 'TRNSN', 'XHOLD', 'NHOLD', 'SRIES', 'TRANSITION'];

describe(`contention for ${seconds} seconds`, () => {
  let database: TestDatabase;
  let admin: Client;
  const seed = seedOf();

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

  /** Four doctors who share two rooms, and times on a Tuesday that overlap by half. */
  async function prizeOf(patients: number): Promise<Prize> {
    const department = await value<string>('select tests.department()');
    const room = (): Promise<string> => value('select tests.room($1)', [department]);
    const rooms = [await room(), await room()];
    const doctors: string[] = [];
    for (let n = 0; n < 4; n++)
      doctors.push(await value('select tests.doctor($1, null, $2)', [department, rooms[n % 2]]));
    const first = await value<Date>('select tests.next_working_instant($1)', [doctors[0]]);
    return {
      doctors,
      patients: await value('select array(select tests.patient() from generate_series(1, $1))', [patients]),
      times: Array.from({ length: 16 }, (_, n) => new Date(first.getTime() + n * 15 * 60_000)),
      appointments: [],
      holds: [],
    };
  }

  /** A connection whose session is a receptionist's. */
  async function receptionist(): Promise<Client> {
    const { rows } = await admin.query<{ id: string; secret: string }>(
      `select s.session_id as id, s.session_secret as secret
       from (select tests.email_of_staff(tests.staff('reception')) as email) as a
       cross join lateral tests.new_session(a.email) as s`,
    );
    const client = new Client({ connectionString: database.url('hospital_authenticator') });
    await client.connect();
    await client.query(
      `select
         set_config('role', 'hospital_reception', false),
         set_config('infirmary.session_id', $1, false),
         set_config('infirmary.session_secret', $2, false),
         set_config('statement_timeout', '0', false),
         set_config('lock_timeout', '0', false)`,
      [rows[0]!.id, rows[0]!.secret],
    );
    return client;
  }

  /** As the server counts them, once every connection but ours has told it. */
  async function deadlocks(): Promise<number> {
    for (;;) {
      const others = await value<number>(
        `select count(*)::integer from pg_stat_activity
         where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`,
      );
      if (others === 0) break;
    }
    await admin.query('select pg_stat_force_next_flush(), pg_stat_clear_snapshot()');
    return value('select deadlocks::integer from pg_stat_database where datname = current_database()');
  }

  const overlaps = (): Promise<number> =>
    value<number>(
      `with active as (
         select * from hospital.appointments
         where status in ('held', 'scheduled', 'checked_in', 'in_progress')
           and (expires_at is null or expires_at > clock_timestamp())
       )
       select count(*)::integer
       from active as a
       join active as b on b.id > a.id and b.busy && a.busy
         and (b.doctor_id = a.doctor_id or b.patient_id = a.patient_id or b.room_id = a.room_id)`,
    );

  test('64 people who want the same few times meet clear refusals and no deadlock', async (t) => {
    t.diagnostic(`INFIRMARY_SEED=${seed}`);
    const prize = await prizeOf(64);
    const before = await deadlocks();
    const clients: Client[] = [];
    const counts: Record<string, number> = {};
    try {
      for (let n = 0; n < 64; n++) clients.push(await receptionist());
      const until = Date.now() + seconds * 1000;
      await Promise.all([
        ...clients.map((client, n) => compete(client, randomOf(seed + n), prize, until, counts)),
        watch(prize, until),
      ]);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
    t.diagnostic(JSON.stringify(counts));
    assert.deepEqual(
      Object.keys(counts).filter((ending) => ending !== 'done' && !refusals.includes(ending)),
      [],
    );
    assert.ok(counts.done! > 0);
    assert.equal(await overlaps(), 0);
    assert.equal(await deadlocks(), before);
  });

  /** Meanwhile tells what there is, and lets holds run out: only a superuser can make time pass. */
  async function watch(prize: Prize, until: number): Promise<void> {
    while (Date.now() < until) {
      const standing = (status: string): Promise<string[]> =>
        value('select array(select id::text from hospital.appointments where status = $1)', [status]);
      prize.appointments = await standing('scheduled');
      prize.holds = await standing('held');
      await admin.query(
        `update hospital.appointments
         set expires_at = clock_timestamp() - interval '1 second'
         where id = (
           select id
           from hospital.appointments
           where status = 'held'
           order by random()
           limit 1
           for update skip locked
         )`,
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test('who writes past the functions never makes a function the victim of a deadlock', async (t) => {
    const prize = await prizeOf(16);
    const [clients, owners]: Client[][] = [[], []];
    const [counts, past]: Record<string, number>[] = [{}, {}];
    try {
      for (let n = 0; n < 16; n++) clients!.push(await receptionist());
      for (let n = 0; n < 8; n++) {
        const owner = new Client({ connectionString: database.url('hospital_owner') });
        await owner.connect();
        owners!.push(owner);
      }
      const until = Date.now() + (seconds * 1000) / 2;
      await Promise.all([
        ...clients!.map((client, n) => compete(client, randomOf(seed + n), prize, until, counts!)),
        ...owners!.map((owner, n) => writePast(owner, randomOf(seed + 100 + n), prize, until, past!)),
        watch(prize, until),
      ]);
    } finally {
      await Promise.all([...clients!, ...owners!].map((client) => client.end()));
    }
    t.diagnostic(`through functions ${JSON.stringify(counts)}, past them ${JSON.stringify(past)}`);
    assert.deepEqual(Object.keys(counts!).filter((ending) => ending.includes('40P01')), []);
    assert.ok(counts!.done! > 0 && past!.done! > 0);
    assert.equal(await overlaps(), 0);
  });

  test('16 owners who insert past the functions leave one appointment in each slot', async () => {
    const { doctors, patients, times } = await prizeOf(16);
    // These two share no room.
    const halfHours = times.filter((_, n) => n % 2 === 0);
    const slots = doctors.slice(0, 2).flatMap((doctor) => halfHours.map((at) => ({ doctor, at })));
    const counts: Record<string, number> = {};
    await Promise.all(
      patients.map(async (patient, n) => {
        const random = randomOf(seed + n);
        const client = new Client({ connectionString: database.url('hospital_owner') });
        await client.connect();
        try {
          for (let wanted = [...slots]; wanted.length > 0;) {
            const slot = random.pick(wanted);
            const code = await insert(client, patient, slot.doctor, slot.at);
            counts[code] = (counts[code] ?? 0) + 1;
            // Not even after a deadlock: of those who wait for each other the last is never a victim, so
            // somebody gets the slot. Losers that try again at once can keep all of them waiting for ever.
            wanted = wanted.filter((other) => other !== slot);
          }
        } finally {
          await client.end();
        }
      }),
    );
    assert.deepEqual(
      Object.keys(counts).filter((code) => !['done', '23P01', '40P01'].includes(code)),
      [],
    );
    const { rows } = await admin.query<{ taken: number }>(
      `select count(*)::integer as taken
       from hospital.appointments
       where doctor_id = any ($1) and status = 'scheduled'
       group by doctor_id, starts_at`,
      [doctors],
    );
    assert.equal(rows.length, slots.length);
    assert.ok(rows.every(({ taken }) => taken === 1));
    assert.equal(await overlaps(), 0);
  });

  async function insert(client: Client, patient: string, doctor: string, at: Date): Promise<string> {
    try {
      await client.query(
        `insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at)
         values ($1, $2, tests.type_id(), $3)`,
        [patient, doctor, at],
      );
      return 'done';
    } catch (error) {
      const code = codeOf(error);
      if (!code) throw error;
      return code;
    }
  }
});
