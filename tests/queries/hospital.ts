import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { run } from '../../tools/commands/queries.ts';
import { asObjects, ask, withClient } from '../../tools/database.ts';
import { findQuery, type Query, readCatalogue } from '../../tools/queries/catalogue.ts';
import { seed } from '../../tools/seed/index.ts';
import { cloneDatabase, type TestDatabase } from '../support/database.ts';

export type Row = Record<string, unknown>;

/**
 * The last day of the data is in the week in which clocks change. What is still to come of it has gone by as well: an
 * appointment that began while it was being seeded would be refused.
 */
const sizes = { patients: 600, doctors: 110, appointments: 6000, randomSeed: 1, asOf: '2025-10-30' };

/** A visit that was not entered in error, with what the answers are made of, told apart by plain code. */
export interface Visit {
  id: string;
  appointmentId: string;
  patientId: string;
  personId: string;
  doctorId: string;
  departmentId: string;
  type: string;
  plannedAt: number;
  startedAt: number;
  endedAt: number | null;
  local: Local;
  diagnosis: string | null;
  notes: string | null;
  recordUuid: string;
  /** The principal diagnosis. */
  codeId: string | null;
  code: string | null;
  category: string | null;
}

/** What the wall clock showed. */
export interface Local {
  day: string;
  hour: number;
  minute: number;
}

/**
 * A seeded hospital in which what only use brings has happened too, and its plain rows. The checks of the answers
 * compute from these rows, in loops: a second way to the same answer, which shares no technique with the first.
 */
export interface Hospital {
  database: TestDatabase;
  catalogue: Query[];
  visits: Visit[];
  answer(name: string): Promise<Row[]>;
  rows<Kind = Row>(sql: string): Promise<Kind[]>;
}

export async function openHospital(prepare: (database: TestDatabase) => Promise<void> = async () => {}): Promise<Hospital> {
  const database = await cloneDatabase();
  await seed(database.url('hospital_owner'), sizes);
  await happen(database);
  await prepare(database);
  const catalogue = await readCatalogue();
  const rows = <Kind>(sql: string): Promise<Kind[]> =>
    withClient(database.url('hospital_owner'), async (client) => asObjects(await ask(client, sql)) as Kind[]);
  return {
    database,
    catalogue,
    visits: await readVisits(rows),
    rows,
    answer: async (name) => asObjects(await run(database.url('hospital_owner'), findQuery(catalogue, name))),
  };
}

/** What a seed does not bring: merges and looks at charts, by those who may; and the rest, in happened.sql. */
async function happen(database: TestDatabase): Promise<void> {
  const client = new Client({ connectionString: database.url('postgres') });
  await client.connect();
  const as = async (email: string, statements: string[]): Promise<void> => {
    await client.query('begin');
    await client.query('select tests.authenticate_as($1)', [email]);
    for (const statement of statements) await client.query(statement);
    await client.query('commit');
  };
  try {
    const quiet = await idsOf(
      client,
      `select p.id
       from hospital.patients as p
       where p.deceased_on is null
         and not exists (
           select
           from hospital.appointments as a
           where a.patient_id = p.id
             and a.status = 'scheduled'
         )
         and not exists (
           select
           from hospital.waitlist_entries as w
           where w.patient_id = p.id
             and w.status = 'waiting'
         )
         and (select count(*) from hospital.visits as v where v.patient_id = p.id) >= 8
       order by p.id`,
    );
        await as(
      'administrator@infirmary.example',
      [0, 2, 4].map((n) => `select hospital.merge_patients(${quiet[n]}, ${quiet[n + 1]}, 'Registered twice')`),
    );

    const roster = await idsOf(
      client,
      `select distinct a.patient_id as id
       from hospital.appointments as a
       join hospital.doctors as d
         on d.id = a.doctor_id
       join hospital_private.accounts as c
         on c.staff_member_id = d.staff_member_id
       where c.email = 'doctor@infirmary.example'
       order by a.patient_id
       limit 5`,
    );
    await as(
      'doctor@infirmary.example',
      roster.flatMap((id) => ['treatment', 'care_coordination'].map((purpose) => `select hospital.open_chart(${id}, '${purpose}')`)),
    );
    // Two doctors who are new, and so have no hours yet, and are called to an emergency.
    const { rows: called } = await client.query<{ email: string }>(
      'select tests.email_of_doctor(tests.doctor(schedule => false)) as email from generate_series(1, 2)',
    );
    for (const [place, { email }] of called.entries()) {
      const { rows: found } = await client.query<{ mrn: string; born: string }>(
        'select mrn, date_of_birth::text as born from hospital.patients order by id limit $1',
        [place + 2],
      );
      await as(
        email,
        found.map(({ mrn, born }) => `select hospital.break_glass('Found unconscious', mrn => '${mrn}', date_of_birth => '${born}')`),
      );
    }

    await client.query(await readFile(path.join(import.meta.dirname, 'happened.sql'), 'utf8'));
  } finally {
    await client.end();
  }
}

