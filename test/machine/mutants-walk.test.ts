/**
 * The walk over faulty machines: it has to find each, but for those that only the table can tell (named in mutants.ts).
 * Each is walked in small first: most faults show with one cause of abort, and all of these are stopped at the first.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { someOf } from '../support/depth.js';
import type { AttemptMachine } from '../../machines/attempt.machine.js';
import { exploreAttempt, living, twoVariants, type ExploreOptions, type Habits, type Violation } from '../../src/testing/explore/index.js';
import { mutants, onlyTheTableTells, unmutated } from './mutants.js';

const [big, small] = [twoVariants[0]!, twoVariants[1]!];
const inSmall: ExploreOptions = { causes: ['user'], lateAborts: 0, mostFound: 1 };
const inFull: ExploreOptions = { causes: ['user', 'timeout'], mostFound: 1 };
const NOTHING: Habits = { windows: false, sections: false };

function firstFound(machine: AttemptMachine, habits: Partial<Habits>): readonly Violation[] {
  const variants = [small, big].map((variant) => living(variant, { ...NOTHING, ...habits }));
  const { violations } = exploreAttempt({ ...inSmall, variants, machine });
  return violations.length > 0 ? violations : exploreAttempt({ ...inFull, variants, machine }).violations;
}

describe('the walk finds faulty machines', () => {
  const kills: string[] = [];

  test('ours, put together as they are, is not one of them', () => {
    expect(exploreAttempt({ ...inFull, variants: [small], machine: unmutated }).violations).toEqual([]);
  }, 60_000);

  const walked = mutants.filter((mutant) => !onlyTheTableTells.includes(mutant.name));
  for (const { name, machine, habits } of someOf('faulty machines to be found by the walk', walked, 6)) {
    test(name, () => {
      const violations = firstFound(machine, habits);
      expect(violations.length, 'a mutant that survives the walk').toBeGreaterThan(0);
      kills.push(`${name}: ${violations.map(({ id, what }) => `${id} ${what}`).join('; ')}`);
    }, 60_000);
  }

  test('S6: a violation is told as a shortest story, from the start to what went wrong', () => {
    const { machine } = mutants.find(({ name }) => name === 'the lease\'s end is believed too early')!;
    const { violations } = exploreAttempt({ machine, variants: [living(big, NOTHING)], causes: ['user', 'timeout'], mostFound: 1 });
    const { story } = violations.find(({ id }) => id === 'S6')!;
    expect(story).toMatch(/^S6 violated: ended with a live grant.*\n.*In a final state.*\n {2}with fence, cleanup/);
    expect(story).toMatch(/1\. start +-> acquiring\.waiting +requestLock\n/);
    expect(story).toMatch(/timer answerMs\.attempt\.releasing +-> released$/);
    console.log(story);
  }, 60_000);

  afterAll(() => console.log(`What the walk found first in each mutant:\n  ${kills.join('\n  ')}\n`
    + `Left to the table: ${onlyTheTableTells.join('; ')}`));
});
