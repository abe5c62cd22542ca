/*
 * Wall clocks without PostgreSQL: every minute is asked of the runtime's own calendar. All times are whole
 * minutes: instants since 1970 in UTC, local times since 1970 on the wall.
 */

export const day = 1440;

/** A wall clock, minute by minute. */
export interface Clock {
  zone: string;
  /** What the clock shows at an instant. */
  shows(instant: number): number;
  /** The latest time it has shown up to an instant: more than it shows while an hour is repeated. */
  hasShown(instant: number): number;
  /** Whether it shows at an instant what it never showed before. */
  isFirst(instant: number): boolean;
}

/** No clock is ever put back by more. */
const memory = 180;

const clocks = new Map<string, Clock>();

/** The clock of an IANA zone. */
export function clockOf(zone: string): Clock {
  const known = clocks.get(zone);
  if (known) return known;
  const format = formatOf(zone);
  const days = new Map<number, { shown: Int32Array; highest: Int32Array }>();
  const dayOf = (instant: number): { shown: Int32Array; highest: Int32Array } => {
    const number = Math.floor(instant / day);
    let walked = days.get(number);
    if (!walked) {
      walked = walk(format, number * day);
      days.set(number, walked);
    }
    return walked;
  };
  const at = (instant: number): number => ((instant % day) + day) % day;
  const clock: Clock = {
    zone,
    shows: (instant) => dayOf(instant).shown[at(instant)]!,
    hasShown: (instant) => dayOf(instant).highest[at(instant)]!,
    isFirst: (instant) => clock.shows(instant) > clock.hasShown(instant - 1),
  };
  clocks.set(zone, clock);
  return clock;
}

function walk(format: Intl.DateTimeFormat, from: number): { shown: Int32Array; highest: Int32Array } {
  const shown = new Int32Array(day);
  const highest = new Int32Array(day);
  let high = -Infinity;
  for (let instant = from - memory; instant < from + day; instant++) {
    const wall = read(format, instant);
    high = Math.max(high, wall);
    if (instant < from) continue;
    shown[instant - from] = wall;
    highest[instant - from] = high;
  }
  return { shown, highest };
}

function formatOf(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
}

/** The wall's time, of "03/08/2026, 03:00". */
function read(format: Intl.DateTimeFormat, instant: number): number {
  const [month, date, year, hour, minute] = format
    .format(instant * 60_000)
    .match(/\d+/g)!
    .map(Number);
  return Date.UTC(year!, month! - 1, date!, hour!, minute!) / 60_000;
}

/** The instants within so many days at which the clock is put forward or back. */
export function changesOf(zone: string, from: number, days: number): number[] {
  const format = formatOf(zone);
  const offset = (instant: number): number => read(format, instant) - instant;
  const changes: number[] = [];
  for (let start = from; start < from + days * day; start += day) {
    if (offset(start) === offset(start + day)) continue;
    for (let instant = start; instant < start + day; instant++)
      if (offset(instant) !== offset(instant + 1)) changes.push(instant + 1);
  }
  return changes;
}

/** The ISO weekday of a local date, in days since 1970, which began on a Thursday. */
export function weekdayOf(date: number): number {
  return ((((date + 3) % 7) + 7) % 7) + 1;
}

/** A local date as PostgreSQL reads it. */
export function dateText(date: number): string {
  return new Date(date * day * 60_000).toISOString().slice(0, 10);
}

/** Minutes of the local day as PostgreSQL reads them. */
export function timeText(minutes: number): string {
  const within = ((minutes % day) + day) % day;
  return `${String(Math.floor(within / 60)).padStart(2, '0')}:${String(within % 60).padStart(2, '0')}`;
}

/** An instant as PostgreSQL reads it in any session. */
export function instantText(instant: number): string {
  return new Date(instant * 60_000).toISOString();
}
