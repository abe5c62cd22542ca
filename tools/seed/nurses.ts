import type { Appointment } from './appointments.ts';
import { instantText } from './calendar.ts';
import { spanOf, spanText, startOf } from './circumstances.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

/** Types at which a nurse helps. */
const assisted = ['procedure', 'physical'];

/** Who helps whom: never two at once. */
export class Nurses {
  readonly #world: World;
  /** When each is taken today. */
  #taken = new Map<number, [number, number][]>();

  constructor(world: World) {
    this.#world = world;
  }

  startDay(): void {
    this.#taken.clear();
  }

  /** Assigns a nurse of the facility who is free; if none is, the doctor manages alone. */
  assist(batch: Batch, appointment: Appointment): void {
    const { id, patientId, doctor, createdAt, status, type } = appointment;
    if (!assisted.includes(type)) return;
    const from = startOf(this.#world, appointment);
    const until = from + spanOf(this.#world, type);
    const turn = id % Math.max(1, doctor.nurses.length);
    const nurse = [...doctor.nurses.slice(turn), ...doctor.nurses.slice(0, turn)].find((each) =>
      (this.#taken.get(each) ?? []).every(([start, end]) => until <= start || from >= end),
    );
    if (nurse === undefined) return;
    this.#taken.set(nurse, [...(this.#taken.get(nurse) ?? []), [from, until]]);
    batch.add('appointment_staff', [
      id,
      patientId,
      nurse,
      'nurse',
      spanText(this.#world, appointment),
      status,
      instantText(createdAt),
    ]);
  }
}
