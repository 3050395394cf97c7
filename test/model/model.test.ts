/**
 * The machine beside the reference: random lives, compared after every event. Seed and count come from the
 * environment, see run.mjs; without, the seed is new each time and printed.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDeep, someOf } from '../support/depth.js';
import type { AnyStateMachine } from 'xstate';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { anyFacts, anyGiven, anyRoute, follow, met } from './facts.js';
import { MachineSide } from './machine-side.js';
import { BUGS } from './bugs.js';
import { Reference } from './reference.js';

const sequences = Number(process.env['MODEL_SEQUENCES'] ?? 10_000);
const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);
const bug = process.env['MODEL_BUG'];

const lives = (machine: AnyStateMachine) => fc.property(anyGiven, anyRoute, anyFacts, (given, route, facts) => {
  const setup = () => {
    const sides = { model: new Reference(given), real: new MachineSide(machine, given) };
    follow(route, sides.model, sides.real);
    return sides;
  };
  fc.modelRun(setup, facts);
});

const replay = (what: string): string => `replay: npm run model -- --seed ${seed} --sequences ${sequences}${what}`;

describe('the machine and the reference', () => {
  it(`S8 S9 S10 S11 S12 S14 S18: agree on ${sequences} lives (seed ${seed})`, () => {
    const machine = bug === undefined ? attemptMachine : (BUGS[bug] as () => AnyStateMachine)();
    const began = performance.now();
    const result = fc.check(lives(machine), { numRuns: sequences, seed });
    const events = [...met.values()].reduce((sum, count) => sum + count, 0);
    console.log(`model: ${result.numRuns} sequences, ${events} events, ${met.size} pairs of state and fact, `
      + `${((performance.now() - began) / 1_000).toFixed(1)} s, seed ${seed}`);
    if (result.failed) {
      const again = replay(bug ? ` --bug "${bug}"` : '');
      throw new Error(`${fc.defaultReportMessage(result)}\n${String(result.errorInstance)}\n${again}`);
    }
    const states = new Set([...met.keys()].map((pair) => pair.split(' ')[0]));
    expect(states, 'a state that no life came through proves nothing').toEqual(new Set(ALL_STATES));
  }, 600_000);

  it.runIf(isDeep)('the seed that finds the bugs below finds none in the real machine', () => {
    expect(fc.check(lives(attemptMachine), { numRuns: 2_000, seed: 42 }).failed).toBe(false);
  }, 60_000);

  const names = bug === undefined ? Object.keys(BUGS) : [];
  it.each(someOf('machines with a bug beside the reference model', names, 4))('a machine with a bug is told apart: %s', (name) => {
    const machine = (BUGS[name] as () => AnyStateMachine)();
    const result = fc.check(lives(machine), { numRuns: 2_000, seed: 42, endOnFailure: true });
    expect(result.failed, 'the bug lived through 2 000 sequences of seed 42').toBe(true);
  }, 60_000);
});

const ALL_STATES = [
  'idle', 'acquiring.waiting', 'acquiring.cancelling', 'locked', 'running.working', 'running.yielding.asking',
  'running.yielding.pausing', 'running.yielded', 'running.reacquiring.waiting', 'running.reacquiring.opening',
  'aborting.user', 'aborting.timeout',
  'aborting.shutdown', 'aborting.superseded', 'aborting.leaseLost', 'cleaning', 'releasing.asking', 'releasing.pausing',
  'released',
];
