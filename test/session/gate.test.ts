/** The gate: closed, lost, in doubt; and that sleep is noticed whenever the renewals fall. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SleepMeter } from '../../src/clock.js';
import { LeaseCertainty, WriteGate } from '../../src/session/gate.js';
import { FakeClock } from './support.js';
import { breaksAndReplays, holds, replayOf, testSeed } from '../support/holds.js';

const LEASE_MS = 10_000;

interface Inputs {
  readonly isOpen: () => boolean;
  readonly isLost: () => boolean;
  readonly lease: { readonly deadline: number };
  readonly token: number;
  readonly clock: FakeClock;
}

const gateFor = ({ isOpen, isLost, token, lease, clock }: Inputs): WriteGate =>
  new WriteGate({ isOpen, isLost, token, certainty: new LeaseCertainty(lease, clock) });

function gateOn(clock: FakeClock) {
  const state = { open: true, lost: false, deadline: clock.now() + LEASE_MS };
  const inputs = {
    isOpen: () => state.open, isLost: () => state.lost, lease: state, token: 7, clock,
  };
  return { state, inputs, gate: gateFor(inputs), renew: () => { state.deadline = clock.now() + LEASE_MS; } };
}

describe('the gate', () => {
  it('S5, S12: closes in the very tick, and a loss outweighs closing', () => {
    const { state, gate } = gateOn(new FakeClock());
    expect(gate.ask()).toBe('open');
    state.open = false;
    expect(gate.ask()).toBe('closed');
    state.lost = true;
    expect(gate.ask()).toBe('lost');
  });

  it('is in doubt from the deadline on, until the lease is renewed', () => {
    const clock = new FakeClock();
    const { gate, renew } = gateOn(clock);
    clock.advance(LEASE_MS - 1);
    expect(gate.ask()).toBe('open');
    clock.advance(1);
    expect(gate.ask()).toBe('doubt');
    renew();
    expect(gate.ask()).toBe('open');
  });

  it('counts a sleep the monotonic clock did not see, and no clock noise', () => {
    const clock = new FakeClock();
    const { gate } = gateOn(clock);
    clock.sleep(900);
    clock.advance(LEASE_MS - 500);
    expect(gate.ask()).toBe('open');
    clock.sleep(1_000);
    expect(gate.ask()).toBe('doubt');
  });

  it('a sleep between a renewal and the next write still counts, though the deadline has moved', () => {
    const clock = new FakeClock();
    const { gate, renew } = gateOn(clock);
    clock.advance(3_000);
    renew();
    clock.sleep(LEASE_MS);
    expect(gate.ask()).toBe('doubt');
    clock.advance(1_000);
    expect(gate.ask()).toBe('doubt'); // still: nobody renewed since
    renew();
    expect(gate.ask()).toBe('open');
  });

  it('a lock without leases that end is never in doubt, and no clock is asked', () => {
    const clock = new FakeClock();
    const { state, gate } = gateOn(clock);
    state.deadline = Infinity;
    clock.sleep(1e9);
    clock.now = () => { throw new Error('asked'); };
    expect(gate.ask()).toBe('open');
  });
});

type Step = ['advance' | 'sleep', number] | ['renew' | 'ask'];
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constantFrom('advance'), fc.integer({ min: 1, max: 6_000 })) as fc.Arbitrary<Step>,
  fc.tuple(fc.constantFrom('sleep'), fc.integer({ min: 1_001, max: 15_000 })) as fc.Arbitrary<Step>,
  fc.constantFrom<Step>(['renew'], ['ask']),
);

/** Never open when, sleep included, the lease has ended; open again after a second renewal at the latest. */
function safety(make: (inputs: ReturnType<typeof gateOn>['inputs'], clock: FakeClock) => { ask(): string }) {
  return fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const clock = new FakeClock();
    const { inputs, renew } = gateOn(clock);
    const gate = make(inputs, clock);
    let ends = clock.sleeplessNow() + LEASE_MS;
    for (const [what, ms = 0] of steps) {
      if (what === 'advance') clock.advance(ms);
      if (what === 'sleep') clock.sleep(ms);
      if (what === 'renew') {
        renew();
        ends = clock.sleeplessNow() + LEASE_MS;
      }
      if (what === 'ask' && gate.ask() === 'open' && clock.sleeplessNow() >= ends) return false;
    }
    for (let i = 0; i < 2; i++) {
      clock.advance(1); // a renewal moves the deadline
      renew();
      gate.ask();
    }
    return gate.ask() === 'open';
  });
}

const RUNS = { seed: testSeed, runs: 2_000, replay: replayOf('session/gate') };
/** Cases known to show what is wrong with the wrong ones. */
const KNOWN = { ...RUNS, seed: 42 };

describe('the gate under any schedule of sleep and renewal', () => {
  it('S2: is never open past the lease\'s real end, and never stays in doubt', () => {
    return holds(safety((inputs) => gateFor(inputs)), RUNS);
  });

  it('the property kills a gate that forgets the sleep when it sees a moved deadline', () => {
    return breaksAndReplays(() => safety((inputs, clock) => {
      const meter = new SleepMeter(clock);
      let seen = inputs.lease.deadline;
      return {
        ask: () => {
          if (inputs.lease.deadline !== seen) meter.mark();
          seen = inputs.lease.deadline;
          return clock.now() + meter.slept() >= seen ? 'doubt' : 'open';
        },
      };
    }), KNOWN);
  });

  it('the property kills a gate that stays in doubt after a sleep', () => {
    return breaksAndReplays(() => safety((inputs, clock) => {
      const meter = new SleepMeter(clock);
      return { ask: () => (clock.now() + meter.slept() >= inputs.lease.deadline ? 'doubt' : 'open') };
    }), KNOWN);
  });
});