async function idsOf(client: Client, sql: string): Promise<string[]> {
  return (await client.query<{ id: string }>(sql)).rows.map(({ id }) => id);
}

async function readVisits(rows: Hospital['rows']): Promise<Visit[]> {
  const read = await rows<Omit<Visit, 'local'> & { zone: string }>(`
    select
      v.id, v.appointment_id as "appointmentId", v.patient_id as "patientId", p.person_id as "personId",
      v.doctor_id as "doctorId", a.department_id as "departmentId", t.code as type,
      extract(epoch from a.starts_at)::float8 * 1000 as "plannedAt",
      extract(epoch from v.started_at)::float8 * 1000 as "startedAt",
      extract(epoch from v.ended_at)::float8 * 1000 as "endedAt",
      v.diagnosis, v.notes, v.record_uuid as "recordUuid", f.time_zone as zone,
      c.id as "codeId", c.code, left(c.code, 3) as category
    from hospital.visits as v
    join hospital.patients as p on p.id = v.patient_id
    join hospital.appointments as a on a.id = v.appointment_id
    join hospital.appointment_types as t on t.id = a.appointment_type_id
    join hospital.departments as d on d.id = a.department_id
    join hospital.facilities as f on f.id = d.facility_id
    left join hospital.visit_diagnoses as g on g.visit_id = v.id and g.rank = 1 and g.voided_at is null
    left join hospital.diagnosis_codes as c on c.id = g.diagnosis_code_id
    where v.voided_at is null
    order by v.started_at, v.id`);
  return read.map(({ zone, ...visit }) => ({ ...visit, local: localOf(visit.startedAt, zone) }));
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What a wall clock of the zone shows at an instant, as the platform's own calendar has it. */
export function localOf(instant: number, zone: string): Local {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
    clocks.set(zone, clock);
  }
  const [day, time] = clock.format(instant).split(' ') as [string, string];
  const [hour, minute] = time.split(':').map(Number) as [number, number];
  return { day, hour, minute };
}

/** Days since 1970 of a date like 2025-10-30, so that days can be counted with. */
export function dayNumber(day: string): number {
  return Date.parse(`${day}T00:00Z`) / 86_400_000;
}

export function dateOf(number: number): string {
  return new Date(number * 86_400_000).toISOString().slice(0, 10);
}

/** 1 for Monday to 7 for Sunday. */
export function weekdayOf(day: string): number {
  return new Date(`${day}T00:00Z`).getUTCDay() || 7;
}

export function groupBy<Item>(items: Iterable<Item>, keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

/** By interpolation between neighbours, as percentile_cont has it. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place));
}

/** Code points, as the database sorts text. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What the answers show of an interval, like 01:30:00 or 2 days 03:00:00, in minutes. */
export function minutesOf(interval: unknown): number {
  const [, days, hours, minutes, seconds] = /^(?:(-?\d+) days? ?)?(?:(\d+):(\d+):([\d.]+))?$/.exec(String(interval))!;
  return Number(days ?? 0) * 1440 + Number(hours ?? 0) * 60 + Number(minutes ?? 0) + Number(seconds ?? 0) / 60;
}

/** An instant as the database prints it in UTC, in milliseconds. */
export function instantOf(text: unknown): number {
  return Date.parse(String(text).replace(' ', 'T').replace(/\+00$/, 'Z'));
}

/** Whether rows stand in the order of these columns; one that begins with a minus counts down. Nulls come last. */
export function assertOrder(answer: readonly Row[], columns: readonly string[]): void {
  const valueOf = (row: Row, column: string): unknown => row[column.replace('-', '')] ?? null;
  for (const [n, row] of answer.slice(1).entries()) {
    const before = answer[n]!;
    const decides = columns.find((column) => valueOf(before, column) !== valueOf(row, column));
    if (decides === undefined) continue;
    const [a, b] = [valueOf(before, decides), valueOf(row, decides)];
    const isNumeric = [a, b].every((value) => value === null || (value !== '' && !Number.isNaN(Number(value))));
    const distance = b === null ? -1 : a === null ? 1 : isNumeric ? Number(a) - Number(b) : compareText(String(a), String(b));
    const isRight = b === null || a === null ? distance < 0 : decides.startsWith('-') ? distance > 0 : distance < 0;
    assert.ok(isRight, `${decides}: ${String(b)} stands after ${String(a)}.`);
  }
}
