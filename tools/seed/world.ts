import { dayOf, instantAt } from './calendar.ts';
import type { Codes } from './codes.ts';
import { Random } from './random.ts';
import type { Sizes } from './sizes.ts';
import { Keys } from './tables.ts';

/** What all parts of the generator share. */
export interface World {
  sizes: Sizes;
  codes: Codes;
  keys: Keys;
  /** The day on which the hospital stands. */
  day: number;
  /** Its first minute: everything before it has happened, nothing after it has. */
  now: number;
  /** A generator of its own for each part, so that one part's size does not change another's rows. */
  random(part: number): Random;
}

export function createWorld(sizes: Sizes, codes: Codes): World {
  const day = dayOf(sizes.asOf);
  return {
    sizes,
    codes,
    keys: new Keys(),
    day,
    now: instantAt(day, 0),
    random: (part) => new Random(sizes.randomSeed, part),
  };
}
