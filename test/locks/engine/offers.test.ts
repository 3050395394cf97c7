/**
 * What a waiter makes of a lock that it was granted without having asked just then: on a clock of the test's own, and an
 * engine that says what the test wants.
 */
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/clock.js';
import { EngineLease } from '../../../src/locks/engine/engine-lease.js';
import { EngineLocks } from '../../../src/locks/engine/engine-locks.js';
import { Line } from '../../../src/locks/engine/line-of-request.js';
import { ALIVE_MS, type EngineAsk, type EngineBusy, type LockEngine, type Ring } from '../../../src/locks/engine/lock-engine.js';
import { asking } from '../fleets/faults.js';

class TestClock implements Clock {
  #now = 1_000;
  #slept = 0;
  readonly kept: (string | undefined)[] = [];
  #timers: { readonly at: number; readonly fn: () => void }[] = [];

  now = (): number => this.#now;
  wallNow = (): number => this.#now;
  sleeplessNow = (): number => this.#now + this.#slept;

  setTimeout(fn: () => void, ms: number, keep?: string): unknown {
    this.kept.push(keep);
    const timer = { at: this.#now + ms, fn };
    this.#timers.push(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers = this.#timers.filter((one) => one !== timer);
  }

  /** The monotonic clock stands still meanwhile. */
  sleep(ms: number): void {
    this.#slept += ms;
  }

  pass(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { fn } of due) fn();
  }
}

const soon = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });
const busy = (token: number): EngineBusy => ({ status: 'busy', holder: null, endsInMs: Infinity, token });

/** In line; its bell in the test's hands. */
function inLine() {
  const clock = new TestClock();
  let ring: Ring = () => {};
  const engine = {
    firstLookMs: Infinity,
    listen: (_session: string, _owner: string, fn: Ring) => {
      ring = fn;
      return () => {};
    },
  } as Partial<LockEngine> as LockEngine;
  const line = new Line(asking('key', 'waiter', 60_000), engine, clock);
  const look = (token: number, tookMs = 5): void => {
    const asked = line.asking();
    clock.pass(tookMs);
    line.answered(busy(token), asked);
  };
  return { clock, line, look, ring: (token: number) => ring({ token, epoch: 'e' }) };
}

describe('an offer', () => {
  test('S2 S10: is counted from before the last look that was answered, which came before the grant', () => {
    const { clock, line, look, ring } = inLine();
    const at = clock.now();
    look(6);
    clock.pass(300);
    line.asking(); // under way, and perhaps never arrived: it proves nothing
    ring(7);
    const offered = line.offered();
    expect(offered?.asking.at).toBe(at);
    expect(offered).toMatchObject({ lastsMs: ALIVE_MS, grant: { status: 'granted', token: 7, isNew: false, epoch: 'e' } });
    expect(line.offered()).toBe(null); // taken
  });

  test('S1 S14: that a later look has shown to be over is none', () => {
    const { line, look, ring } = inLine();
    look(6);
    ring(7);
    look(7); // the very grant of the offer, or a later one, is known to that look, and is not ours
    expect(line.offered()).toBe(null);
  });

  test('S10: of which too little is left is none: the engine is asked', () => {
    for (const [left, taken] of [[199, false], [200, true]] as const) {
      const { clock, line, look, ring } = inLine();
      look(6, 5);
      clock.pass(ALIVE_MS - 5 - left);
      ring(7);
      expect(line.offered() !== null).toBe(taken);
    }
  });

  test('S10: that was slept through is none', () => {
    const { clock, line, look, ring } = inLine();
    look(6);
    clock.sleep(60_000);
    clock.pass(60); // a look at the sleep is not older than that
    ring(7);
    expect(line.offered()).toBe(null);
  });
});

test('S6 S11: the last look of a waiter still says that it is in line: a grant takes it out, or it would be granted again', async () => {
  const clock = new TestClock();
  const asks: EngineAsk[] = [];
  const engine = {
    tokenScope: 'durable', firstLookMs: Infinity, listen: () => () => {}, isConnectionFailure: () => false,
    acquire: async (ask: EngineAsk) => {
      asks.push(ask);
      return asks.length === 1 ? busy(6) : { status: 'granted', token: 7, isNew: false, epoch: 'e' } as const;
    },
    release: async () => 'released',
  } as Partial<LockEngine> as LockEngine;
  const locks = new EngineLocks({ engine, clock, leaseMs: 60_000, name: 'a test' });
  const asked = locks.acquire(asking('key', 'waiter', 400));
  await soon();
  clock.pass(400); // its patience ends with its last look
  const answer = await asked;
  expect([answer.status, ...asks.map(({ wait }) => wait)]).toEqual(['granted', true, true]);
  if (answer.status === 'granted') await answer.lease.release();
});

describe('a lease that began with an offer', () => {
  const lease = (answers: (Promise<[]> | null)[]) => {
    const clock = new TestClock();
    let renewals = 0;
    const engine = {
      renew: () => {
        renewals += 1;
        return answers.shift() ?? new Promise(() => {});
      },
      release: async () => 'released',
    } as Partial<LockEngine> as LockEngine;
    const { info, owner, session } = asking('key', 'owner');
    const parts = { engine, session, owner, info, clock, leaseMs: 60_000, askMs: 5_000, ended: () => {} };
    const made = new EngineLease(parts, 7, { at: clock.now(), sleep: { slept: () => 0 } as never }, ALIVE_MS);
    return { clock, made, renewals: () => renewals };
  };
  test('M12 S10: is a short one until it is renewed, soon; a renewal that fails is asked again with the next beat', async () => {
    const { clock, made, renewals } = lease([Promise.reject(new Error('cut')), Promise.resolve([])]);
    const begun = clock.now();
    expect(made.deadline).toBeLessThanOrEqual(begun + ALIVE_MS);
    clock.pass(50);
    expect(renewals()).toBe(1);
    await soon();
    expect(made.deadline).toBeLessThanOrEqual(begun + ALIVE_MS);
    clock.pass(100);
    made.beat();
    await soon();
    expect(renewals()).toBe(2);
    expect(made.deadline).toBeGreaterThan(begun + 50_000);
    made.beat();
    expect(renewals()).toBe(2);
  });

  test('S13: given back before that, it is not renewed', async () => {
    const { clock, made, renewals } = lease([]);
    expect(clock.kept, 'L6: it keeps no process alive').toEqual(['background']);
    expect(await made.release()).toBe('released');
    clock.pass(1_000);
    expect(renewals()).toBe(0);
  });
});
