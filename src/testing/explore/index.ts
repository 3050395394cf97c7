/**
 * `exploreAttempt()`: the exhaustive walk over the machine, a driver in miniature and an adversarial store; of one
 * attempt, or of two or three that share a session.
 * "Proved" means: every world of this model at the stated size. Time is left out but for what leases and timers as
 * long as a lease know of it; so are the real driver, stores, files and processes, which other tests are about.
 */
import type { Explored, ExploreOptions } from './explored.js';
import { exploreOne } from './one.js';
import { exploreSeveral } from './together/several.js';

export type { Cause, Explored, ExploreOptions, Faults, Progress, Violation } from './explored.js';
export { LABEL, SHOWS } from './together/life.js';
export type { Rules } from './together/rules.js';
export { allVariants, living, twoVariants, WALK_BUDGETS, type Habits, type Variant } from './variants.js';

/**
 * Walks every world of one, two or three attempts on one session, and checks the invariants in each.
 *
 * @param options what to walk; see each option. Without any: one attempt in all 48 set-ups
 * @returns how much was walked, whether it was all of it, and a story for the first violation of each invariant
 * @throws RangeError for a number of attempts that is not 1, 2 or 3
 */
export function exploreAttempt(options: ExploreOptions = {}): Explored {
  const { attempts = 1 } = options;
  if (attempts === 1) return exploreOne(options);
  if (attempts === 2 || attempts === 3) return exploreSeveral(attempts, options);
  throw new RangeError(`attempts: expected 1, 2 or 3, got ${String(attempts)}`);
}
