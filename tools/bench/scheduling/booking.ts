import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { ask } from '../../database.ts';
import { codeOf, Failure } from '../../failure.ts';
import { durabilitySql } from '../environment.ts';
import type { Contender, Sample } from '../comparison.ts';

/** A time that can be booked, with all that the row of an appointment holds. */
export interface Slot {
  patient_id: string;
  doctor_id: string;
  department_id: string;
  room_id: string | null;
  appointment_type_id: string;
  starts_at: string;
  ends_at: string;
  busy: string;
}

/** One way to write an appointment, with what it may be refused by. */
export interface Way {
  name: string;
  table: string;
  sql: string;
  values(slot: Slot): unknown[];
  refusals: string[];
}

export const booking: Way = {
  name: 'bookAppointment',
  table: 'hospital.appointments',
  sql: 'select (hospital.book_appointment($1, $2, $3, $4)).id',
  values: (slot) => [slot.patient_id, slot.doctor_id, slot.appointment_type_id, slot.starts_at],
  refusals: ['SLOTT'],
};

/** A bare insert of the whole row. */
export function insert(name: string, table: string, refusals: string[] = []): Way {
  return {
    name,
    table,
    sql: `insert into ${table} (
        patient_id, doctor_id, department_id, room_id, appointment_type_id, starts_at, ends_at, busy, status
      )
      values ($1, $2, $3, $4, $5, $6, $7, $8, 'scheduled')
      returning id`,
    values: (slot) => [
      slot.patient_id, slot.doctor_id, slot.department_id, slot.room_id,
      slot.appointment_type_id, slot.starts_at, slot.ends_at, slot.busy,
    ],
    refusals,
  };
}

/** How a round takes its slots: which, and by how many connections each of them is wanted. */
export interface Rush {
  /** One for each connection: the slots it tries, in its order. */
  of(round: number): Slot[][];
  /** How many appointments are there when the round is over. */
  booked(round: number): number;
  /** Whether all connections begin each of their slots in the same moment. */
  inStep: boolean;
}

/**
 * A closed loop of connections that stay, each committing every attempt. The session's claims are set once: what is
 * compared is the statement, not what surrounds it.
 */
export function bookingContender(
  url: string,
  connections: number,
  claims: Record<string, string>,
  way: Way,
  rush: Rush,
): Contender & { end(): Promise<void> } {
  const clients: Client[] = [];
  let round = 0;
  const open = async (): Promise<void> => {
    while (clients.length < connections) {
      const client = new Client({ connectionString: url });
      client.on('error', () => {});
      await client.connect();
      // Without the API's timeout, which bare inserts that wait for each other do not keep.
      const settings = { ...claims, statement_timeout: '0' };
      await client.query('select set_config(key, value, false) from json_each_text($1)', [JSON.stringify(settings)]);
      clients.push(client);
    }
  };
  const attempt = async (client: Client, slot: Slot): Promise<boolean> => {
    try {
      await client.query({ name: 'attempt', text: way.sql, values: way.values(slot) });
      return true;
    } catch (error) {
      if (!way.refusals.includes(codeOf(error) ?? '')) throw error;
      return false;
    }
  };
  const play = async (): Promise<{ attempts: number; milliseconds: number }> => {
    const wanted = rush.of(round);
    let done = 0;
    const began = performance.now();
    const take = async (slots: Slot[], place: number): Promise<void> => {
      for (const slot of slots) if (await attempt(clients[place]!, slot)) done += 1;
    };
    if (rush.inStep) {
      for (const step of wanted[0]!.keys()) {
        await Promise.all(wanted.map((slots, place) => take(slots.slice(step, step + 1), place)));
      }
    } else await Promise.all(wanted.map(take));
    const milliseconds = performance.now() - began;
    if (done !== rush.booked(round)) {
      throw new Failure(`${way.name} booked ${done} times where ${rush.booked(round)} were right.`);
    }
    round += 1;
    return { attempts: wanted.flat().length, milliseconds };
  };
  const deadlocks = async (): Promise<number> => {
    for (const client of clients) await client.query('select pg_stat_force_next_flush()');
    const sql = 'select deadlocks::integer from pg_stat_database where datname = current_database()';
    return (await ask(clients[0]!, sql)).rows[0]![0] as number;
  };
  return {
    name: way.name,
    conditions: async () => {
      await open();
      await play();
      const look = `select current_user::text, ${durabilitySql}`;
      const [role, durability] = (await ask(clients[0]!, look)).rows[0] as string[];
      // What was written, but for keys and the moment of writing, and for who won where many wanted it.
      const [slot] = rush.of(0)[0]!;
      const isContested = rush.booked(0) < rush.of(0).flat().length;
      const { rows } = await ask(
        clients[0]!,
        `select to_jsonb(a) - $3::text[]
         from ${way.table} as a
         where a.starts_at = $1 and a.doctor_id = $2 and a.status = 'scheduled'`,
        [
          slot!.starts_at,
          slot!.doctor_id,
          ['id', 'public_uuid', 'created_at', 'updated_at', ...(isContested ? ['patient_id'] : [])],
        ],
      );
      const digest = createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 12);
      return { rows: `${rush.booked(0)} booked, like ${digest}`, role: role!, durability: durability! };
    },
    sample: async (): Promise<Sample> => {
      const before = await deadlocks();
      const { attempts, milliseconds } = await play();
      return { rate: (attempts / milliseconds) * 1000, deadlocks: (await deadlocks()) - before };
    },
    end: async () => {
      for (const client of clients) await client.end();
    },
  };
}
