import { weekdayOf, dateText } from './calendar.ts';
import type { Shift } from './hours.ts';
import type { Pin } from './pins.ts';
import type { Random } from './random.ts';
import type { Doctor } from './staff.ts';
import type { World } from './world.ts';

/** How far back the appointments reach, and how far ahead, in days. */
export const pastDays = 730;
export const comingDays = 60;

const quarter = 15;
const holidays = ['01-01', '07-04', '12-25'];

/** The share of a doctor's time that may be taken: what is to come leaves room for more. */
const fullestPast = 0.92;
const fullestComing = 0.65;

/** How many appointments a doctor is to have on a day. */
export interface Demand {
  day: number;
  doctor: Doctor;
  shifts: readonly Shift[];
  count: number;
  /** Those of them that are fixed already. */
  pinned: Pin[];
}

const minutesOf = (shifts: readonly Shift[]): number =>
  shifts.reduce((sum, [start, end]) => sum + end - start, 0);

/** Whether the whole hospital but its emergencies is closed. */
export const isHoliday = (day: number): boolean => holidays.includes(dateText(day).slice(5));

/** How busy a day is: more every year, fuller soon than later, nobody on holidays. */
function busyness(world: World, day: number): number {
  if (isHoliday(day)) return 0;
  const distance = day - world.day;
  if (distance >= 0) return Math.exp(-distance / 22);
  return 0.7 + 0.3 * (1 + distance / pastDays) - (weekdayOf(day) > 5 ? 0.25 : 0);
}

/**
 * Spreads the appointments over days and doctors, day by day, each day's doctors in a new order. It is told how
 * many of them found their place, and returns how many never did.
 */
export function* spread(
  world: World,
  random: Random,
  doctors: Doctor[],
  pins: Map<number, Pin[]>,
): Generator<Demand, number, number> {
  const first = world.day - pastDays;
  const last = world.day + comingDays;
  let weights = 0;
  for (let day = first; day <= last; day++) {
    for (const doctor of doctors)
      weights += minutesOf(doctor.hours.on(day)) * busyness(world, day) * doctor.popularity;
  }
  let left = world.sizes.appointments;
  let fixed = [...pins.values()].flat().length;
  for (let day = first; day <= last; day++) {
    const factor = busyness(world, day);
    if (factor === 0) continue;
    for (const doctor of random.shuffle([...doctors])) {
      const shifts = doctor.hours.on(day);
      if (shifts.length === 0) continue;
      const weight = minutesOf(shifts) * factor * doctor.popularity;
      const pinned = (pins.get(day) ?? []).filter(({ doctorId }) => doctorId === doctor.id);
      // Whole appointments, the fraction by lot; what a full day refuses is left for the days after it.
      const free = left - fixed;
      const expected = (free * weight) / weights;
      weights -= weight;
      fixed -= pinned.length;
      const count = pinned.length + Math.min(free, Math.floor(expected + random.fraction()));
      left -= yield { day, doctor, shifts, count, pinned };
    }
  }
  return left;
}

/** The shifts without a stretch that is taken already. */
export function without(shifts: readonly Shift[], [from, until]: Shift): Shift[] {
  return shifts
    .flatMap(([start, end]): Shift[] => [
      [start, Math.min(end, from)],
      [Math.max(start, until), end],
    ])
    .filter(([start, end]) => start < end);
}

/** A start, in minutes of the local day, for each length; null where the doctor's time is too full. */
export function place(
  random: Random,
  shifts: readonly Shift[],
  lengths: number[],
  isComing: boolean,
): (number | null)[] {
  const share = isComing ? fullestComing : fullestPast;
  const room = shifts.map(([start, end]) => Math.floor((end - start) / quarter));
  const used = shifts.map(() => 0);
  const members: number[][] = shifts.map(() => []);
  lengths.forEach((length, index) => {
    const needed = Math.ceil(length / quarter);
    const turn = random.below(shifts.length);
    for (let offset = 0; offset < shifts.length; offset++) {
      const shift = (turn + offset) % shifts.length;
      if ((used[shift] as number) + needed <= (room[shift] as number) * share) {
        used[shift] = (used[shift] as number) + needed;
        members[shift]?.push(index);
        return;
      }
    }
  });
  const starts: (number | null)[] = lengths.map(() => null);
  members.forEach((indexes, shift) => {
    const free = (room[shift] as number) - (used[shift] as number);
    const gaps = indexes.map(() => random.between(0, free)).sort((a, b) => a - b);
    let taken = 0;
    indexes.forEach((index, position) => {
      starts[index] = (shifts[shift] as Shift)[0] + ((gaps[position] as number) + taken) * quarter;
      taken += Math.ceil((lengths[index] as number) / quarter);
    });
  });
  return starts;
}
