import { type Clock, day, weekdayOf } from './clock.ts';

/*
 * When a doctor can be booked, by brute force: minute after minute is asked whether every rule allows it.
 * Nothing here knows of ranges, and nothing is asked of the database. Units as in clock.ts.
 */

/** A shift of the week; `end` is beyond the day for one that runs over midnight. */
export interface Rule {
  weekday: number;
  start: number;
  end: number;
  /** The local dates on which it may begin, the last not included. */
  from: number;
  until: number;
  roomId: number | null;
}

export interface Stretch {
  from: number;
  to: number;
  roomId: number | null;
}

export interface Doctor {
  id: number;
  rules: Rule[];
  off: Stretch[];
  extra: Stretch[];
  dailyLimit: number | null;
}

export interface Kind {
  id: number;
  duration: number;
  before: number;
  after: number;
  notice: number;
  horizon: number;
  dailyLimit: number | null;
}

/** An appointment that occupies time, buffers included, until it expires. */
export interface Taken {
  id: number;
  doctorId: number;
  patientId: number;
  roomId: number | null;
  kindId: number;
  isHeld: boolean;
  /** Whether it is held for somebody on the waitlist, who did not ask for it. */
  isOffer: boolean;
  startsAt: number;
  from: number;
  to: number;
}

/** What is asked for. */
export interface Wish {
  doctor: Doctor;
  kind: Kind;
  startsAt: number;
  /** Its length if it is not the type's. */
  duration?: number;
  /** Without a patient, only doctor and room are asked. */
  patientId?: number;
  /** A room that was named, instead of the one the hours name. */
  roomId?: number | null;
  /** An appointment that is itself moved. */
  movedId?: number;
  /** Whether the time is only to be held. */
  isHold?: boolean;
  /** Whether it only becomes longer or shorter: nothing new is promised then, and no rule on promises asked. */
  isOldPromise?: boolean;
  /** The time an override covers. */
  override?: { from: number; to: number };
}

export type Refusal =
  'PASTT' | 'NOTIC' | 'TOFAR' | 'OUTWH' | 'SLOTT' | 'PATBU' | 'ROOMT' | 'LIMIT' | 'NHOLD';

/** As many times one patient may hold at once. */
const holdsAtOnce = 3;

/** Whether a minute belongs to the doctor's working time. */
export function works(clock: Clock, doctor: Doctor, instant: number): boolean {
  if (doctor.extra.some((session) => covers(session, instant))) return true;
  if (doctor.off.some((absence) => covers(absence, instant))) return false;
  return rulesAt(clock, doctor, instant).length > 0;
}

/** The room the doctor works in at a minute: of an extra session before that of the week. */
export function roomAt(clock: Clock, doctor: Doctor, instant: number): number | null {
  const session = doctor.extra.find((one) => covers(one, instant));
  if (session) return session.roomId;
  if (!works(clock, doctor, instant)) return null;
  return rulesAt(clock, doctor, instant)[0]!.roomId;
}

/**
 * The shifts of the week that cover a minute. A shift begins at the first minute at which the clock has
 * shown its start or a later time, and ends in the same way: that puts a boundary in a missing hour at the
 * jump and one in a repeated hour at its first occurrence.
 */
export function rulesAt(clock: Clock, doctor: Doctor, instant: number): Rule[] {
  const shown = clock.hasShown(instant);
  const today = Math.floor(shown / day);
  return [today - 1, today].flatMap((date) =>
    doctor.rules.filter(
      (rule) =>
        rule.weekday === weekdayOf(date) &&
        rule.from <= date &&
        date < rule.until &&
        date * day + rule.start <= shown &&
        shown < date * day + rule.end,
    ),
  );
}

/** Every reason for which a wish must be refused; none if it must be granted. */
export function refusals(clock: Clock, taken: Taken[], wish: Wish, now: number): Set<Refusal> {
  const { doctor, startsAt } = wish;
  const span = spanOf(wish);
  const found = new Set<Refusal>();
  if (startsAt <= now) found.add('PASTT');
  if (!(wish.override && wish.override.from <= span.from && span.to <= wish.override.to)) {
    for (let minute = span.from; minute < span.to; minute++)
      if (!works(clock, doctor, minute)) found.add('OUTWH');
    if (!clock.isFirst(startsAt)) found.add('OUTWH');
    if (!wish.isOldPromise) for (const broken of brokenPromises(clock, taken, wish, now)) found.add(broken);
  }
  const roomId = wish.roomId === undefined ? roomAt(clock, doctor, startsAt) : wish.roomId;
  for (const other of taken) {
    if (other.id === wish.movedId || !meets(other, span)) continue;
    if (other.doctorId === doctor.id) found.add('SLOTT');
    if (other.patientId === wish.patientId) found.add('PATBU');
    if (other.roomId !== null && other.roomId === roomId) found.add('ROOMT');
  }
  return found;
}

function brokenPromises(clock: Clock, taken: Taken[], wish: Wish, now: number): Refusal[] {
  const { kind, startsAt } = wish;
  const broken: Refusal[] = [];
  if (startsAt < now + kind.notice) broken.push('NOTIC');
  if (startsAt > now + kind.horizon * day) broken.push('TOFAR');
  if (isFull(clock, taken, wish)) broken.push('LIMIT');
  if (wish.isHold && holdsMany(taken, wish)) broken.push('NHOLD');
  return broken;
}

/** What a wish would occupy. */
export function spanOf({ kind, startsAt, duration = kind.duration }: Wish): { from: number; to: number } {
  return { from: startsAt - kind.before, to: startsAt + duration + kind.after };
}

function holdsMany(taken: Taken[], { patientId, movedId }: Wish): boolean {
  const held = taken.filter(
    (one) => one.isHeld && !one.isOffer && one.patientId === patientId && one.id !== movedId,
  );
  return held.length >= holdsAtOnce;
}

function isFull(clock: Clock, taken: Taken[], { doctor, kind, startsAt, movedId }: Wish): boolean {
  const date = (instant: number): number => Math.floor(clock.hasShown(instant) / day);
  const sameDay = taken.filter(
    (other) =>
      other.id !== movedId && other.doctorId === doctor.id && date(other.startsAt) === date(startsAt),
  );
  const ofKind = sameDay.filter((other) => other.kindId === kind.id);
  return (
    (doctor.dailyLimit !== null && sameDay.length >= doctor.dailyLimit) ||
    (kind.dailyLimit !== null && ofKind.length >= kind.dailyLimit)
  );
}

/** The minutes at which the finder must offer the doctor: all free ones on quarter hours of the clock. */
export function freeStarts(
  clock: Clock,
  taken: Taken[],
  doctor: Doctor,
  kind: Kind,
  span: { from: number; to: number },
  now: number,
): number[] {
  const starts: number[] = [];
  for (let startsAt = span.from; startsAt < span.to; startsAt++) {
    if (clock.shows(startsAt) % 15 !== 0) continue;
    if (refusals(clock, taken, { doctor, kind, startsAt }, now).size === 0) starts.push(startsAt);
  }
  return starts;
}

export function covers({ from, to }: { from: number; to: number }, instant: number): boolean {
  return from <= instant && instant < to;
}

export function meets(a: { from: number; to: number }, b: { from: number; to: number }): boolean {
  return a.from < b.to && b.from < a.to;
}
