import type { ClientBase } from 'pg';
import { changesOf, type Clock, clockOf, dateText, day, instantText, timeText } from './clock.ts';
import { type Doctor, type Kind, meets, type Rule, type Stretch, type Taken } from './oracle.ts';
import type { Random } from './random.ts';

/** A department in the database, and all that the oracle needs to know of it. */
export interface World {
  clock: Clock;
  departmentId: number;
  rooms: number[];
  doctors: Doctor[];
  kinds: Kind[];
  patients: number[];
}

export interface Size {
  doctors: number;
  rooms: number;
  patients: number;
  kinds: number;
}

export const zones = [
  'America/New_York',
  'Europe/London',
  'Australia/Lord_Howe',
  'Australia/Sydney',
  'America/St_Johns',
  'Asia/Tokyo',
] as const;

/** Makes one. The client is a superuser's. */
export async function makeWorld(
  client: ClientBase,
  random: Random,
  zone: string,
  size: Size,
): Promise<World> {
  const facility = await numberFrom(client, 'select tests.facility($1)', [zone]);
  const departmentId = await numberFrom(client, 'select tests.department($1)', [facility]);
  const many = async (count: number, sql: string, values: unknown[] = []): Promise<number[]> => {
    const ids: number[] = [];
    for (let n = 0; n < count; n++) ids.push(await numberFrom(client, sql, values));
    return ids;
  };
  const doctorIds = await many(size.doctors, 'select tests.doctor($1, null, null, false)', [departmentId]);
  const doctors: Doctor[] = [];
  for (const id of doctorIds) {
    const dailyLimit = random.chance(0.2) ? random.whole(2, 6) : null;
    await client.query('update hospital.doctors set daily_limit = $2 where id = $1', [id, dailyLimit]);
    doctors.push({ id, rules: [], off: [], extra: [], dailyLimit });
  }
  return {
    clock: clockOf(zone),
    departmentId,
    rooms: await many(size.rooms, 'select tests.room($1)', [departmentId]),
    patients: await many(size.patients, 'select tests.patient()'),
    kinds: await makeKinds(client, random, size.kinds),
    doctors,
  };
}

async function makeKinds(client: ClientBase, random: Random, count: number): Promise<Kind[]> {
  const kinds: Kind[] = [];
  for (let n = 0; n < count; n++) {
    const kind = {
      duration: random.pick([10, 15, 20, 30, 45, 60, 90]),
      before: random.pick([0, 0, 5, 10, 15]),
      after: random.pick([0, 0, 5, 15, 20]),
      notice: random.pick([0, 60, 1440]),
      horizon: random.pick([365, 400, 3650]),
      dailyLimit: random.chance(0.2) ? random.whole(1, 4) : null,
    };
    const id = await numberFrom(
      client,
      `with number as (select 'Random type ' || tests.number() as name)
       insert into hospital.appointment_types
         (code, name, duration_minutes, buffer_before_minutes, buffer_after_minutes, notice_minutes,
          horizon_days, daily_limit, price)
       select lower(replace(name, ' ', '_')), name, $1, $2, $3, $4, $5, $6, 100 from number
       returning id`,
      [kind.duration, kind.before, kind.after, kind.notice, kind.horizon, kind.dailyLimit],
    );
    kinds.push({ id, ...kind });
  }
  return kinds;
}

/** An instant some days ahead; this often one at which the clocks change, if the zone has any. */
export function centreOf(random: Random, zone: string, now: number, share = 0.5): number {
  const changes = changesOf(zone, now + 3 * day, 340);
  if (changes.length > 0 && random.chance(share)) return random.pick(changes);
  return now + random.whole(3 * day, 340 * day);
}

