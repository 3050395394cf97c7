/**
 * Random numbers from a seed and a label: each actor draws from a stream of its own, so that leaving one actor out
 * changes nothing for the others. That is what makes a story shrink.
 */
export interface Random {
  /** 0 <= x < 1. */
  next(): number;
  /** A whole number, both ends included. */
  between(low: number, high: number): number;
  chance(p: number): boolean;
  pick<T>(from: readonly T[]): T;
}

/** A stream. Source: mulberry32 (public domain), seeded by FNV-1a over the label. */
export function randomOf(seed: number, label: string): Random {
  let state = (seed ^ 0x811c9dc5) >>> 0;
  for (const char of label) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  next(); // the first number still shows the seed
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next, between, chance: (p) => next() < p,
    pick: (from) => from[between(0, from.length - 1)] as (typeof from)[number],
  };
}
