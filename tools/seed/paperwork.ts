import type { Appointment } from './appointments.ts';
import { instantAt, instantText, minutesPerDay } from './calendar.ts';
import { spanText } from './circumstances.ts';
import type { Patients } from './patients.ts';
import type { Random } from './random.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

/** The share of short visits that were booked at once, past the notice their type asks for. */
const urgentShare = 0.08;
/** The share of appointments that were at another time before. */
const movedShare = 0.1;
/** The share of those with weeks to wait whose patients asked for an earlier time. */
const waitingShare = 0.12;

const urgentReasons = [
  ['urgent_need', 60],
  ['doctor_agreed', 25],
  ['patient_travels', 15],
] as const;

/** Makes some of the past visits urgent ones, booked within the last hour by leave of the doctor. */
export function override(
  world: World,
  batch: Batch,
  random: Random,
  appointment: Appointment,
): { id: number; reason: string } | null {
  const { patientId, doctor, startsAt, status, type, series } = appointment;
  const isShort = type === 'consultation' || type === 'follow_up';
  if (!isShort || status !== 'completed' || series || !random.chance(urgentShare)) return null;
  appointment.createdAt = Math.max(appointment.createdAt, startsAt - random.between(10, 50));
  const id = world.keys.next('appointment_overrides');
  const reason = random.weighted(urgentReasons);
  batch.add('appointment_overrides', [
    id,
    doctor.id,
    patientId,
    spanText(world, appointment),
    reason,
    instantText(appointment.createdAt),
  ]);
  return { id, reason };
}

/** Writes where some appointments were before: a week or two away, where the doctor works at the same time of day. */
export function move(world: World, batch: Batch, random: Random, appointment: Appointment): void {
  const { id, patientId, doctor, day, startsAt, endsAt, createdAt, type, status } = appointment;
  if (type === 'walk_in' || status === 'cancelled' || !random.chance(movedShare)) return;
  const minute = startsAt - instantAt(day, 0);
  const from = day + random.pick([-14, -7, 7, 14]);
  const isWorked = doctor.hours
    .on(from)
    .some(([start, end]) => minute >= start && minute + endsAt - startsAt <= end);
  const movedAt = createdAt + random.below(Math.max(1, Math.min(startsAt, world.now) - createdAt));
  const before = instantAt(from, minute);
  if (!isWorked || before <= movedAt) return;
  const roomId = type === 'telehealth' ? null : doctor.roomId;
  batch.add('appointment_moves', [
    world.keys.next('appointment_moves'),
    id,
    patientId,
    doctor.id,
    doctor.id,
    roomId,
    roomId,
    instantText(before),
    instantText(startsAt),
    instantText(before + endsAt - startsAt),
    instantText(endsAt),
    instantText(movedAt),
  ]);
}

/** Puts some patients who have weeks to wait on the waitlist: those to come still wait, the others did. */
export function wait(
  world: World,
  batch: Batch,
  random: Random,
  appointment: Appointment,
  patients: Patients,
  waiting: Set<string>,
): void {
  const { patientId, doctor, startsAt, createdAt, status, type } = appointment;
  const isComing = startsAt > world.now;
  const joinedAt = createdAt + random.between(0, 3 * minutesPerDay);
  const isLong = startsAt - Math.max(joinedAt, isComing ? world.now : 0) > 6 * minutesPerDay;
  if (!isLong || joinedAt > world.now || status === 'cancelled' || type === 'walk_in') return;
  const hasDied = (patients.closedFrom[patientId] as number) <= world.day;
  if (hasDied || !random.chance(waitingShare)) return;
  const typeId = world.codes.appointmentTypes.get(type)?.id ?? null;
  const isForDoctor = random.chance(0.6);
  const wish = `${patientId} ${typeId} ${doctor.departmentId} ${isForDoctor ? doctor.id : ''}`;
  if (isComing && waiting.has(wish)) return;
  if (isComing) waiting.add(wish);
  batch.add('waitlist_entries', [
    world.keys.next('waitlist_entries'),
    patientId,
    typeId,
    doctor.departmentId,
    isForDoctor ? doctor.id : null,
    instantText(joinedAt),
    instantText(startsAt),
    random.weighted([
      [0, 80],
      [1, 12],
      [3, 6],
      [8, 2],
    ]),
    isComing ? 'waiting' : random.weighted([['booked', 7], ['withdrawn', 3]]),
    instantText(joinedAt),
    instantText(isComing ? joinedAt : joinedAt + random.below(startsAt - joinedAt)),
  ]);
}