/** A week of shifts in one of the styles in which hospitals work, now and then odd. */
export function weekOf(random: Random, rooms: number[], date: number): Rule[] {
  const style = random.pick(['days', 'split', 'tiled', 'nights', 'early', 'mixed'] as const);
  const rules: Rule[] = [];
  const step = random.chance(0.8) ? 15 : 5;
  const room = (): number | null => (random.chance(0.8) ? random.pick(rooms) : null);
  const time = (low: number, high: number): number =>
    random.whole((low * 60) / step, (high * 60) / step) * step;
  const add = (weekday: number, start: number, end: number, from = -Infinity, until = Infinity): void => {
    rules.push({ weekday, start, end, from, until, roomId: room() });
  };
  for (let weekday = 1; weekday <= 7; weekday++) {
    if (random.chance(0.2)) continue;
    const kind = style === 'mixed' ? random.pick(['days', 'split', 'nights', 'early'] as const) : style;
    const start = time(6, 10);
    const noon = time(11, 14);
    if (kind === 'days') {
      const turn = date + random.whole(-2, 2);
      if (random.chance(0.7)) add(weekday, start, noon + 240);
      else {
        add(weekday, start, noon + 240, -Infinity, turn);
        add(weekday, time(9, 11), noon + 300, turn, turn + random.whole(1, 9));
      }
    } else if (kind === 'split') {
      add(weekday, start, noon);
      add(weekday, noon + random.pick([0, 15, 45]), noon + 300);
    } else if (kind === 'nights') add(weekday, time(18, 23), day + time(0, 6));
    else if (kind === 'early') add(weekday, time(0, 3), time(4, 8));
    else {
      const seam = time(1, 3);
      add(weekday, random.chance(0.5) ? 0 : 60, seam);
      add(weekday, seam, seam + 120);
      if (random.chance(0.5)) add(weekday, 22 * 60, day);
    }
  }
  return rules.filter((rule) => rule.end > rule.start);
}

/** Adds what the exclusion constraint lets in of a doctor's shifts. */
export async function addRules(client: ClientBase, doctor: Doctor, rules: Rule[]): Promise<void> {
  for (const rule of rules) {
    const { rowCount } = await client.query(
      `insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time, effective, room_id)
       values ($1, $2, $3, $4, daterange($5, $6), $7)
       on conflict do nothing`,
      [
        doctor.id,
        rule.weekday,
        timeText(rule.start),
        timeText(rule.end),
        bound(rule.from),
        bound(rule.until),
        rule.roomId,
      ],
    );
    if (rowCount) doctor.rules.push(rule);
  }
}

export function bound(date: number): string | null {
  return Number.isFinite(date) ? dateText(date) : null;
}

/** A stretch of up to so many minutes around an instant. */
export function stretchAround(random: Random, centre: number, longest: number): Stretch {
  const step = random.pick([1, 5, 15, 15]);
  const from = Math.floor((centre + random.whole(-2 * day, 2 * day)) / step) * step;
  return { from, to: from + step * random.whole(1, Math.floor(longest / step)), roomId: null };
}

/** Absences, and then extra sessions, which stand inside them and beside each other. */
export async function addExceptions(
  client: ClientBase,
  random: Random,
  world: World,
  centre: number,
): Promise<void> {
  for (const doctor of world.doctors) {
    for (let n = random.whole(0, 3); n > 0; n--) {
      const absence = stretchAround(random, centre, random.pick([60, 600, 2000]));
      await client.query(
        `insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
         values ($1, $2, $3, 'vacation')`,
        [doctor.id, instantText(absence.from), instantText(absence.to)],
      );
      doctor.off.push(absence);
    }
    for (let n = random.whole(0, 2); n > 0; n--) {
      const session = { ...stretchAround(random, centre, 500), roomId: random.pick(world.rooms) };
      if (doctor.extra.some((other) => meets(other, session))) continue;
      await client.query(
        `insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at, room_id)
         values ($1, $2, $3, $4)`,
        [doctor.id, instantText(session.from), instantText(session.to), session.roomId],
      );
      doctor.extra.push(session);
    }
  }
}

/** What occupies time now, as the rows themselves say. */
export async function takenOf(client: ClientBase, world: World): Promise<Taken[]> {
  const { rows } = await client.query<Taken>(
    `select
       id::integer as id, doctor_id::integer as "doctorId", patient_id::integer as "patientId",
       room_id::integer as "roomId", appointment_type_id::integer as "kindId",
       status = 'held' as "isHeld", waitlist_entry_id is not null as "isOffer",
       (extract(epoch from starts_at) / 60)::integer as "startsAt",
       (extract(epoch from lower(busy)) / 60)::integer as "from",
       (extract(epoch from upper(busy)) / 60)::integer as "to"
     from hospital.appointments
     where status in ('held', 'scheduled', 'checked_in', 'in_progress')
       and (expires_at is null or expires_at > clock_timestamp())
       and department_id = $1`,
    [world.departmentId],
  );
  return rows;
}

/** The first column of the first row. */
export async function numberFrom(client: ClientBase, sql: string, values: unknown[] = []): Promise<number> {
  const { rows } = await client.query({ text: sql, values, rowMode: 'array' });
  return Number(rows[0]?.[0]);
}
