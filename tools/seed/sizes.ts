import { Failure, UsageError } from '../failure.ts';
import { dayOf, today } from './calendar.ts';

/** How much data, and which. */
export interface SeedOptions {
  /** At least 300; by default 10,000, or one for every ten appointments. */
  patients?: number;
  /** At least 110; by default 200, or one for every 2,500 appointments. */
  doctors?: number;
  /** At least 3,000; by default 50,000. */
  appointments?: number;
  /** The same seed, sizes and day give the same rows. By default 1. */
  randomSeed?: number;
  /** The day (2026-03-09) on which the hospital stands: what is before is history. By default today. */
  asOf?: string;
}

export type Sizes = Required<SeedOptions>;

/** The smallest hospital: at least 100 rows in every table, there in a few seconds. */
export const small = { patients: 300, doctors: 110, appointments: 3000 };

/** The people of curated/patients.csv are born by then. */
const earliestDay = '2025-01-01';

/** A doctor sees no more in the two years and two months that are filled. */
const mostPerDoctor = 5000;
/** A patient comes no more often. */
const mostPerPatient = 60;

/**
 * Fills in what was not asked for. What is smaller than the curated core of the data is raised to it.
 * @throws UsageError for a number that is none, Failure for sizes that do not go together.
 */
export function sizesOf(options: SeedOptions = {}): Sizes {
  const appointments = Math.max(whole('appointments', options.appointments ?? 50_000), small.appointments);
  const doctors = options.doctors ?? Math.max(200, Math.ceil(appointments / 2500));
  const patients = options.patients ?? Math.max(10_000, Math.ceil(appointments / 10));
  const sizes = {
    patients: Math.max(whole('patients', patients), small.patients),
    doctors: Math.max(whole('doctors', doctors), small.doctors),
    appointments,
    randomSeed: whole('random seed', options.randomSeed ?? 1),
    asOf: options.asOf ?? today(),
  };
  if (!/^\d{4}-\d\d-\d\d$/.test(sizes.asOf) || Number.isNaN(dayOf(sizes.asOf)) || sizes.asOf < earliestDay) {
    throw new UsageError(`"${sizes.asOf}" is not a day from ${earliestDay} on.`, 'Write it like 2026-03-09.');
  }
  if (sizes.appointments > sizes.doctors * mostPerDoctor) {
    const needed = Math.ceil(sizes.appointments / mostPerDoctor);
    throw new Failure(
      `${sizes.doctors} doctors cannot see ${sizes.appointments} appointments in two years.`,
      `Give them --doctors ${needed} or more, or leave the number out.`,
    );
  }
  if (sizes.appointments > sizes.patients * mostPerPatient) {
    const needed = Math.ceil(sizes.appointments / mostPerPatient);
    throw new Failure(
      `${sizes.patients} patients do not make ${sizes.appointments} believable appointments.`,
      `Give them --patients ${needed} or more, or leave the number out.`,
    );
  }
  return sizes;
}

function whole(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new UsageError(`The number of ${name} must be a whole number, not ${value}.`);
}
