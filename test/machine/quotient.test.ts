/**
 * That merging what nobody outside can tell apart loses nothing: the worlds of two attempts, composed from every
 * world of each, are those composed from the classes; and a merger that goes too far is noticed.
 */
import { describe, expect, test } from 'vitest';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { living, twoVariants, type Habits, type Variant } from '../../src/testing/explore/index.js';
import { KinStates } from '../../src/testing/explore/kin.js';
import { Moves, type Move } from '../../src/testing/explore/moves.js';
import { AttemptStates, type Steps } from '../../src/testing/explore/states.js';
import { exploreVariant } from '../../src/testing/explore/one.js';
import { LABEL, lifeOf, oneOf, type Life, type Lived } from '../../src/testing/explore/together/life.js';
import { quotientOf, type Quotient } from '../../src/testing/explore/together/quotient.js';
import { honestRules } from '../../src/testing/explore/together/rules.js';
import { walkTogether, type WalkedTogether } from '../../src/testing/explore/together/walk.js';
import { newTable, type Layout } from '../../src/testing/explore/together/world.js';
import { walk } from '../../src/testing/explore/walk.js';
import { pack } from '../../src/testing/explore/world.js';
import { isDeep } from '../support/depth.js';
import { seededFaults } from './together-faults.js';

/** Two attempts, composed world by world, would be tens of millions; so the attempt gets fewer ways to go. */
const KEPT = new RegExp([
  'start', 'abort.user', 'lease.lost', 'session.opened', 'work.returned', 'cleanup.ended', 'lock.granted',
  'release.confirmed', 'the store grants', 'the store ends .*', 'the store gives .*',
  'the store is given .*', 'the store performs the last .* answers', 'timer (answerMs|settleMs|leaseMs|askMs).*',
].map((name) => `^${name}$`).join('|').replaceAll('.', '\\.').replaceAll('\\.*', '.*'));

/** ... and of one with a window fewer still: what its second grant shares with its first, the others show. */
const KEPT_OF_WINDOWS = new RegExp([
  'start', 'lock.yield', 'window.ended', 'session.opened', 'work.returned', 'lock.granted', 'release.confirmed',
  'the store grants', 'the store ends .*', 'the store is given .*', 'the store performs the last .* answers',
  'timer (leaseMs|answerMs).*',
].map((name) => `^${name}$`).join('|').replaceAll('.', '\\.').replaceAll('\\.*', '.*'));

class FewMoves extends Moves {
  constructor(states: Steps, readonly kept: RegExp, habits: Habits) {
    super(states, ['user'], habits);
  }

  override make(world: number, move: number): Move | null {
    const made = super.make(world, move);
    return made && this.kept.test(this.describe(world, move)) ? made : null;
  }
}

const NOTHING: Habits = { windows: false, sections: false };
const limits = { mostWorlds: 5_000_000, mostFound: 8 };

function fewWorlds({ input, habits }: Variant, kept: RegExp): Lived {
  const each = new AttemptStates(attemptMachine, input, 0);
  const can = new FewMoves(new KinStates(each), kept, habits);
  return lifeOf(can, walk(can, pack(can.states.first, 0), limits));
}

/** The composed worlds, each with the classes in the place of the nodes. */
function inClasses({ worlds, layout }: WalkedTogether, classesOf: readonly Int32Array[], into: Layout): Set<number> {
  const table = newTable(into.count);
  const seen = new Set<number>();
  for (let at = 0; at < worlds.size; at += 1) {
    layout.unpack(worlds.at(at), table);
    table.nodes.forEach((node, who) => { table.nodes[who] = classesOf[who]![node]!; });
    seen.add(into.pack(table));
  }
  return seen;
}

const worldsOf = ({ worlds }: WalkedTogether): Set<number> =>
  new Set(Array.from({ length: worlds.size }, (_, at) => worlds.at(at)));

function compare(life: Life, { life: merged, classOf }: Quotient): { plain: number; same: boolean } {
  const plain = walkTogether([life, life], honestRules, limits);
  const small = walkTogether([merged, merged], honestRules, limits);
  const [one, other] = [inClasses(plain, [classOf, classOf], small.layout), worldsOf(small)];
  return { plain: plain.worlds.size, same: one.size === other.size && [...one].every((world) => other.has(world)) };
}

/** Merges whatever shows the same: not a bisimulation. */
function tooCoarse(life: Life): Quotient {
  const kinds = [...new Set(life.shows)];
  const classOf = Int32Array.from(life.shows, (shows) => kinds.indexOf(shows));
  const steps: Set<number>[] = kinds.map(() => new Set());
  for (let node = 0; node < life.size; node += 1) {
    for (let edge = life.starts[node]!; edge < life.starts[node + 1]!; edge += 1) {
      const [from, to] = [classOf[node]!, classOf[life.targets[edge]!]!];
      if (from !== to) steps[from]!.add(to * 8 + life.labels[edge]!);
    }
  }
  const lists = steps.map((set) => [...set]);
  const starts = new Int32Array(kinds.length + 1);
  lists.forEach((list, one) => { starts[one + 1] = starts[one]! + list.length; });
  return {
    classOf,
    life: {
      size: kinds.length, starts, shows: Uint16Array.from(kinds), firsts: life.firsts.map((first) => classOf[first]!),
      labels: Uint8Array.from(lists.flat(), (step) => step % 8),
      targets: Int32Array.from(lists.flat(), (step) => Math.floor(step / 8)),
    },
  };
}

