/**
 * Durations as timeout(1) writes them: a plain number is seconds; `250ms 1.5s 2m 1h 1d`.
 */
import { InvalidArgumentError } from 'commander';
import { LONGEST_MS } from '../../machines/attempt.delays.js';

const UNIT_MS: Readonly<Record<string, number>> = {
  '': 1_000, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000,
};

/**
 * @param text what stands on the command line
 * @param words what else is allowed, and what it means in milliseconds (e.g. `inf`)
 * @returns milliseconds, 0 to 2^31-1, or the meaning of a word
 * @throws InvalidArgumentError, which the parser reports as a wrong call
 */
export function parseDuration(text: string, words: Readonly<Record<string, number>> = {}): number {
  const word = words[text];
  if (word !== undefined) return word;
  const [, number, unit] = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d|)$/.exec(text) ?? [];
  const ms = Number(number) * (UNIT_MS[unit ?? ''] ?? NaN);
  if (ms <= LONGEST_MS) return ms;
  const [also = ''] = Object.keys(words).map((one) => `, or ${one}`);
  throw new InvalidArgumentError(
    `Expected a duration such as 250ms, 1.5s, 2m, 1h (a plain number is seconds)${also}; at most 24d.`,
  );
}
