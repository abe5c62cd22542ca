/*
 * Time as whole numbers: a day counts from 1970-01-01, an instant counts minutes from then in UTC.
 * All facilities of the demonstration hospital lie in Massachusetts.
 */

/** The zone of every facility. */
export const zone = 'America/New_York';

export const minutesPerDay = 1440;

const offsetFormat = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
const offsets = new Map<number, number>();
const dates = new Map<number, string>();
const clocks = Array.from({ length: minutesPerDay }, (_, minute) =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':'),
);

/** The day of a date such as 2026-03-09. */
export function dayOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / 86_400_000;
}

/** The date of a day, such as 2026-03-09. */
export function dateText(day: number): string {
  let text = dates.get(day);
  if (!text) dates.set(day, (text = new Date(day * 86_400_000).toISOString().slice(0, 10)));
  return text;
}

/** The wall clock at a minute of the day, such as 13:05. */
export function clockText(minute: number): string {
  return clocks[minute] as string;
}

/** The day of the week: 1 is Monday, 7 is Sunday. */
export function weekdayOf(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

/** The instant at which the zone's wall clocks show this minute of this day; minutes past 1440 are of the next. */
export function instantAt(day: number, minute: number): number {
  const localDay = day + Math.floor(minute / minutesPerDay);
  return localDay * minutesPerDay + (minute % minutesPerDay) - offsetOf(localDay);
}

/** An instant as PostgreSQL reads it, such as 2026-03-09 17:05Z. */
export function instantText(instant: number): string {
  const day = Math.floor(instant / minutesPerDay);
  return `${dateText(day)} ${clockText(instant - day * minutesPerDay)}Z`;
}

/** Today's date on the zone's calendars. */
export function today(): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(new Date());
}

/** Minutes the zone is ahead of UTC, after the change on a day when clocks change: nobody works at 2 in the night. */
function offsetOf(day: number): number {
  let offset = offsets.get(day);
  if (offset === undefined) {
    const noon = new Date(day * 86_400_000 + 17 * 3_600_000);
    const name = offsetFormat.formatToParts(noon).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(name) ?? [];
    offset = (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
    offsets.set(day, offset);
  }
  return offset;
}
