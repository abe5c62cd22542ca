import type { Appointment } from './appointments.ts';
import { instantText, minutesPerDay } from './calendar.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** How an appointment stands. */
export type Status = 'scheduled' | 'completed' | 'cancelled' | 'no_show';

/** Procedures take place where they are done. */
const surgical = [
  'General surgery',
  'Dermatology',
  'Orthopedics',
  'Gastroenterology',
  'Urology',
  'Ophthalmology',
];
const firstContact = ['General practice', 'Family medicine', 'Internal medicine'];

/** Minutes of the calendar that a type takes, with its buffers. */
export const spanOf = (world: World, type: string): number =>
  type === 'procedure' ? 105 : (world.codes.appointmentTypes.get(type)?.minutes ?? 30);

/** The instant from which an appointment occupies time, its buffer included. */
export const startOf = (world: World, { startsAt, type }: Appointment): number =>
  startsAt - (world.codes.appointmentTypes.get(type)?.before ?? 0);

/** The span that an appointment occupies, buffers included, as PostgreSQL reads it. */
export const spanText = (world: World, appointment: Appointment): string => {
  const until = appointment.endsAt + (world.codes.appointmentTypes.get(appointment.type)?.after ?? 0);
  return `["${instantText(startOf(world, appointment))}","${instantText(until)}")`;
};

/** What kind of appointment it is; walk-ins are never made beforehand. */
export function typeOf(random: Random, specialty: string, isComing: boolean, isNewPatient: boolean): string {
  if (specialty === 'Emergency medicine')
    return isComing ? 'consultation' : random.pick(['walk_in', 'walk_in', 'consultation']);
  if (isNewPatient && random.chance(0.8)) return 'new_patient';
  return random.weighted([
    ['consultation', 42],
    ['follow_up', 32],
    ['telehealth', 10],
    ['procedure', surgical.includes(specialty) ? 14 : 0],
    ['physical', firstContact.includes(specialty) ? 14 : 0],
    ['walk_in', firstContact.includes(specialty) && !isComing ? 6 : 0],
  ]);
}

/** How it ended, or that it is yet to come. One that is `certain` was kept, or will be. */
export function statusOf(world: World, random: Random, startsAt: number, certain: boolean): Status {
  if (startsAt >= world.now) return !certain && random.chance(0.06) ? 'cancelled' : 'scheduled';
  if (certain) return 'completed';
  return random.weighted([
    ['completed', 82],
    ['cancelled', 11],
    ['no_show', 7],
  ]);
}

/** When the appointment was made: weeks before mostly, never before the patient was known, never yet to come. */
export function madeAt(
  world: World,
  random: Random,
  earliest: number,
  startsAt: number,
  type: string,
): number {
  if (type === 'walk_in') return Math.max(startsAt - random.between(5, 25), earliest);
  // No later than the type's notice allows: a procedure a day before, anything else an hour.
  const notice = type === 'procedure' ? minutesPerDay : 120;
  const lead = Math.floor(random.fraction() ** 2 * 45 * minutesPerDay) + random.between(notice, 2000);
  return Math.max(earliest, Math.min(startsAt - lead, world.now - random.between(5, 600)));
}
