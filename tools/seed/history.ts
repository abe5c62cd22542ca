import type { Appointment } from './appointments.ts';
import { instantText, minutesPerDay } from './calendar.ts';
import { mix } from './random.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

/** For how long the reception has checked patients in; what is older was taken over with how it ended. In days. */
const keptDays = 90;

/** What became of an appointment. Instants in minutes. */
interface Course {
  /** When it came to the status it has. */
  changedAt: number;
  /** Why it was cancelled or missed. */
  reason: string | null;
  /** Why it was booked past a rule. */
  overrideReason: string | null;
  /** The consultation, if it was kept. */
  visit?: { startedAt: number; endedAt: number };
}

/** Writes each status of an appointment with its instant: of recent ones when the patient came and was seen. */
export function recordHistory(world: World, batch: Batch, appointment: Appointment, course: Course): void {
  const { id, startsAt, createdAt, status } = appointment;
  let previous: string | null = null;
  const enter = (next: string, at: number, reason: string | null = null): void => {
    batch.add('appointment_status_history', [
      world.keys.next('appointment_status_history'),
      id,
      previous,
      next,
      reason,
      instantText(at),
    ]);
    previous = next;
  };
  if (startsAt < world.now - keptDays * minutesPerDay) {
    enter(status, course.changedAt, course.reason ?? course.overrideReason);
    return;
  }
  enter('scheduled', createdAt, course.overrideReason);
  if (course.visit) {
    // From twenty-five minutes early to five late, and some are not checked in at all.
    const arrivedAt = Math.min(startsAt - 25 + (mix(id, 11) % 31), course.visit.startedAt);
    if (arrivedAt > createdAt && mix(id, 13) % 20 > 0) enter('checked_in', arrivedAt);
    enter('in_progress', course.visit.startedAt);
    enter('completed', course.visit.endedAt);
  } else if (status !== 'scheduled') {
    enter(status, course.changedAt, course.reason);
  }
}
