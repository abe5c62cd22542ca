import { isHoliday } from './booking.ts';
import { clockText, dateText, instantAt, instantText, minutesPerDay } from './calendar.ts';
import { spanOf } from './circumstances.ts';
import type { Panels } from './panels.ts';
import type { Pin } from './pins.ts';
import type { Random } from './random.ts';
import type { Doctor } from './staff.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

/** What takes place at every occurrence. */
export const seriesType = 'follow_up';

/** An appointment that is repeated at the same time of the day. */
interface Series {
  doctor: Doctor;
  patientId: number;
  /** The days asked for, the impossible ones among them. */
  days: number[];
  /** Of the local day. */
  minute: number;
  everyWeeks: number;
}

/**
 * Gives every doctor but those of emergencies a patient who comes, or came, every week or every other, and adds
 * the occurrences to the pinned appointments. Those on holidays and in absences are skipped.
 */
export function planSeries(
  world: World,
  batch: Batch,
  doctors: Doctor[],
  panels: Panels,
  pins: Map<number, Pin[]>,
): void {
  const random = world.random(6);
  const known = new Set([...pins.values()].flat().map(({ patientId }) => patientId));
  for (const doctor of doctors) {
    if (doctor.specialty === 'Emergency medicine') continue;
    const isOver = random.chance(0.6);
    let day = world.day + (isOver ? random.between(-300, -100) : random.between(-20, 5));
    while (isHoliday(day) || doctor.hours.on(day).length === 0) day++;
    const everyWeeks = isOver && random.chance(0.3) ? 2 : 1;
    const count = random.between(3, isOver ? 6 : 4);
    const days = Array.from({ length: count }, (_, place) => day + place * 7 * everyWeeks);
    const [start, end] = random.pick(doctor.hours.on(day));
    const minute = start + 15 * random.below(Math.floor((end - start) / 15));
    const patientId = choose(random, doctor, panels, known, days);
    if (patientId === undefined) continue;
    known.add(patientId);
    write(world, batch, random, { doctor, patientId, days, minute, everyWeeks }, pins);
  }
}

/** Somebody without another series who can come from the first day to the last. */
function choose(
  random: Random,
  doctor: Doctor,
  panels: Panels,
  known: Set<number>,
  days: number[],
): number | undefined {
  for (let attempt = 0; attempt < 20; attempt++) {
    panels.startDay(days.at(-1) as number);
    const id = panels.choose(random, doctor);
    panels.startDay(days[0] as number);
    if (id !== undefined && !known.has(id) && panels.claim(id, doctor.specialty)) return id;
  }
  return undefined;
}

function write(world: World, batch: Batch, random: Random, series: Series, pins: Map<number, Pin[]>): void {
  const { doctor, patientId, days, minute, everyWeeks } = series;
  const id = world.keys.next('appointment_series');
  const span = spanOf(world, seriesType);
  const fits = (day: number): boolean =>
    !isHoliday(day) && doctor.hours.on(day).some(([start, end]) => minute >= start && minute + span <= end);
  const first = days[0] as number;
  const createdAt = Math.min(
    instantAt(first, minute) - random.between(1, 20) * minutesPerDay - random.below(600),
    world.now - random.between(5, 600),
  );
  batch.add('appointment_series', [
    id,
    patientId,
    doctor.id,
    world.codes.appointmentTypes.get(seriesType)?.id ?? null,
    dateText(first),
    clockText(minute),
    everyWeeks,
    days.length,
    `{${days
      .filter((day) => !fits(day))
      .map(dateText)
      .join()}}`,
    instantText(createdAt),
  ]);
  for (const day of days.filter(fits)) {
    const pin = { patientId, doctorId: doctor.id, specialty: doctor.specialty, series: { id, createdAt, minute } };
    pins.set(day, [...(pins.get(day) ?? []), pin]);
  }
}
