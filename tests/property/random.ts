/** A source of chance that says the same again for the same seed. */
export interface Random {
  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number;
  /** True in this share of the cases. */
  chance(share: number): boolean;
  pick<T>(choices: readonly T[]): T;
}

/** Mulberry32: small, quick, and good enough to be surprised by. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    whole: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (share) => next() < share,
    pick: (choices) => choices[Math.floor(next() * choices.length)]!,
  };
}

/** INFIRMARY_SEED, or one that was never tried. */
export function seedOf(env: NodeJS.ProcessEnv = process.env): number {
  return numberOf(env.INFIRMARY_SEED, 'INFIRMARY_SEED') ?? Math.floor(Math.random() * 2 ** 32);
}

/** INFIRMARY_OPERATIONS, or `usual`. */
export function operationsOf(usual: number, env: NodeJS.ProcessEnv = process.env): number {
  return numberOf(env.INFIRMARY_OPERATIONS, 'INFIRMARY_OPERATIONS') ?? usual;
}

function numberOf(text: string | undefined, name: string): number | undefined {
  if (!text) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`${name} is no whole number: ${text}`);
  return Number(text);
}
