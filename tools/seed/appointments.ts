import { pastDays, place, spread, without, type Demand } from './booking.ts';
import { dateText, instantAt, instantText } from './calendar.ts';
import { madeAt, spanOf, statusOf, typeOf, type Status } from './circumstances.ts';
import { Clinic } from './clinic.ts';
import { Failure } from '../failure.ts';
import { recordHistory } from './history.ts';
import { remind } from './messages.ts';
import { Nurses } from './nurses.ts';
import { Panels } from './panels.ts';
import { move, override, wait } from './paperwork.ts';
import { openInstant, type Patients } from './patients.ts';
import { pinsFor } from './pins.ts';
import type { Shift } from './hours.ts';
import type { Random } from './random.ts';
import { planSeries, seriesType } from './series.ts';
import type { Doctor } from './staff.ts';
import { Batch } from './tables.ts';
import type { World } from './world.ts';

/** An appointment while it is being made up. Instants in minutes. */
export interface Appointment {
  id: number;
  patientId: number;
  doctor: Doctor;
  day: number;
  startsAt: number;
  endsAt: number;
  createdAt: number;
  status: Status;
  type: string;
  /** Made for the demonstration, and not by chance. */
  isPinned: boolean;
  /** The series it was booked with. */
  series?: number;
}

const rowsPerBatch = 4000;

const cancellations = [
  ['patient_request', 50],
  ['patient_recovered', 8],
  ['patient_unreachable', 8],
  ['doctor_unavailable', 18],
  ['doctor_ill', 9],
  ['facility_closed', 4],
  ['entered_in_error', 3],
] as const;
const noShows = [
  ['did_not_come', 78],
  ['came_too_late', 12],
  ['left_before_seen', 7],
  ['not_informed', 3],
] as const;

/**
 * The appointments of two years and the coming two months with what happened at them, in the order of time.
 * No retries: each day's times are laid out free of overlap, and nobody comes twice a day.
 */
export function* book(world: World, doctors: Doctor[], patients: Patients): Generator<Batch> {
  const random = world.random(4);
  const panels = new Panels(world, patients, doctors);
  const clinic = new Clinic(world, patients);
  const nurses = new Nurses(world);
  const waiting = new Set<string>();
  const seen = new Uint8Array(patients.count + 1);
  const pins = pinsFor(world, doctors);
  let batch = new Batch();
  planSeries(world, batch, doctors, new Panels(world, patients, doctors), pins);
  const demands = spread(world, world.random(5), doctors, pins);
  let today = Number.NaN;
  let next = demands.next(0);
  while (!next.done) {
    const demand = next.value;
    if (demand.day !== today) {
      panels.startDay((today = demand.day));
      nurses.startDay();
      for (const pin of pins.get(today) ?? []) panels.claim(pin.patientId, pin.specialty);
    }
    const made = visitsOf(world, random, demand, panels, patients, seen);
    for (const appointment of made) {
      writeAppointment(world, batch, random, clinic, appointment, demand);
      nurses.assist(batch, appointment);
      wait(world, batch, random, appointment, patients, waiting);
    }
    batch.progress += made.length;
    if (batch.progress >= rowsPerBatch) {
      yield batch;
      batch = new Batch();
    }
    next = demands.next(made.length);
  }
  if (next.value > 0) {
    throw new Failure(
      `The doctors' days are full: ${next.value} appointments found no time.`,
      'Give them more --doctors or --patients, or fewer --appointments.',
    );
  }
  yield batch;
}

