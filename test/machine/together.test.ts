/**
 * Two attempts on one session, with every fault of store, process and reader the model knows; then the same with one
 * rule of their meeting broken at a time, each of which has to be found and told. Three attempts: `attempt check --attempts 3`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exploreAttempt, living, twoVariants, type Explored } from '../../src/testing/explore/index.js';
import { oneOf, type Lived } from '../../src/testing/explore/together/life.js';
import { gather, meet, type Company } from '../../src/testing/explore/together/several.js';
import { isDeep } from '../support/depth.js';
import { mutants } from './mutants.js';
import { seededFaults } from './together-faults.js';

const print = (line: string): void => console.log(line);

/** Walked alone once; then they meet again and again. S18 was checked with more causes by the walk of one attempt. */
let company: Company;
let windowed: Company;
beforeAll(() => {
  const plain = twoVariants.map((variant) => living(variant, { windows: false, sections: false }));
  company = gather({ causes: ['user', 'timeout'], variants: plain, print });
  // Sections are an attempt's own business: no other can tell.
  const variants = isDeep ? twoVariants : [living(twoVariants[1]!, { sections: false })];
  windowed = gather({ causes: ['user'], variants, print });
}, 240_000);

describe.each([['', 10_000], [' whose work has a window', 30_000]])('every world of two attempts on one session%s', (which, most) => {
  let explored: Explored;
  beforeAll(() => {
    const met = which === '' ? company : windowed;
    expect(met.alone.violations).toEqual([]);
    explored = meet(2, met, { print });
  }, 120_000);

  test('the walk is whole, and not of nothing', () => {
    expect(explored.isWhole).toBe(true);
    expect(explored.worlds).toBeGreaterThan(most);
    expect(explored.alone!.worlds).toBeGreaterThan(10_000);
  });
  for (const id of ['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7', 'S10', 'S13', 'S15', 'L3', 'L7']) {
    test(`${id} holds in each of them`, () => {
      expect(explored.checked).toContain(id);
      expect(explored.violations.filter((violation) => violation.id === id).map(({ story }) => story)).toEqual([]);
    });
  }
  test('nothing else was violated either', () => expect(explored.violations).toEqual([]));
});

describe('faults of their meeting are found', () => {
  const kills: string[] = [];
  for (const { name, faults, killedBy, ofWindows } of seededFaults) {
    test(`${killedBy}: ${name}`, () => {
      const { violations } = meet(2, ofWindows ? windowed : company, { faults, mostFound: 1 });
      expect(violations.map(({ id }) => id), 'a surviving fault').toContain(killedBy);
      kills.push(`${killedBy.padEnd(4)} ${name}: ${violations[0]!.what}`);
    }, 60_000);
  }

  test('S6: a machine that forgets the release is stopped before it meets another', () => {
    const { name, machine } = mutants.find((one) => one.name.startsWith('a user abort of running work'))!;
    const { violations, isWhole } = exploreAttempt({ attempts: 2, causes: ['user'], mostFound: 1, machine });
    expect(isWhole).toBe(false);
    expect(violations.map(({ id }) => id)).not.toEqual([]);
    kills.push(`${violations[0]!.id.padEnd(4)} ${name}: ${violations[0]!.what}`);
  }, 60_000);

  test('S4: a violation is told as a story, of whom, from the start to what went wrong', () => {
    const { faults } = seededFaults.find(({ name }) => name.startsWith('a zombie\'s record'))!;
    const { story } = meet(2, company, { faults, mostFound: 1 }).violations[0]!;
    expect(story).toMatch(/^S4 violated: a record with token 1 is accepted after one with 2\n {2}Once a record/);
    expect(story).toMatch(/\n {2}A: fence, .*\n {2}B: fence, /);
    expect(story).toMatch(/ {3}1\. [AB] {2}start +-> acquiring\.waiting +requestLock\n/);
    expect(story).toMatch(/[AB] {2}the store ends the lease: taken away by force\n/);
    expect(story).toMatch(/[AB] {2}a record with token 1 lands in the file, and is accepted$/);
    console.log(story);
  }, 60_000);

  afterAll(() => console.log(`Which invariant found which fault:\n  ${kills.join('\n  ')}`));
});

test('lives put together keep their nodes and edges', () => {
  const life: Lived = {
    size: 2, firsts: [0], shows: Uint16Array.of(1, 2), starts: Int32Array.of(0, 1, 1),
    labels: Uint8Array.of(3), targets: Int32Array.of(1), moves: Int16Array.of(9),
  };
  const { starts, targets, firsts, size } = oneOf([life, life]);
  expect({ size, firsts, starts: [...starts], targets: [...targets] })
    .toEqual({ size: 4, firsts: [0, 2], starts: [0, 1, 1, 2, 2], targets: [1, 3] });
});

test('a number of attempts that cannot be walked is refused', () => {
  expect(() => exploreAttempt({ attempts: 4 as never })).toThrow(/attempts: expected 1, 2 or 3, got 4/);
});
