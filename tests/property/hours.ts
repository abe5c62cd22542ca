import assert from 'node:assert/strict';
import { type Attempt, type Maker, type Scene } from './attempts.ts';
import { day, instantText, timeText } from './clock.ts';
import { type Doctor, meets, type Stretch, works } from './oracle.ts';
import { bound, weekOf } from './world.ts';

/*
 * Changes to the hours, by the functions and by raw SQL as the owner: none may leave behind a promise that
 * cannot be kept.
 */

/** The appointments to come that would stand outside of the hours. */
function inTheWay({ world, rows, now }: Scene, after: Doctor): number[] {
  return rows
    .filter((row) => row.isLive && row.doctorId === after.id && row.startsAt > now)
    .filter(({ override, from, to }) => !(override && override.from <= from && to <= override.to))
    .filter(({ from, to }) => {
      for (let minute = from; minute < to; minute++) if (!works(world.clock, after, minute)) return true;
      return false;
    })
    .map(({ id }) => id);
}

/** The attempt to change a doctor's hours by a function that can report what is in the way. */
function ask(
  scene: Scene,
  doctor: Doctor,
  change: Partial<Doctor>,
  attempt: Pick<Attempt, 'what' | 'sql' | 'values' | 'tolerated'>,
): Attempt {
  const stuck = inTheWay(scene, { ...doctor, ...change });
  const isReport = scene.random.chance(0.5);
  return {
    ...attempt,
    values: [...attempt.values, isReport],
    actor: 'reception',
    reasons: new Set(stuck.length > 0 && !isReport ? ['INWAY'] : []),
    applied: (answer) => {
      assert.equal(answer.is_applied, stuck.length === 0);
      assert.deepEqual((answer.appointment_ids as string[]).map(Number).sort(), [...stuck].sort());
      if (answer.is_applied) Object.assign(doctor, change);
    },
  };
}

const dayOf = (instant: number): number => Math.floor(instant / day);

/** Another week, from some day near on, for ever or for some days. */
export const setSchedule: Maker = (scene) => {
  const { random, world, centre } = scene;
  const doctor = random.pick(world.doctors);
  const today = dayOf(world.clock.shows(Math.floor(scene.now)));
  const from = Math.max(dayOf(centre) + random.whole(-2, 2), today + 1);
  const until = random.chance(0.5) ? Infinity : from + random.whole(1, 4);
  const week = weekOf(random, world.rooms, from).map((rule) => ({ ...rule, from, until }));
  const kept = doctor.rules.flatMap((rule) =>
    [
      { ...rule, until: Math.min(rule.until, from) },
      { ...rule, from: Math.max(rule.from, until) },
    ].filter((part) => part.from < part.until),
  );
  return ask(
    scene,
    doctor,
    { rules: [...kept, ...week] },
    {
      what: 'set the schedule',
      sql: `select *
          from hospital.set_doctor_schedule($1, array(
            select row(s.*)::hospital.weekly_shift
            from unnest($2::integer[], $3::time[], $4::time[], $5::bigint[]) as s
          ), $6, $7, $8)`,
      values: [
        doctor.id,
        week.map(({ weekday }) => weekday),
        week.map(({ start }) => timeText(start)),
        week.map(({ end }) => timeText(end)),
        week.map(({ roomId }) => roomId),
        bound(from),
        bound(until),
      ],
      tolerated: ['doctor_schedules_never_overlap'],
    },
  );
};

/** An absence that withdraws what of extra sessions lies in it. */
export const addTimeOff: Maker = (scene) => {
  const doctor = scene.random.pick(scene.world.doctors);
  const absence = stretchOf(scene, 480);
  const extra = doctor.extra.flatMap((session) =>
    [
      { ...session, to: Math.min(session.to, absence.from) },
      { ...session, from: Math.max(session.from, absence.to) },
    ].filter(({ from, to }) => from < to),
  );
  return ask(
    scene,
    doctor,
    { off: [...doctor.off, absence], extra },
    {
      what: 'add time off',
      sql: `select * from hospital.add_time_off($1, $2, $3, 'illness', $4)`,
      values: [doctor.id, instantText(absence.from), instantText(absence.to)],
    },
  );
};

/** The same by raw SQL. */
function become(
  scene: Scene,
  doctor: Doctor,
  change: Partial<Doctor>,
  attempt: Pick<Attempt, 'what' | 'sql' | 'values' | 'tolerated'>,
): Attempt {
  return {
    ...attempt,
    actor: 'owner',
    reasons: new Set(inTheWay(scene, { ...doctor, ...change }).length > 0 ? ['INWAY'] : []),
    applied: () => Object.assign(doctor, change),
  };
}

const without = <T>(list: T[], one: T): T[] => list.filter((other) => other !== one);