/** A node that shows or can do something else than its class says; null if there is none. Knows no refinement. */
function findLiar(life: Life, { life: merged, classOf }: Quotient): number | null {
  const stepsOf = (one: number): Set<number> => {
    const steps = new Set<number>();
    for (let edge = merged.starts[one]!; edge < merged.starts[one + 1]!; edge += 1) {
      steps.add(merged.targets[edge]! * 8 + merged.labels[edge]!);
    }
    return steps;
  };
  const promised = Array.from({ length: merged.size }, (_, one) => stepsOf(one));
  for (let node = 0; node < life.size; node += 1) {
    const own = classOf[node]!;
    if (merged.shows[own] !== life.shows[node]) return node;
    const kept = new Set<number>();
    const silently = new Set([node]);
    for (const from of silently) { // A Set is walked in the order of its growth.
      for (let edge = life.starts[from]!; edge < life.starts[from + 1]!; edge += 1) {
        const to = life.targets[edge]!;
        if (life.labels[edge] === LABEL.silent && classOf[to] === own) silently.add(to);
        else kept.add(classOf[to]! * 8 + life.labels[edge]!);
      }
    }
    if (kept.size !== promised[own]!.size || [...kept].some((step) => !promised[own]!.has(step))) return node;
  }
  return null;
}

describe('merging what nobody can tell apart', () => {
  const life = fewWorlds(living(twoVariants[1]!, NOTHING), KEPT);
  const quotient = quotientOf(life);

  test('in the full set-ups every world can silently come to do what its class can, and nothing else', () => {
    const setUps = isDeep ? twoVariants : twoVariants.map((one) => living(one, NOTHING));
    const whole = oneOf(setUps.map((variant) => {
      const { can, walked } = exploreVariant(variant, { causes: ['user'], lateAborts: 0 });
      return lifeOf(can, walked);
    }));
    const classes = quotientOf(whole);
    console.log(`${whole.size} nodes of one attempt in ${classes.life.size} classes`);
    expect(findLiar(whole, classes)).toBeNull();
  }, 60_000);

  test('two attempts have the same worlds, class by class, as composed from every world of each', () => {
    const { plain, same } = compare(life, quotient);
    console.log(`${life.size} nodes in ${quotient.life.size} classes; ${plain} worlds of two attempts without merging`);
    expect(plain).toBeGreaterThan(20_000);
    expect(same).toBe(true);
  }, 60_000);

  test('the same of an attempt that has a window', () => {
    const yielding = fewWorlds(living(twoVariants[1]!, { sections: false }), KEPT_OF_WINDOWS);
    const classes = quotientOf(yielding);
    const { plain, same } = compare(yielding, classes);
    console.log(`${yielding.size} nodes in ${classes.life.size} classes; ${plain} worlds of two attempts without merging`);
    expect(plain).toBeGreaterThan(20_000);
    expect(same).toBe(true);
  }, 60_000);

  test('tokens numbered by their rank tell as much as tokens counted up', () => {
    const { life: small } = quotientOf(fewWorlds(living(twoVariants[1]!, { sections: false }), KEPT_OF_WINDOWS));
    const ranked = walkTogether([small, small], honestRules, limits);
    const counted = walkTogether([small, small], { ...honestRules, nextToken: (...all) => honestRules.nextToken(...all) }, limits);
    const classes = Int32Array.from({ length: small.size }, (_, one) => one);
    expect(counted.worlds.size).toBeGreaterThan(ranked.worlds.size);
    expect(inClasses(counted, [classes, classes], ranked.layout)).toEqual(worldsOf(ranked));
  }, 60_000);

  test('merging the classes once more merges nothing', () => {
    expect(quotientOf(quotient.life).life.size).toBe(quotient.life.size);
  });

  test('a merger that goes too far is noticed', () => {
    const coarse = tooCoarse(life);
    expect(coarse.life.size).toBeLessThan(quotient.life.size);
    expect(findLiar(life, coarse)).not.toBeNull();
    expect(findLiar(life, quotient)).toBeNull();
  });

  for (const { name, faults, killedBy } of seededFaults.filter((one) => one.faults.rules && !one.ofWindows)) {
    test(`${killedBy}: found in the classes and without them: ${name}`, () => {
      const idsOf = (lived: Life): string[] =>
        walkTogether([lived, lived], { ...honestRules, ...faults.rules }, { ...limits, mostFound: 1 })
          .found.map(({ id }) => id);
      expect(idsOf(quotient.life)).toEqual([killedBy]);
      expect(idsOf(life)).toEqual([killedBy]);
    }, 60_000);
  }
});