function visitsOf(
  world: World,
  random: Random,
  demand: Demand,
  panels: Panels,
  patients: Patients,
  seen: Uint8Array,
): Appointment[] {
  const { day, doctor, pinned } = demand;
  const repeated = pinned.flatMap(({ patientId, series }) => (series ? { patientId, ...series } : []));
  const single = pinned.filter(({ series }) => !series);
  const shifts = repeated.reduce<readonly Shift[]>(
    (left, { minute }) => without(left, [minute, minute + spanOf(world, seriesType)]),
    demand.shifts,
  );
  const isNewcomer = (id: number): boolean =>
    seen[id] === 0 && (patients.openFrom[id] as number) > world.day - pastDays;
  const chosen = single.map(({ patientId }) => patientId);
  while (chosen.length + repeated.length < demand.count) {
    const patientId = panels.choose(random, doctor);
    if (patientId === undefined) break;
    chosen.push(patientId);
  }
  // Also of an evening shift that ends in the first hours of the hospital's day.
  const isComing = demand.shifts.some(([, end]) => instantAt(day, end) > world.now);
  const types = chosen.map((id, index) =>
    index < single.length ? 'consultation' : typeOf(random, doctor.specialty, isComing, isNewcomer(id)),
  );
  const starts = place(
    random,
    shifts,
    types.map((type) => spanOf(world, type)),
    isComing,
  );
  const made = chosen.flatMap((patientId, index): Appointment[] => {
    const minute = starts[index];
    if (minute === null || minute === undefined) return [];
    seen[patientId] = 1;
    const type = types[index] as string;
    // The ten minutes of preparation lie before the start, on the quarter hour like everything else.
    const startsAt = instantAt(day, minute + (type === 'procedure' ? 15 : 0));
    const minutes = world.codes.appointmentTypes.get(type)?.minutes ?? 30;
    const endsAt = startsAt + minutes;
    const isPinned = index < single.length;
    const status = statusOf(world, random, startsAt, isPinned || type === 'walk_in');
    const createdAt = madeAt(world, random, openInstant(patients, patientId), startsAt, type);
    return [{ id: 0, patientId, doctor, day, startsAt, endsAt, createdAt, status, type, isPinned }];
  });
  for (const { id: series, patientId, createdAt, minute } of repeated) {
    seen[patientId] = 1;
    const startsAt = instantAt(day, minute);
    const endsAt = startsAt + spanOf(world, seriesType);
    const status = statusOf(world, random, startsAt, true);
    const fixed = { id: 0, patientId, doctor, day, startsAt, endsAt, createdAt, status, type: seriesType };
    made.push({ ...fixed, isPinned: true, series });
  }
  return made;
}

function writeAppointment(
  world: World,
  batch: Batch,
  random: Random,
  clinic: Clinic,
  appointment: Appointment,
  demand: Demand,
): void {
  appointment.id = world.keys.next('appointments');
  const overridden = override(world, batch, random, appointment);
  const { id, patientId, doctor, startsAt, endsAt, createdAt, status, type, series = null } = appointment;
  const scenario = clinic.scenarioFor(random, appointment);
  const latest = Math.min(startsAt, world.now);
  const cancelledAt =
    status === 'cancelled' ? createdAt + random.below(Math.max(1, latest - createdAt)) : null;
  const changedAt = status === 'completed' || status === 'no_show' ? endsAt : (cancelledAt ?? createdAt);
  const cancellation = cancelledAt === null ? null : random.weighted(cancellations);
  const noShow = status === 'no_show' ? random.weighted(noShows) : null;
  batch.add('appointments', [
    id,
    random.uuid(),
    patientId,
    doctor.id,
    doctor.departmentId,
    type === 'telehealth' ? null : doctor.roomId,
    world.codes.appointmentTypes.get(type)?.id ?? null,
    instantText(startsAt),
    instantText(endsAt),
    status,
    scenario.reason,
    cancelledAt === null ? null : instantText(cancelledAt),
    cancellation,
    noShow,
    overridden?.id ?? null,
    series,
    instantText(createdAt),
    instantText(changedAt),
  ]);
  if (series === null) move(world, batch, random, appointment);
  const visit =
    status === 'completed' ? clinic.write(batch, random, appointment, scenario, dateText(demand.day)) : undefined;
  recordHistory(world, batch, appointment, {
    changedAt,
    reason: cancellation ?? noShow,
    overrideReason: overridden?.reason ?? null,
    ...(visit && { visit }),
  });
  remind(world, batch, random, appointment);
}
