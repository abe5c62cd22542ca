import type { Appointment } from './appointments.ts';
import { instantText, minutesPerDay } from './calendar.ts';
import type { Scenario } from './curated/scenarios/scenario.ts';
import { mix, type Random } from './random.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

/** The visit that a note is about. */
export interface Visited {
  id: number;
  recordUuid: string;
  vitals: string;
  endedAt: number;
}

/** Every so many visits have a note; those with something sensitive all do. */
const notedEvery = 6;

const additions = [
  'Results discussed by telephone; no change of plan.',
  'Patient called: better, no side effects.',
  'Letter from the specialist received and filed.',
] as const;

/** The share of notes that were begun and never signed. */
const leftShare = 0.02;

/** The section of symptoms: the most usual one and some of the others, typed as people type. */
function symptomsAt({ id }: Visited, { symptoms = [] }: Scenario): { symptoms?: string[] } {
  if (symptoms.length === 0) return {};
  const present = symptoms.filter((_, index) => index === 0 || mix(id, 40 + index) % 3 !== 0);
  const isCapital = mix(id, 47) % 4 === 0;
  return { symptoms: present.map((symptom) => (isCapital ? symptom[0]!.toUpperCase() + symptom.slice(1) : symptom)) };
}

/** Writes the notes of visits: most signed the same day, sensitive ones with who else may read them. */
export class Notes {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random(7);
  }

  write(batch: Batch, appointment: Appointment, scenario: Scenario, visit: Visited): void {
    const { sensitivity = 'normal' } = scenario;
    if (sensitivity === 'normal' && mix(visit.id, 31) % notedEvery !== 0) return;
    const isPrivate = sensitivity === 'mental_health' && appointment.doctor.specialty === 'Psychiatry';
    const type = isPrivate ? 'psychotherapy_note' : 'progress_note';
    const body = isPrivate
      ? { themes: `${scenario.reason}. ${scenario.notes}`, risk: 'No thoughts of harm to self or others.' }
      : {
          subjective: `${scenario.reason}.`,
          objective: visit.vitals,
          assessment: scenario.diagnosis,
          plan: scenario.notes,
          ...symptomsAt(visit, scenario),
        };
    const signedAt = visit.endedAt + this.#random.between(2, 600);
    const isSigned = signedAt <= this.#world.now && !this.#random.chance(leftShare);
    const isEdited = isSigned && this.#random.chance(0.3);
    const id = this.#add(batch, appointment, visit, {
      type,
      sensitivity,
      addendumTo: null,
      body,
      version: isEdited ? 2 : 1,
      createdAt: visit.endedAt,
      signedAt: isSigned ? signedAt : null,
    });
    if (isEdited) {
      const [first] = Object.entries(body);
      batch.add('clinical_note_versions', [
        id,
        1,
        appointment.patientId,
        sensitivity,
        JSON.stringify(Object.fromEntries([first as [string, string]])),
        instantText(signedAt),
      ]);
    }
    if (!isSigned) return;
    this.#addTo(batch, appointment, visit, id, sensitivity, signedAt);
    if (sensitivity !== 'normal') this.#share(batch, appointment, sensitivity, signedAt);
  }

  #add(
    batch: Batch,
    { patientId, doctor }: Appointment,
    { recordUuid }: Visited,
    note: {
      type: string;
      sensitivity: string;
      addendumTo: number | null;
      body: object;
      version: number;
      createdAt: number;
      signedAt: number | null;
    },
  ): number {
    const id = this.#world.keys.next('clinical_notes');
    const createdAt = instantText(note.createdAt);
    const signedAt = note.signedAt === null ? null : instantText(note.signedAt);
    batch.add('clinical_notes', [
      id,
      this.#random.uuid(),
      recordUuid,
      patientId,
      note.type,
      doctor.staffId,
      note.sensitivity,
      note.addendumTo,
      JSON.stringify(note.body),
      note.version,
      signedAt,
      createdAt,
      signedAt ?? createdAt,
    ]);
    return id;
  }

  /** Some are added to, days later. */
  #addTo(
    batch: Batch,
    appointment: Appointment,
    visit: Visited,
    noteId: number,
    sensitivity: string,
    signedAt: number,
  ): void {
    const at = signedAt + this.#random.between(1, 6) * minutesPerDay;
    if (at > this.#world.now || !this.#random.chance(0.1)) return;
    this.#add(batch, appointment, visit, {
      type: 'addendum',
      sensitivity,
      addendumTo: noteId,
      body: { text: this.#random.pick(additions) },
      version: 1,
      createdAt: at,
      signedAt: at,
    });
  }

  /** A nurse who helps with the treatment reads along for three months. */
  #share(
    batch: Batch,
    { patientId, doctor }: Appointment,
    sensitivity: string,
    signedAt: number,
  ): void {
    if (doctor.nurses.length === 0) return;
    const end = signedAt + 90 * minutesPerDay;
    batch.add('sensitivity_grants', [
      this.#world.keys.next('sensitivity_grants'),
      patientId,
      this.#random.pick(doctor.nurses),
      sensitivity,
      `["${instantText(signedAt)}","${instantText(end)}")`,
      'Helps with the treatment',
      doctor.staffId,
      instantText(signedAt),
      instantText(signedAt),
    ]);
  }
}
