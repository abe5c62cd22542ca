import assert from 'node:assert/strict';
import type { Client } from 'pg';
import { dateText, day, instantText } from './clock.ts';
import { type Doctor, freeStarts, type Kind, refusals, roomAt } from './oracle.ts';
import { type Random, randomOf } from './random.ts';
import {
  addExceptions,
  addRules,
  centreOf,
  makeWorld,
  numberFrom,
  takenOf,
  weekOf,
  type World,
  zones,
} from './world.ts';

const sessionZones = [
  'UTC',
  'Asia/Kolkata',
  'America/Los_Angeles',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
];

/** What was tried in a world. */
export interface Checked {
  offered: number;
  refused: number;
}

/**
 * Makes a random world in a transaction, asks it for free slots, compares them with the oracle's, books
 * each and tries to book what was not offered, and takes everything back. Fails telling the world's seed.
 * `share` is how often the clocks change in it.
 */
export async function checkWorld(client: Client, seed: number, share?: number): Promise<Checked> {
  const random = randomOf(seed);
  const zone = random.pick(zones);
  const began = Date.now() / 60_000;
  // Now and then where notice or horizon end.
  const centre = random.chance(share === undefined ? 0.2 : 0)
    ? Math.floor(began) + random.pick([0, 365, 400]) * day + random.whole(-day, day)
    : centreOf(random, zone, Math.floor(began), share);
  await client.query('begin');
  try {
    const world = await makeWorld(client, random, zone, { doctors: 2, rooms: 2, patients: 3, kinds: 2 });
    const date = Math.floor(world.clock.shows(centre) / day);
    for (const doctor of world.doctors) await addRules(client, doctor, weekOf(random, world.rooms, date));
    await addExceptions(client, random, world, centre);
    await client.query(`select set_config('TimeZone', $1, true)`, [random.pick(sessionZones)]);
    await fill(client, random, world, centre, began);
    const stranger = await numberFrom(client, 'select tests.patient()');
    await client.query(`select tests.authenticate_as_role('reception')`);
    return await compare(client, random, world, stranger, centre, began);
  } catch (error) {
    const where = `INFIRMARY_SEED=${seed}, ${zone}, around ${instantText(centre)}`;
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  } finally {
    await client.query('rollback');
  }
}

const constraints: Record<string, string> = {
  appointments_doctor_never_double_booked: 'SLOTT',
  appointments_patient_never_double_booked: 'PATBU',
  appointments_room_never_double_booked: 'ROOMT',
};

/** Inserts appointments anywhere as the owner: what the oracle allows goes in, and nothing else does. */
async function fill(
  client: Client,
  random: Random,
  world: World,
  centre: number,
  began: number,
): Promise<void> {
  await client.query('set local role hospital_owner');
  for (let n = random.whole(0, 40); n > 0; n--) {
    const doctor = random.pick(world.doctors);
    const kind = random.pick(world.kinds);
    const step = random.pick([1, 5, 15, 15]);
    const startsAt = Math.floor((centre + random.whole(-2 * day, 2 * day)) / step) * step;
    const wish = {
      doctor,
      kind,
      startsAt,
      patientId: random.pick(world.patients),
      isHold: random.chance(0.2),
    };
    // What is past is history, and no promise.
    if (startsAt < began + 60) continue;
    const expected = refusals(world.clock, await takenOf(client, world), wish, Date.now() / 60_000);
    const sql = `insert into hospital.appointments
        (patient_id, doctor_id, appointment_type_id, starts_at, status, expires_at)
      values (${wish.patientId}, ${doctor.id}, ${kind.id}, '${instantText(startsAt)}',
        ${wish.isHold ? `'held', now() + interval '1 hour'` : `'scheduled', null`})`;
    const code = await textFrom(client, 'select tests.constraint_of($1)', [sql]);
    expect(
      constraints[code] ?? code,
      expected,
      `raw insert ${JSON.stringify({ ...wish, doctor: doctor.id })}`,
    );
  }
  await client.query('reset role');
  // Some become free again: called off, or held until a moment ago.
  await client.query(
    `update hospital.appointments
     set status = 'cancelled', cancellation_reason = 'patient_request'
     where id % 5 = 0 and department_id = $1`,
    [world.departmentId],
  );
  await client.query(
    `update hospital.appointments
     set expires_at = clock_timestamp() - interval '1 minute'
     where status = 'held' and id % 2 = 0 and department_id = $1`,
    [world.departmentId],
  );
}

