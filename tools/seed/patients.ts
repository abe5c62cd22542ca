import { dateText, dayOf, instantAt, instantText, minutesPerDay, zone } from './calendar.ts';
import { deny } from './consents.ts';
import * as curated from './curated/read.ts';
import { Families } from './families.ts';
import { emailAddress, personName, phoneNumber, streetAddress } from './names.ts';
import type { Random } from './random.ts';
import { Batch } from './tables.ts';
import type { World } from './world.ts';

const sexes = ['female', 'male', 'other', 'unknown'] as const;

/** What booking needs to know of each patient, by key: a few bytes, so that a million fit. */
export interface Patients {
  count: number;
  birthDay: Int32Array;
  /** Index into `sexes`. */
  sex: Uint8Array;
  /** The first day on which the patient can come. */
  openFrom: Int32Array;
  /** The day from which the patient no longer comes: of death, or far away. */
  closedFrom: Int32Array;
}

export const sexOf = (patients: Patients, id: number): string => sexes[patients.sex[id] as number] as string;

const rowsPerBatch = 2000;
const never = 2 ** 30;

/** The curated patients first, then generated ones, with their contacts, identifiers and consents. */
export function* register(world: World): Generator<Batch, Patients> {
  const random = world.random(3);
  const forms = world.random(9);
  const count = world.sizes.patients;
  const patients: Patients = {
    count,
    birthDay: new Int32Array(count + 1),
    sex: new Uint8Array(count + 1),
    openFrom: new Int32Array(count + 1),
    closedFrom: new Int32Array(count + 1).fill(never),
  };
  const families = new Families(world);
  let batch = new Batch();
  for (let id = 1; id <= count; id++) {
    writePatient(world, batch, random, patients, families, id);
    deny(world, batch, forms, id, instantAt((patients.openFrom[id] as number) - 1, 1000));
    batch.progress++;
    if (batch.progress === rowsPerBatch || id === count) {
      yield batch;
      batch = new Batch();
    }
  }
  return patients;
}

function writePatient(
  world: World,
  batch: Batch,
  random: Random,
  patients: Patients,
  families: Families,
  id: number,
): void {
  const known = curated.patients[id - 1];
  const sex =
    known?.sex ??
    random.weighted([
      ['female', 525],
      ['male', 463],
      ['other', 7],
      ['unknown', 5],
    ]);
  const [givenName, ownName] = known ? [known.given_name, known.family_name] : personName(random, sex);
  const born = known ? dayOf(known.date_of_birth) : world.day - ageInDays(random);
  const died =
    !known && world.day - born > 55 * 365 && random.chance(0.03) ? world.day - random.between(5, 700) : never;
  const parents = families.parentsOf(born);
  const familyName = known ? ownName : (parents[0]?.familyName ?? ownName);
  const isOld = known !== undefined || died !== never;
  const registered = registrationDay(world, random, born, isOld);
  patients.birthDay[id] = born;
  patients.sex[id] = sexes.indexOf(sex as (typeof sexes)[number]);
  patients.openFrom[id] = registered + 1;
  patients.closedFrom[id] = died;

  const created = instantText(instantAt(registered, random.between(500, 1000)));
  batch.add('patients', [
    world.keys.next('patients'),
    `MR${String(id).padStart(8, '0')}`,
    random.uuid(),
    givenName,
    familyName,
    dateText(born),
    sex,
    died === never ? null : dateText(died),
    random.chance(0.02) ? 'America/Chicago' : random.chance(0.5) ? zone : null,
    created,
    created,
  ]);
  if (died === never) families.join(batch, { id, familyName, born, registered }, parents);
  const site = curated.facilities[random.between(1, curated.facilities.length - 1)];
  const address = known
    ? `${known.street}, ${known.town}, MA ${known.zip}`
    : `${streetAddress(random)}, ${site?.town}, MA ${site?.zip}`;
  const contact = (kind: string, value: string): void =>
    batch.add('contact_points', [
      world.keys.next('contact_points'),
      id,
      null,
      kind,
      value,
      't',
      created,
      created,
    ]);
  contact('phone', known?.phone ?? phoneNumber(random, site?.phone.slice(1, 4) ?? '617'));
  contact('postal', address);
  if (random.chance(0.75)) contact('email', emailAddress(givenName, familyName, id, 'example.com'));
  const identifier = (system: string, value: string): void =>
    batch.add('patient_identifiers', [
      world.keys.next('patient_identifiers'),
      id,
      system,
      value,
      created,
      created,
    ]);
  identifier('ssn', neverIssued(random));
  if (world.day - born > 18 * 365 && random.chance(0.7)) {
    identifier('drivers_license', `S${random.between(10_000_000, 99_999_999)}`);
  }
}

/** Area 9xx with groups below 50 is given to nobody, as a social security number or otherwise. */
function neverIssued(random: Random): string {
  const group = String(random.between(1, 49)).padStart(2, '0');
  return `${random.between(900, 999)}-${group}-${random.between(1000, 9999)}`;
}

/** Ages of those who come to a hospital: many children, more in their later years. */
function ageInDays(random: Random): number {
  const [first, last] = random.weighted<[number, number]>([
    [[0, 17], 19],
    [[18, 34], 22],
    [[35, 54], 23],
    [[55, 69], 20],
    [[70, 84], 13],
    [[85, 96], 3],
  ]);
  return Math.floor(first * 365.25) + random.below((last - first + 1) * 365) + 8;
}

/** Most have been here for years, a third came in the last two; nobody before birth. */
function registrationDay(world: World, random: Random, born: number, isOld: boolean): number {
  const ago = random.chance(0.35) && !isOld ? random.between(5, 720) : random.between(735, 4000);
  return Math.min(Math.max(world.day - ago, born), world.day - 2);
}

/** The instant from which a patient can make appointments. */
export const openInstant = (patients: Patients, id: number): number =>
  (patients.openFrom[id] as number) * minutesPerDay;
