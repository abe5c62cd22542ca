import { isHoliday } from './booking.ts';
import { clockText, dateText, instantAt, instantText, minutesPerDay, weekdayOf } from './calendar.ts';
import type { Random } from './random.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

/** A stretch of work in minutes of the local day; after 1440 it is the next day. */
export type Shift = readonly [number, number];

/** When a doctor works. */
export interface Hours {
  /** The stretches that begin on this day. */
  on(day: number): readonly Shift[];
}

interface Rule {
  weekdays: number[];
  shifts: Shift[];
}

const clinics: Rule[] = [
  {
    weekdays: [1, 2, 3, 4, 5],
    shifts: [
      [480, 720],
      [780, 1020],
    ],
  },
  {
    weekdays: [1, 2, 4, 5],
    shifts: [
      [540, 780],
      [840, 1080],
    ],
  },
  {
    weekdays: [1, 2, 3, 4],
    shifts: [
      [450, 750],
      [795, 960],
    ],
  },
  {
    weekdays: [2, 3, 4, 5, 6],
    shifts: [
      [480, 720],
      [750, 960],
    ],
  },
];
const emergency: Rule[] = [
  { weekdays: [3, 4, 5, 6, 7], shifts: [[420, 900]] },
  // Over midnight, and never into Sunday, when the clocks change.
  { weekdays: [1, 2, 3, 4], shifts: [[1140, 1620]] },
  { weekdays: [1, 2, 5, 6, 7], shifts: [[840, 1260]] },
];

/** Writes the weekly hours and the absences of a doctor and returns what follows from them. */
export function arrangeHours(
  world: World,
  batch: Batch,
  random: Random,
  doctor: { id: number; roomId: number; specialty: string; ordinal: number; alwaysThere: boolean },
): Hours {
  const patterns = doctor.specialty === 'Emergency medicine' ? emergency : clinics;
  const rule = patterns[doctor.ordinal % patterns.length] as Rule;
  // Every tenth doctor changed hours some months ago, so that effective dates matter.
  const changed = doctor.ordinal % 10 === 7 ? world.day - 200 - random.below(60) : undefined;
  const before = patterns[(doctor.ordinal + 1) % patterns.length] as Rule;
  if (changed === undefined) writeRules(world, batch, doctor, rule, '(,)');
  else {
    writeRules(world, batch, doctor, before, `(,${dateText(changed)})`);
    writeRules(world, batch, doctor, rule, `[${dateText(changed)},)`);
  }
  const away = writeAbsences(world, batch, random, doctor);
  const weekly = (day: number): readonly Shift[] => {
    const { weekdays, shifts } = changed !== undefined && day < changed ? before : rule;
    if (!weekdays.includes(weekdayOf(day)) || away.has(day)) return [];
    return away.has(day + 1) ? shifts.filter(([, end]) => end <= minutesPerDay) : shifts;
  };
  const isFree = (day: number): boolean => weekly(day).length === 0 && !away.has(day) && !isHoliday(day);
  const extra = writeExtraSessions(world, batch, random, doctor, isFree);
  return { on: (day) => extra.get(day) ?? weekly(day) };
}

function writeRules(
  world: World,
  batch: Batch,
  doctor: { id: number; roomId: number },
  rule: Rule,
  effective: string,
): void {
  const created = instantText(world.now - 900 * minutesPerDay);
  for (const weekday of rule.weekdays) {
    for (const [start, end] of rule.shifts) {
      batch.add('doctor_schedules', [
        world.keys.next('doctor_schedules'),
        doctor.id,
        weekday,
        clockText(start),
        clockText(end % minutesPerDay),
        effective,
        doctor.roomId,
        created,
        created,
      ]);
    }
  }
}

/** A free morning on which the doctor came in all the same; of every seventh also one that is to come. */
function writeExtraSessions(
  world: World,
  batch: Batch,
  random: Random,
  doctor: { id: number; roomId: number; ordinal: number },
  isFree: (day: number) => boolean,
): Map<number, readonly Shift[]> {
  const sessions = new Map<number, readonly Shift[]>();
  const comeIn = (from: number): void => {
    let day = from;
    while (!isFree(day)) day++;
    const shift: Shift = [540, 720];
    sessions.set(day, [shift]);
    const created = instantText(Math.min(instantAt(day, 0) - 20 * minutesPerDay, world.now - 600));
    batch.add('doctor_extra_sessions', [
      world.keys.next('doctor_extra_sessions'),
      doctor.id,
      instantText(instantAt(day, shift[0])),
      instantText(instantAt(day, shift[1])),
      doctor.roomId,
      created,
      created,
    ]);
  };
  comeIn(world.day - random.between(30, 600));
  if (doctor.ordinal % 7 === 3) comeIn(world.day + random.between(3, 20));
  return sessions;
}

/** Two vacations and a conference in the past two years; half of the doctors will be away soon. */
function writeAbsences(
  world: World,
  batch: Batch,
  random: Random,
  doctor: { id: number; alwaysThere: boolean },
): Set<number> {
  const away = new Set<number>();
  const leave = (first: number, days: number, reason: string): void => {
    const created = instantText(Math.min(instantAt(first, 0) - 30 * minutesPerDay, world.now - 600));
    batch.add('doctor_time_off', [
      world.keys.next('doctor_time_off'),
      doctor.id,
      instantText(instantAt(first, 0)),
      instantText(instantAt(first + days, 0)),
      reason,
      created,
      created,
    ]);
    for (let day = first; day < first + days; day++) away.add(day);
  };
  leave(world.day - random.between(420, 700), random.between(5, 12), 'vacation');
  leave(world.day - random.between(60, 380), random.between(5, 12), 'vacation');
  leave(
    world.day - random.between(30, 400),
    random.between(1, 3),
    random.pick(['conference', 'training', 'illness']),
  );
  if (random.chance(0.5) && !doctor.alwaysThere) {
    leave(world.day + random.between(10, 50), random.between(2, 9), 'vacation');
  }
  return away;
}
