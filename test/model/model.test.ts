/**
 * The machine beside the reference: random lives, compared after every event. Seed and count come from the
 * environment, see run.mjs; without, the seed is new each time and printed.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDeep, someOf } from '../support/depth.js';
import { breaksAndReplays, holds, numberFrom, testSeed } from '../support/holds.js';
import type { AnyStateMachine } from 'xstate';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { anyFacts, anyGiven, anyRoute, follow, met } from './facts.js';
import { MachineSide } from './machine-side.js';
import { BUGS } from './bugs.js';
import { Reference } from './reference.js';

const sequences = numberFrom('MODEL_SEQUENCES', 10_000);
const seed = numberFrom('MODEL_SEED', testSeed);
const bug = process.env['MODEL_BUG'];

const lives = (machine: AnyStateMachine) => fc.property(anyGiven, anyRoute, anyFacts, (given, route, facts) => {
  const setup = () => {
    const sides = { model: new Reference(given), real: new MachineSide(machine, given) };
    follow(route, sides.model, sides.real);
    return sides;
  };
  fc.modelRun(setup, facts);
});

const replay = (planted?: string) => (from: number, many: number): string =>
  `npm run model -- --seed ${from} --sequences ${many}${planted === undefined ? '' : ` --bug "${planted}"`}`;

describe('the machine and the reference', () => {
  it(`S8 S9 S10 S11 S12 S14 S18: agree on ${sequences} lives (seed ${seed})`, async () => {
    const machine = bug === undefined ? attemptMachine : (BUGS[bug] as () => AnyStateMachine)();
    const began = performance.now();
    await holds(lives(machine), { seed, runs: sequences, replay: replay(bug) });
    const events = [...met.values()].reduce((sum, count) => sum + count, 0);
    console.log(`model: ${sequences} sequences, ${events} events, ${met.size} pairs of state and fact, `
      + `${((performance.now() - began) / 1_000).toFixed(1)} s, seed ${seed}`);
    const states = new Set([...met.keys()].map((pair) => pair.split(' ')[0]));
    expect(states, 'a state that no life came through proves nothing').toEqual(new Set(ALL_STATES));
  }, 600_000);

  it.runIf(isDeep)('the seed that finds the bugs below finds none in the real machine', () => {
    expect(fc.check(lives(attemptMachine), { numRuns: 2_000, seed: 42 }).failed).toBe(false);
  }, 60_000);

  const names = bug === undefined ? Object.keys(BUGS) : [];
  it.each(someOf('machines with a bug beside the reference model', names, 4))('a machine with a bug is told apart: %s', async (name) => {
    const machine = (BUGS[name] as () => AnyStateMachine)();
    const line = await breaksAndReplays(() => lives(machine), { seed: 42, runs: 2_000, replay: replay(name) });
    expect(line).toBe(`npm run model -- --seed 42 --sequences 2000 --bug "${name}"`);
  }, 60_000);
});

const ALL_STATES = [
  'idle', 'acquiring.waiting', 'acquiring.cancelling', 'locked', 'running.working', 'running.yielding.asking',
  'running.yielding.pausing', 'running.yielded', 'running.reacquiring.waiting', 'running.reacquiring.opening',
  'aborting.user', 'aborting.timeout',
  'aborting.shutdown', 'aborting.superseded', 'aborting.leaseLost', 'cleaning', 'releasing.asking', 'releasing.pausing',
  'released',
];