async function compare(
  client: Client,
  random: Random,
  world: World,
  stranger: number,
  centre: number,
  began: number,
): Promise<Checked> {
  const checked = { offered: 0, refused: 0 };
  const taken = await takenOf(client, world);
  for (const kind of world.kinds) {
    const span = { from: centre - random.whole(0, day), to: centre + random.whole(1, day) };
    const all: string[] = [];
    for (const doctor of world.doctors) {
      const starts = freeStarts(world.clock, taken, doctor, kind, span, began);
      const expected = starts.map((start) => told(start, doctor.id, roomAt(world.clock, doctor, start)));
      const offers = await offered(client, { doctor, kind, span });
      const later = freeStarts(world.clock, taken, doctor, kind, span, Date.now() / 60_000);
      // What came too near while it was asked may be told either way: another world will tell.
      if (later.length !== starts.length) return checked;
      same(offers, expected, question(doctor, kind, span));
      all.push(...expected);
      checked.offered += starts.length;
      const asked = [...starts, ...notOffered(random, starts, span)];
      const answers = await book(client, stranger, doctor, kind, asked);
      for (const [n, startsAt] of asked.entries()) {
        const wish = { doctor, kind, startsAt, patientId: stranger };
        const reasons = refusals(world.clock, taken, wish, began);
        if (refusals(world.clock, taken, wish, Date.now() / 60_000).size !== reasons.size) continue;
        expect(answers[n]!, reasons, `book ${instantText(startsAt)} with ${question(doctor, kind, span)}`);
        if (reasons.size > 0) checked.refused++;
      }
    }
    const ofDepartment = await offered(client, { world, kind, span });
    same(ofDepartment.sort(), all.sort(), 'the department offers what its doctors offer');
  }
  return checked;
}

async function offered(
  client: Client,
  {
    doctor,
    world,
    kind,
    span,
  }: { doctor?: Doctor; world?: World; kind: Kind; span: { from: number; to: number } },
): Promise<string[]> {
  const { rows } = await client.query<{ starts: number; doctor: number; room: number | null }>(
    `select
       (extract(epoch from s.starts_at) / 60)::integer as starts,
       s.doctor_id::integer as doctor,
       s.room_id::integer as room
     from hospital.free_slots($1, $2, $3, $4, $5) as s`,
    [doctor?.id, world?.departmentId, kind.id, instantText(span.from), instantText(span.to)],
  );
  return rows.map(({ starts, doctor: by, room }) => told(starts, by, room));
}

function same(offers: string[], expected: string[], what: string): void {
  const missing = expected.filter((one) => !offers.includes(one));
  const wrong = offers.filter((one) => !expected.includes(one));
  assert.ok(
    missing.length + wrong.length === 0,
    `${what}: free and not offered ${JSON.stringify(missing)}, offered and not free ${JSON.stringify(wrong)}`,
  );
  assert.deepEqual(offers, expected, `${what}: in another order`);
}

function told(starts: number, doctorId: number, roomId: number | null): string {
  return `${instantText(starts)} doctor ${doctorId} room ${roomId}`;
}

/** Times near those offered and anywhere else, on the grid of quarter hours and beside it. */
function notOffered(random: Random, starts: number[], span: { from: number; to: number }): number[] {
  const known = new Set(starts);
  const times: number[] = [];
  for (let n = 0; n < 30; n++) {
    const near = starts.length > 0 && random.chance(0.5);
    const time = near
      ? random.pick(starts) + random.pick([-30, -15, -5, -1, 1, 5, 15, 30])
      : Math.floor(random.whole(span.from, span.to) / 15) * 15;
    if (!known.has(time)) times.push(time);
  }
  return times;
}

/** Tries each time alone, as whoever is played, and takes it back. */
async function book(
  client: Client,
  patient: number,
  doctor: Doctor,
  kind: Kind,
  times: number[],
): Promise<string[]> {
  const { rows } = await client.query<{ answer: string }>(
    `select tests.would_be(format(
       'select hospital.book_appointment(%s, %s, %s, %L::timestamptz)',
       $1::bigint, $2::bigint, $3::bigint, wanted.at
     )) as answer
     from unnest($4::timestamptz[]) with ordinality as wanted (at, n)
     order by wanted.n`,
    [patient, doctor.id, kind.id, times.map(instantText)],
  );
  return rows.map(({ answer }) => answer);
}

function expect(answer: string, reasons: Set<string>, what: string): void {
  const known = reasons.size === 0 ? ['accepted'] : [...reasons];
  assert.ok(known.includes(answer), `${what}: ${answer}, and not ${known.join(' or ')}`);
}

function question(doctor: Doctor, kind: Kind, span: { from: number; to: number }): string {
  const rules = doctor.rules.map((rule) => ({
    ...rule,
    from: Number.isFinite(rule.from) ? dateText(rule.from) : '',
    until: Number.isFinite(rule.until) ? dateText(rule.until) : '',
  }));
  const spans = [...doctor.off, ...doctor.extra].map(
    ({ from, to }) => `${instantText(from)}/${instantText(to)}`,
  );
  return JSON.stringify({ kind, span: [instantText(span.from), instantText(span.to)], rules, spans });
}

async function textFrom(client: Client, sql: string, values: unknown[]): Promise<string> {
  const { rows } = await client.query({ text: sql, values, rowMode: 'array' });
  return rows[0]?.[0] as string;
}
