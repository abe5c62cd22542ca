import type { Appointment } from './appointments.ts';
import { dateText, instantText, minutesPerDay } from './calendar.ts';
import { scenarios } from './curated/scenarios/index.ts';
import type { Scenario } from './curated/scenarios/scenario.ts';
import { Notes, type Visited } from './notes.ts';
import { ageOn } from './panels.ts';
import { sexOf, type Patients } from './patients.ts';
import { mix, type Random } from './random.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

const outcomes = [
  ['improved', 46],
  ['resolved', 27],
  ['unchanged', 16],
  ['not_assessed', 6],
  ['worsened', 3],
  ['complication', 2],
] as const;

/** Every so many visits the record was corrected afterwards. */
const amendedEvery = 15;

/** Whether a scenario fits a patient of this age and sex at a doctor of this specialty. */
export function fits(scenario: Scenario, specialty: string, age: number, sex: string): boolean {
  return (
    scenario.specialties.includes(specialty) &&
    age >= scenario.ages[0] &&
    age <= scenario.ages[1] &&
    (scenario.sex === undefined || scenario.sex === sex)
  );
}

/** What happens at the visits. */
export class Clinic {
  readonly #world: World;
  readonly #patients: Patients;
  readonly #notes: Notes;
  /** Scenarios by specialty, age and sex: the search for them is made once each. */
  readonly #fitting = new Map<string, { lasting: Scenario[]; all: Scenario[] }>();
  /** Whose lasting illness is in the medical history already. */
  readonly #recorded = new Set<number>();

  constructor(world: World, patients: Patients) {
    this.#world = world;
    this.#patients = patients;
    this.#notes = new Notes(world);
  }

