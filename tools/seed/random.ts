const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A fast generator of random numbers (sfc32) whose sequence depends on nothing but its seed. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream = 0) {
    this.#a = mix(seed, 0x9e3779b9);
    this.#b = mix(seed, 0x243f6a88 + stream);
    this.#c = mix(stream, 0xb7e15162);
    for (let round = 0; round < 12; round++) this.integer();
  }

  /** A whole number from 0 to 2^32 - 1. */
  integer(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number from 0 up to, but not, 1. */
  fraction(): number {
    return this.integer() / 4294967296;
  }

  /** A whole number from 0 up to, but not, `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** A whole number from `first` to `last`, both possible. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  /** Picks by weight. */
  weighted<Item>(choices: readonly (readonly [Item, number])[]): Item {
    let rest = this.fraction() * choices.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [item, weight] of choices) {
      rest -= weight;
      if (rest < 0) return item;
    }
    return (choices.at(-1) as readonly [Item, number])[0];
  }

  /** Shuffles in place. */
  shuffle<Item>(items: Item[]): Item[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [items[last], items[other]] = [items[other] as Item, items[last] as Item];
    }
    return items;
  }

  /** A UUID of version 4. */
  uuid(): string {
    const [a, b, c, d] = [this.integer(), this.integer(), this.integer(), this.integer()];
    return (
      `${hex(a)}-${hex(b).slice(0, 4)}-4${hex(b).slice(5)}-` +
      `${hex((c & 0x3fffffff) | 0x80000000).slice(0, 4)}-${hex(c).slice(4)}${hex(d)}`
    );
  }
}

/** One whole number (0 to 2^32 - 1) made of two: the same two always give the same one. */
export function mix(first: number, second: number): number {
  let value = Math.imul(first ^ (second + 0x9e3779b9), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13) ^ second, 0xc2b2ae35);
  value = Math.imul(value ^ (value >>> 16), 0x27d4eb2f);
  return (value ^ (value >>> 15)) >>> 0;
}

function hex(value: number): string {
  return (
    (hexPairs[value >>> 24] as string) +
    hexPairs[(value >>> 16) & 255] +
    hexPairs[(value >>> 8) & 255] +
    hexPairs[value & 255]
  );
}
