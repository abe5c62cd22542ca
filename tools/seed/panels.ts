import { mix, type Random } from './random.ts';
import type { Doctor } from './staff.ts';
import { patients as curatedPatients } from './curated/read.ts';
import { sexOf, type Patients } from './patients.ts';
import type { World } from './world.ts';

/** Whom the doctors of a specialty see. */
export interface Clientele {
  youngest: number;
  oldest: number;
  sex?: 'female' | 'male';
}

const everybody: Clientele = { youngest: 0, oldest: 110 };
const adults: Clientele = { youngest: 18, oldest: 110 };
const clienteles: Record<string, Clientele> = {
  Pediatrics: { youngest: 0, oldest: 17 },
  Geriatrics: { youngest: 65, oldest: 110 },
  'Obstetrics and gynecology': { youngest: 18, oldest: 80, sex: 'female' },
  'General practice': everybody,
  'Family medicine': everybody,
  'Emergency medicine': everybody,
  Dermatology: everybody,
  Ophthalmology: everybody,
  Otolaryngology: everybody,
};

/** Everybody has a first doctor, few have an oncologist: the share of a clientele that ever comes. */
const specialistShare = 0.2;
const openToAll = [
  'General practice',
  'Family medicine',
  'Internal medicine',
  'Emergency medicine',
  'Pediatrics',
];

/** Whom the doctors of this specialty see. */
export const clienteleOf = (specialty: string): Clientele => clienteles[specialty] ?? adults;

/** Age in whole years. */
export const ageOn = (patients: Patients, id: number, day: number): number =>
  Math.floor((day - (patients.birthDay[id] as number)) / 365.25);

/** Who may come to the doctors of a specialty. */
interface Pool {
  all: Int32Array;
  /** Those of them with a name in curated/patients.csv. */
  curated: number[];
}

/** Chooses who comes to a doctor on a day: mostly people who have come before, nobody twice a day. */
export class Panels {
  readonly #patients: Patients;
  readonly #pools = new Map<string, Pool>();
  readonly #curatedShare: number;
  #day = 0;
  #seenToday = new Set<number>();

  constructor(world: World, patients: Patients, doctors: Doctor[]) {
    this.#patients = patients;
    // The people with a story see the doctors with a name: some ten times each, however large the hospital is.
    const namedVisits =
      (world.sizes.appointments * doctors.filter(({ isCurated }) => isCurated).length) / doctors.length;
    this.#curatedShare = Math.min(0.5, (curatedPatients.length * 10) / namedVisits);
  }

  startDay(day: number): void {
    this.#day = day;
    this.#seenToday.clear();
  }

  /** Notes that a patient comes today; false if one already does, or cannot. */
  claim(id: number, specialty: string): boolean {
    if (this.#seenToday.has(id) || !this.#canCome(id, specialty)) return false;
    this.#seenToday.add(id);
    return true;
  }

  /** A patient for this doctor today, or undefined when none was found. */
  choose(random: Random, doctor: Doctor): number | undefined {
    const { all, curated } = this.#poolOf(doctor.specialty);
    // A doctor's own patients are one stretch of the pool, so that the same people come again.
    const width = Math.max(40, Math.floor(all.length / 12));
    const first = mix(doctor.id, 77) % all.length;
    const isNamed = doctor.isCurated && curated.length > 0;
    for (let attempt = 0; attempt < 40; attempt++) {
      const id =
        isNamed && random.chance(this.#curatedShare)
          ? random.pick(curated)
          : (all[(first + random.below(attempt < 20 ? width : all.length)) % all.length] as number);
      if (this.claim(id, doctor.specialty)) return id;
    }
    return undefined;
  }

  #canCome(id: number, specialty: string): boolean {
    const { youngest, oldest, sex } = clienteleOf(specialty);
    const { openFrom, closedFrom } = this.#patients;
    if (this.#day < (openFrom[id] as number) || this.#day >= (closedFrom[id] as number)) return false;
    const age = ageOn(this.#patients, id, this.#day);
    return age >= youngest && age <= oldest && (sex === undefined || sexOf(this.#patients, id) === sex);
  }

  #poolOf(specialty: string): Pool {
    let pool = this.#pools.get(specialty);
    if (!pool) this.#pools.set(specialty, (pool = this.#gather(specialty)));
    return pool;
  }

  #gather(specialty: string): Pool {
    const { youngest, oldest, sex } = clienteleOf(specialty);
    const suited: number[] = [];
    for (let id = 1; id <= this.#patients.count; id++) {
      const age = ageOn(this.#patients, id, this.#day);
      if (age + 2 < youngest || age > oldest) continue;
      if (sex === undefined || sexOf(this.#patients, id) === sex) suited.push(id);
    }
    const label = [...specialty].reduce((sum, letter) => mix(sum, letter.charCodeAt(0)), 0);
    const comes = (id: number): boolean => mix(id, label) / 2 ** 32 < specialistShare;
    const all = openToAll.includes(specialty) ? suited : suited.filter(comes);
    return {
      all: Int32Array.from(all.length >= 10 ? all : suited),
      curated: all.filter((id) => id <= curatedPatients.length),
    };
  }
}
