import type { Appointment } from './appointments.ts';
import { instantText, minutesPerDay, zone } from './calendar.ts';
import type { Random } from './random.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

/** How long sent reminders are kept in the demonstration data, in days. */
const keptDays = 60;

const localDay = new Intl.DateTimeFormat('en-US', { timeZone: zone, weekday: 'long' });
const localDate = new Intl.DateTimeFormat('en-GB', {
  timeZone: zone,
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});
const localTime = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' });

/** The reminder of the day before, worded as ops.send_reminders words it; of appointments of the last weeks. */
export function remind(world: World, batch: Batch, random: Random, appointment: Appointment): void {
  const { id, patientId, doctor, startsAt, createdAt, status } = appointment;
  const writtenAt = startsAt - minutesPerDay + random.below(20);
  const isRecent = startsAt < world.now && startsAt > world.now - keptDays * minutesPerDay;
  if (!isRecent || status === 'cancelled' || createdAt >= writtenAt) return;
  const start = new Date(startsAt * 60_000);
  const when = `${localDay.format(start)}, ${localDate.format(start)} at ${localTime.format(start)}`;
  batch.add('notifications', [
    world.keys.next('notifications'),
    `reminder:${id}:${startsAt * 60}`,
    random.uuid(),
    patientId,
    id,
    'Your appointment',
    `You have an appointment on ${when}, ${doctor.department}, ${doctor.facility}.`,
    instantText(writtenAt),
    instantText(writtenAt + 1),
  ]);
}