  /** Why this patient comes to this doctor: mostly with the illness that lasts, else with something new. */
  scenarioFor(random: Random, { patientId, doctor: { specialty }, day, isPinned }: Appointment): Scenario {
    const age = ageOn(this.#patients, patientId, day);
    const sex = sexOf(this.#patients, patientId);
    const key = `${specialty} ${age} ${sex}`;
    let fitting = this.#fitting.get(key);
    if (!fitting) {
      const all = scenarios.filter((scenario) => fits(scenario, specialty, age, sex));
      fitting = { all, lasting: all.filter(({ chronic }) => chronic) };
      this.#fitting.set(key, fitting);
    }
    const { lasting, all } = fitting;
    if (lasting.length > 0 && (isPinned || random.chance(age < 40 ? 0.25 : 0.6)))
      return lasting[mix(patientId, 5) % lasting.length] as Scenario;
    return random.pick(all);
  }

  /** Writes the visit of a completed appointment with its diagnoses, prescriptions and treatments, and returns when it was. */
  write(
    batch: Batch,
    random: Random,
    appointment: Appointment,
    scenario: Scenario,
    date: string,
  ): { startedAt: number; endedAt: number } {
    const { patientId, doctor } = appointment;
    const visitId = this.#world.keys.next('visits');
    const startedAt = appointment.startsAt + random.between(0, 9);
    const length = appointment.endsAt - appointment.startsAt;
    const endedAt = startedAt + Math.max(8, Math.round(length * (0.6 + random.fraction() * 0.4)));
    const ended = instantText(endedAt);
    const visited = this.#writeVisit(batch, random, appointment, scenario, visitId, startedAt, endedAt);
    this.#notes.write(batch, appointment, scenario, visited);
    scenario.codes.forEach((code, index) => {
      const codeId = this.#world.codes.diagnoses.get(code) as number;
      batch.add('visit_diagnoses', [
        this.#key('visit_diagnoses'),
        visitId,
        patientId,
        codeId,
        index + 1,
        ended,
        ended,
      ]);
    });
    this.#recordCondition(batch, random, appointment, scenario, visitId, ended);
    const choice = scenario.prescriptions[mix(patientId, 9) % scenario.prescriptions.length] ?? [];
    for (const { code, dosage, instructions, days } of choice) {
      const isStopped =
        days !== null &&
        days > 20 &&
        appointment.startsAt + days * minutesPerDay < this.#world.now &&
        random.chance(0.03);
      batch.add('prescriptions', [
        this.#key('prescriptions'),
        visitId,
        patientId,
        this.#world.codes.medications.get(code) as number,
        doctor.id,
        dosage,
        instructions,
        date,
        days,
        isStopped ? instantText(endedAt + random.between(3, days - 5) * minutesPerDay) : null,
        isStopped ? random.pick(['Side effects', 'No longer needed', 'Changed to another medicine']) : null,
        ended,
        ended,
      ]);
    }
    this.#treat(batch, random, scenario, patientId, visitId, startedAt, endedAt);
    return { startedAt, endedAt };
  }

  #key(name: Parameters<World['keys']['next']>[0]): number {
    return this.#world.keys.next(name);
  }

  #writeVisit(
    batch: Batch,
    random: Random,
    { id, patientId, doctor, day }: Appointment,
    scenario: Scenario,
    visitId: number,
    startedAt: number,
    endedAt: number,
  ): Visited {
    const vitals =
      ageOn(this.#patients, patientId, day) < 12
        ? `Temp ${(97 + random.below(30) / 10).toFixed(1)} F.`
        : `BP ${random.between(108, 152)}/${random.between(64, 92)}, pulse ${random.between(58, 94)}.`;
    const notes = `${vitals} ${scenario.notes}`;
    const isAmended = visitId % amendedEvery === 0;
    const amendedAt = instantText(
      Math.min(endedAt + random.between(60, 2800), Math.max(endedAt, this.#world.now)),
    );
    const recordUuid = random.uuid();
    batch.add('visits', [
      visitId,
      recordUuid,
      id,
      patientId,
      doctor.id,
      instantText(startedAt),
      instantText(endedAt),
      scenario.diagnosis,
      isAmended ? `${notes} Addition: results discussed by telephone.` : notes,
      isAmended ? 2 : 1,
      isAmended ? 'Results arrived after the visit' : null,
      instantText(startedAt),
      isAmended ? amendedAt : instantText(endedAt),
    ]);
    if (isAmended) batch.add('visit_versions', [visitId, 1, patientId, scenario.diagnosis, notes, amendedAt]);
    return { id: visitId, recordUuid, vitals, endedAt };
  }

  /** A lasting illness enters the history once; of the passing ones some do, with the day they ended. */
  #recordCondition(
    batch: Batch,
    random: Random,
    { patientId, day }: Appointment,
    scenario: Scenario,
    visitId: number,
    at: string,
  ): void {
    const isLasting = scenario.chronic === true;
    if (isLasting ? this.#recorded.has(patientId) : !random.chance(0.4)) return;
    if (isLasting) this.#recorded.add(patientId);
    const codeId = this.#world.codes.diagnoses.get(scenario.codes[0] as string) as number;
    const onset = isLasting
      ? Math.max(this.#patients.birthDay[patientId] as number, day - random.between(0, 900))
      : day;
    const abated = isLasting
      ? null
      : Math.min(day + random.between(5, 25), Math.max(day, this.#world.day - 1));
    batch.add('patient_conditions', [
      this.#key('patient_conditions'),
      patientId,
      codeId,
      visitId,
      dateText(onset),
      abated === null ? null : dateText(abated),
      at,
      at,
    ]);
  }

  #treat(
    batch: Batch,
    random: Random,
    scenario: Scenario,
    patientId: number,
    visitId: number,
    startedAt: number,
    endedAt: number,
  ): void {
    for (const { type, cost, minutes } of scenario.treatments) {
      const from = startedAt + random.between(1, 5);
      const until = Math.max(from, Math.min(endedAt, from + minutes));
      const dollars = (random.between(cost[0] * 100, cost[1] * 100) / 100).toFixed(2);
      batch.add('treatments', [
        this.#key('treatments'),
        visitId,
        patientId,
        type,
        dollars,
        null,
        instantText(from),
        instantText(until),
        random.weighted(outcomes),
        instantText(from),
        instantText(until),
      ]);
    }
  }
}