export const dropRule: Maker = (scene) => {
  const doctor = scene.random.pick(scene.world.doctors);
  if (doctor.rules.length === 0) return undefined;
  const rule = scene.random.pick(doctor.rules);
  return become(
    scene,
    doctor,
    { rules: without(doctor.rules, rule) },
    {
      what: 'drop a shift',
      sql: `delete from hospital.doctor_schedules
          where doctor_id = $1 and weekday = $2 and start_time = $3 and effective = daterange($4, $5)`,
      values: [doctor.id, rule.weekday, timeText(rule.start), bound(rule.from), bound(rule.until)],
    },
  );
};

export const shortenRule: Maker = (scene) => {
  const doctor = scene.random.pick(scene.world.doctors);
  if (doctor.rules.length === 0) return undefined;
  const rule = scene.random.pick(doctor.rules);
  const start = rule.start + 15 * scene.random.whole(1, 6);
  if (start >= rule.end || start >= day) return undefined;
  return become(
    scene,
    doctor,
    { rules: [...without(doctor.rules, rule), { ...rule, start }] },
    {
      what: 'shorten a shift',
      sql: `update hospital.doctor_schedules
          set start_time = $6
          where doctor_id = $1 and weekday = $2 and start_time = $3 and effective = daterange($4, $5)`,
      values: [
        doctor.id,
        rule.weekday,
        timeText(rule.start),
        bound(rule.from),
        bound(rule.until),
        timeText(start),
      ],
    },
  );
};

export const addRule: Maker = (scene) => {
  const doctor = scene.random.pick(scene.world.doctors);
  const week = weekOf(scene.random, scene.world.rooms, Math.floor(scene.centre / day));
  const rule = week[0] && scene.random.pick(week);
  return (
    rule &&
    become(
      scene,
      doctor,
      { rules: [...doctor.rules, rule] },
      {
        what: 'add a shift',
        sql: `insert into hospital.doctor_schedules (doctor_id, weekday, start_time, end_time, effective, room_id)
          values ($1, $2, $3, $4, daterange($5, $6), $7)`,
        values: [
          doctor.id,
          rule.weekday,
          timeText(rule.start),
          timeText(rule.end),
          bound(rule.from),
          bound(rule.until),
          rule.roomId,
        ],
        tolerated: ['doctor_schedules_never_overlap'],
      },
    )
  );
};

function stretchOf({ random, centre }: Scene, longest: number): Stretch {
  const from = Math.floor((centre + random.whole(-1500, 1500)) / 15) * 15;
  return { from, to: from + 15 * random.whole(1, longest / 15), roomId: null };
}

export const addAbsence: Maker = (scene) => {
  const doctor = scene.random.pick(scene.world.doctors);
  const absence = stretchOf(scene, 480);
  const attempt = become(
    scene,
    doctor,
    { off: [...doctor.off, absence] },
    {
      what: 'add an absence',
      sql: `insert into hospital.doctor_time_off (doctor_id, starts_at, ends_at, reason)
          values ($1, $2, $3, 'illness')`,
      values: [doctor.id, instantText(absence.from), instantText(absence.to)],
    },
  );
  if (doctor.extra.some((session) => meets(session, absence))) attempt.reasons.add('SESSN');
  return attempt;
};

export const dropAbsence: Maker = (scene) => {
  const doctor = scene.random.pick(scene.world.doctors);
  if (doctor.off.length === 0) return undefined;
  const absence = scene.random.pick(doctor.off);
  return become(
    scene,
    doctor,
    { off: without(doctor.off, absence) },
    {
      what: 'drop an absence',
      sql: `delete from hospital.doctor_time_off
          where id = (
            select min(o.id)
            from hospital.doctor_time_off as o
            where o.doctor_id = $1 and o.starts_at = $2 and o.ends_at = $3
          )`,
      values: [doctor.id, instantText(absence.from), instantText(absence.to)],
    },
  );
};

export const addSession: Maker = (scene) => {
  const doctor = scene.random.pick(scene.world.doctors);
  const session = { ...stretchOf(scene, 300), roomId: scene.random.pick(scene.world.rooms) };
  const attempt = become(
    scene,
    doctor,
    { extra: [...doctor.extra, session] },
    {
      what: 'add an extra session',
      sql: `insert into hospital.doctor_extra_sessions (doctor_id, starts_at, ends_at, room_id)
          values ($1, $2, $3, $4)`,
      values: [doctor.id, instantText(session.from), instantText(session.to), session.roomId],
    },
  );
  if (doctor.extra.some((other) => meets(other, session)))
    attempt.reasons.add('doctor_extra_sessions_never_overlap');
  return attempt;
};

export const dropSession: Maker = (scene) => {
  const doctor = scene.random.pick(scene.world.doctors);
  if (doctor.extra.length === 0) return undefined;
  const session = scene.random.pick(doctor.extra);
  return become(
    scene,
    doctor,
    { extra: without(doctor.extra, session) },
    {
      what: 'drop an extra session',
      sql: 'delete from hospital.doctor_extra_sessions where doctor_id = $1 and starts_at = $2',
      values: [doctor.id, instantText(session.from)],
    },
  );
};
