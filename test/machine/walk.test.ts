/**
 * The exhaustive walk over one attempt, a driver in miniature and an adversarial store: every world of the model at
 * the stated size. That it finds faulty machines: mutants-walk.test.ts. The walk has no chance in it, so there is no seed
 * to print; the numbers it prints are the same on every run.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { invariants } from '../../machines/attempt.invariants.js';
import { allVariants, exploreAttempt, living, type Explored, type Variant } from '../../src/testing/explore/index.js';
import { isDeep } from '../support/depth.js';

const named = (part: string): Variant => allVariants.find(({ name }) => name === part)!;

/** Six set-ups in which every two of the choices meet; `exploreAttempt()` without options walks all 48. */
const six = [
  'fence, cleanup, settleMs 80, waitMs 1000, run budget',
  'hold, no cleanup, settleMs 0, waitMs 1000, no run budget',
  'fence, no cleanup, settleMs 0, waitMs 0, run budget',
  'hold, cleanup, settleMs 80, waitMs 0, no run budget',
  'hold, no cleanup, settleMs 80, waitMs Infinity, run budget',
  'fence, cleanup, settleMs 0, waitMs Infinity, no run budget',
].map(named);
/** Windows and sections in the least of them; in a deep run in all. */
const LEAST = 1;
const NOTHING = { windows: false, sections: false };
const sixVariants = six.map((variant, index) => (isDeep || index === LEAST ? variant : living(variant, NOTHING)));
const CAUSES = ['user', 'timeout'] as const;

const decidedHere = invariants.filter(({ scope }) => scope === 'machine');

describe('every world of one attempt', () => {
  let explored: Explored;
  beforeAll(() => {
    explored = exploreAttempt({ variants: sixVariants, causes: CAUSES, print: (line) => console.log(line) });
    const { worlds, transitions, depth, seconds, machineTransitions } = explored;
    console.log(`${worlds} worlds, ${transitions} transitions, depth ${depth}, ${machineTransitions} machine transitions, `
      + `${seconds.toFixed(1)} s, ${Math.round(worlds / seconds)} worlds/s`);
  }, 120_000);

  test('the walk is whole, and not of nothing', () => {
    expect(explored.isWhole).toBe(true);
    expect(explored.worlds).toBeGreaterThan(30_000);
  });

  for (const { id, statement } of decidedHere) {
    test(`${id}: ${statement}`, () => {
      expect(explored.violations.filter((violation) => violation.id === id).map(({ story }) => story)).toEqual([]);
    });
  }
  test('nothing else was violated either', () => expect(explored.violations).toEqual([]));
});

test('S9 S18: with every cause and late abort told apart there are more worlds and no more violations', () => {
  const variants = [named('fence, no cleanup, settleMs 0, waitMs 0, no run budget')].map((one) => living(one, NOTHING));
  const merged = exploreAttempt({ variants });
  const apart = exploreAttempt({ variants, tellCausesApart: true, causes: CAUSES });
  expect(merged.violations).toEqual([]);
  expect(apart.violations).toEqual([]);
  expect(apart.worlds).toBeGreaterThan(merged.worlds);
}, 120_000);
