import type { Actor, Row } from './hospital.ts';
import { type Doctor, type Kind, meets, refusals, spanOf, type Wish, works } from './oracle.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** What is known before an operation. */
export interface Scene {
  random: Random;
  world: World;
  rows: Row[];
  /** Members of staff who can be assigned. */
  nurses: number[];
  centre: number;
  now: number;
}

/** An operation, and what must come of it. */
export interface Attempt {
  what: string;
  actor: Actor;
  sql: string;
  values: unknown[];
  /** The codes with one of which it must be refused; none if it must succeed. */
  reasons: Set<string>;
  /** Codes with which it may be refused although the oracle does not know of them. */
  tolerated?: string[];
  /** What the oracle learns of its success. */
  applied?: (answer: Record<string, unknown>) => void;
}

/** A way of making operations; nothing when the scene has nothing to try it on. */
export type Maker = (scene: Scene) => Attempt | undefined;

export const active = ['held', 'scheduled', 'checked_in', 'in_progress'];

/** Anything, but more often than not within the hours. */
export function wishOf({ random, world, centre }: Scene): Wish & { patientId: number } {
  const step = random.pick([5, 15, 15, 15]);
  const doctor = random.pick(world.doctors);
  let startsAt: number;
  let tries = 5;
  do startsAt = Math.floor((centre + random.whole(-1500, 1500)) / step) * step;
  while (!works(world.clock, doctor, startsAt) && --tries > 0);
  return { doctor, kind: random.pick(world.kinds), startsAt, patientId: random.pick(world.patients) };
}

export function reasonsOf(scene: Scene, wish: Wish): Set<string> {
  const live = scene.rows.filter((row) => row.isLive);
  const reasons: Set<string> = refusals(scene.world.clock, live, wish, scene.now);
  const moved = scene.rows.find((row) => row.id === wish.movedId);
  const others = live.filter((row) => row.id !== wish.movedId && meets(row, spanOf(wish)));
  if (others.some((row) => row.staff.some((member) => moved?.staff.includes(member)))) reasons.add('STAFB');
  return reasons;
}

export const doctorOf = ({ world }: Scene, row: Row): Doctor =>
  world.doctors.find(({ id }) => id === row.doctorId)!;
export const kindOf = ({ world }: Scene, row: Row): Kind =>
  world.kinds.find(({ id }) => id === row.kindId)!;

/** The wish that an appointment be as it is. */
export function sameAs(scene: Scene, row: Row): Wish {
  return {
    doctor: doctorOf(scene, row),
    kind: kindOf(scene, row),
    startsAt: row.startsAt,
    duration: row.endsAt - row.startsAt,
    patientId: row.patientId,
    movedId: row.id,
    isHold: row.isHeld && !row.isOffer,
    ...(row.roomId !== null && { roomId: row.roomId }),
    ...(row.override && { override: row.override }),
  };
}

/** Why a hold stays where it is: it has run out, or is an offer. */
export function heldStill({ isHeld, isLive, isOffer }: Row, changes: boolean): string[] {
  if (!isHeld || !changes) return [];
  return [...(isLive ? [] : ['XHOLD']), ...(isOffer ? ['TRNSN'] : [])];
}

export function anyRow({ random, rows }: Scene, isWanted: (row: Row) => boolean): Row | undefined {
  const wanted = rows.filter(isWanted);
  return wanted.length > 0 ? random.pick(wanted) : undefined;
}

export const only = (isRefused: boolean, ...codes: string[]): Set<string> =>
  new Set(isRefused ? codes : []);
