import { instantAt, instantText } from './calendar.ts';
import type { Random } from './random.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

export interface Member {
  id: number;
  familyName: string;
  /** Days, as everywhere here. */
  born: number;
  registered: number;
}

const year = 365.25;

/** Who acts for whom: children have their parents, some of the old a grown-up child. */
export class Families {
  readonly #world: World;
  readonly #random: Random;
  /** The grown-ups registered last, from whom relatives are taken. */
  #near: Member[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random(8);
  }

  /** The parents of somebody born on a day, who give a child the name: at most two, none for a grown-up. */
  parentsOf(born: number): Member[] {
    if (!this.#isChild(born)) return [];
    return this.#near.filter((adult) => isBetween(born - adult.born, 20, 45)).slice(0, 2);
  }

  /** Writes who acts for somebody new, and remembers who may act for those to come. */
  join(batch: Batch, member: Member, parents: Member[]): void {
    for (const parent of parents) this.#grant(batch, member, parent, 'parent', 'Certificate of birth');
    const child = this.#near.find((adult) => isBetween(adult.born - member.born, 22, 45));
    if (child && this.#world.day - member.born > 70 * year && this.#random.chance(0.5)) {
      this.#grant(batch, member, child, 'adult_child', null);
    }
    if (!this.#isChild(member.born)) this.#near = [member, ...this.#near].slice(0, 20);
  }

  #grant(batch: Batch, ward: Member, proxy: Member, relationship: string, evidence: string | null): void {
    const from = instantAt(Math.max(ward.registered, proxy.registered), 1020);
    batch.add('patient_proxies', [
      this.#world.keys.next('patient_proxies'),
      ward.id,
      proxy.id,
      relationship,
      relationship === 'parent' ? 't' : 'f',
      this.#random.chance(0.7) ? 'read_and_book' : 'read',
      `["${instantText(from)}",)`,
      evidence,
    ]);
  }

  #isChild(born: number): boolean {
    return this.#world.day - born < 18 * year;
  }
}

const isBetween = (days: number, first: number, last: number): boolean =>
  days >= first * year && days <= last * year;
