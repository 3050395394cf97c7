/**
 * Checks of what a caller configured. Each throws `CONFIG_INVALID` with what was expected and what was found.
 */
import { LONGEST_MS } from '../machines/attempt.delays.js';
import { AttemptError } from './errors.js';

/** A value as it should appear in a message: short, and never able to throw. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}

/** Throws `CONFIG_INVALID` unless `ok`. */
export function expect(ok: boolean, name: string, expected: string, got: unknown): asserts ok {
  if (!ok) throw new AttemptError('CONFIG_INVALID', `${name}: expected ${expected}, got ${shown(got)}`);
}

/** Throws `CONFIG_INVALID` for an option that is not known: misspelt, it would be as if it had not been given. */
export function expectKnown(options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = known.find((one) => one.toLowerCase() === key.toLowerCase() || (key.length > 2 && one.startsWith(key)));
    const hint = near ? `did you mean ${near}?` : `known are ${known.join(', ')}`;
    throw new AttemptError('CONFIG_INVALID', `${key}: there is no such option; ${hint}`);
  }
}

/** Throws `CONFIG_INVALID` unless the value is a number of milliseconds that a timer can keep. */
export function expectMs(
  name: string, value: unknown, { min = 0, infinite = false } = {},
): asserts value is number {
  if (value === Infinity && infinite) return;
  const ok = typeof value === 'number' && value >= min && value <= LONGEST_MS;
  expect(ok, name, `milliseconds from ${min} to ${LONGEST_MS}${infinite ? ', or Infinity' : ''}`, value);
}
