/** A medicine as a doctor prescribes it. */
export interface Prescribed {
  /** RxNorm code, one of curated/medications.csv. */
  code: string;
  dosage: string;
  instructions: string;
  /** For how many days, or null for as long as needed. */
  days: number | null;
}

/** What is done at a visit. */
export interface Performed {
  /** One of curated/treatment-types.csv. */
  type: string;
  /** Cheapest and dearest, in US dollars. */
  cost: [number, number];
  minutes: number;
}

/** A visit that makes clinical sense: who comes, why, what is found, and what is done about it. */
export interface Scenario {
  /** Specialties (of hospital.specialties) whose doctors see it. */
  specialties: string[];
  /** Youngest and oldest age in years. */
  ages: [number, number];
  sex?: 'female' | 'male';
  /** It lasts, so the patient comes back with it. */
  chronic?: boolean;
  /** Why the appointment was made, in the patient's words. */
  reason: string;
  /** What the patient complains of, in a word or two each, the most usual first. */
  symptoms?: string[];
  /** ICD-10-CM codes of curated/diagnoses.csv, the principal one first. */
  codes: string[];
  /** The diagnosis in the doctor's words. */
  diagnosis: string;
  notes: string;
  /** How sensitive its notes are (of hospital.sensitivities), where not normal. */
  sensitivity?: string;
  /** Alternatives; one patient always gets the same. Each is a list of medicines. */
  prescriptions: Prescribed[][];
  treatments: Performed[];
}

export const take = (
  code: string,
  dosage: string,
  days: number | null,
  instructions: string,
): Prescribed => ({
  code,
  dosage,
  days,
  instructions,
});

export const perform = (type: string, from: number, to: number, minutes: number): Performed => ({
  type,
  cost: [from, to],
  minutes,
});
