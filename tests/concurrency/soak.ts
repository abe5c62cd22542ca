import type { Client } from 'pg';
import { codeOf } from '../../tools/failure.ts';
import type { Random } from '../property/random.ts';

/** A few doctors and times that many want. */
export interface Prize {
  doctors: string[];
  patients: string[];
  /** Instants at which every doctor works. */
  times: Date[];
  /** Appointments and holds that stood a moment ago. */
  appointments: string[];
  holds: string[];
}

/** Statements of one attempt, run in one transaction when there are two. */
interface Attempt {
  name: string;
  statements: { sql: string; values: unknown[] }[];
}

const wishes: ((random: Random, prize: Prize) => Attempt)[] = [
  (random, prize) => ({ name: 'book', statements: [book(random, prize)] }),
  (random, prize) => ({ name: 'book two', statements: [book(random, prize), book(random, prize)] }),
  (random, prize) => ({ name: 'move', statements: [move(random, prize)] }),
  (random, prize) => ({ name: 'move two', statements: [move(random, prize), move(random, prize)] }),
  (random, prize) => ({
    name: 'cancel and book',
    statements: [cancel(random, prize), book(random, prize)],
  }),
  (random, prize) => ({ name: 'cancel', statements: [cancel(random, prize)] }),
  (random, prize) => ({ name: 'hold', statements: [{ ...book(random, prize), sql: holdSql }] }),
  (random, prize) => ({ name: 'confirm', statements: [confirm(random, prize)] }),
  (random, prize) => ({ name: 'series', statements: [{ ...book(random, prize), sql: seriesSql }] }),
];

const bookSql = 'select * from hospital.book_appointment($1, $2, tests.type_id(), $3)';
const holdSql = 'select * from hospital.hold_slot($1, $2, tests.type_id(), $3)';
const seriesSql =
  'select * from hospital.book_series($1, $2, tests.type_id(), $3, 3, skip_impossible => true)';

function book(random: Random, { doctors, patients, times }: Prize): Attempt['statements'][number] {
  return { sql: bookSql, values: [random.pick(patients), random.pick(doctors), random.pick(times)] };
}

function move(random: Random, prize: Prize): Attempt['statements'][number] {
  return {
    sql: 'select * from hospital.reschedule_appointment($1, $2, $3)',
    values: [random.pick(prize.appointments), random.pick(prize.times), random.pick(prize.doctors)],
  };
}

function cancel(random: Random, { appointments }: Prize): Attempt['statements'][number] {
  return {
    sql: `select * from hospital.cancel_appointment($1, 'doctor_unavailable')`,
    values: [random.pick(appointments)],
  };
}

function confirm(random: Random, { holds, appointments }: Prize): Attempt['statements'][number] {
  return {
    sql: 'select * from hospital.confirm_hold($1)',
    values: [random.pick(holds.length > 0 ? holds : appointments)],
  };
}

/** Attempts whatever comes to mind until the time is over, and counts how the attempts ended. */
export async function compete(
  client: Client,
  random: Random,
  prize: Prize,
  until: number,
  counts: Record<string, number>,
): Promise<void> {
  while (Date.now() < until) {
    // Before there are appointments there is nothing to move.
    const wish = prize.appointments.length > 0 ? random.pick(wishes) : wishes[0]!;
    const attempt = wish(random, prize);
    const ending = await run(client, attempt);
    counts[ending] = (counts[ending] ?? 0) + 1;
  }
}

/** As the owner, by bare statements: moves rows, and inserts for two doctors in one transaction. */
export async function writePast(
  client: Client,
  random: Random,
  prize: Prize,
  until: number,
  counts: Record<string, number>,
): Promise<void> {
  const insert = {
    sql: `insert into hospital.appointments (patient_id, doctor_id, appointment_type_id, starts_at)
          values ($1, $2, tests.type_id(), $3)`,
  };
  while (Date.now() < until) {
    const isMove = prize.appointments.length > 0 && random.chance(0.5);
    const statements = isMove
      ? [
          {
            sql: 'update hospital.appointments set starts_at = $2, doctor_id = $3 where id = $1',
            values: move(random, prize).values,
          },
        ]
      : [
          { ...insert, values: book(random, prize).values },
          { ...insert, values: book(random, prize).values },
        ];
    const ending = await run(client, { name: 'past', statements });
    counts[ending.slice(0, 11)] = (counts[ending.slice(0, 11)] ?? 0) + 1;
  }
}

async function run(client: Client, { name, statements }: Attempt): Promise<string> {
  const isOne = statements.length === 1;
  try {
    if (!isOne) await client.query('begin');
    for (const { sql, values } of statements) await client.query(sql, values);
    if (!isOne) await client.query('commit');
    return 'done';
  } catch (error) {
    if (!isOne) await client.query('rollback');
    const code = codeOf(error);
    if (!code) throw error;
    const { constraint } = error as { constraint?: string };
    if (constraint === 'appointment_status_history_transition_allowed') return 'TRANSITION';
    // A wait that was too long is TRY_AGAIN for a client, as RETRY is.
    if (code === '55P03') return 'WAITED';
    return /^[A-Z]{5}$/.test(code) ? code : `${name}: ${code} ${(error as Error).message}`;
  }
}
