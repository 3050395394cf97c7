/**
 * The small parts of every lock store, by themselves: the line, waiting, what a holder is told and tells, who is buried.
 */
import { describe, expect, test } from 'vitest';
import type { Budgets } from '../../../machines/attempt.types.js';
import { noticeOf, refuses } from '../../../src/locks/asking.js';
import { BUDGET_NAMES, finiteOf, readFacts } from '../../../src/locks/holder-facts.js';
import { LocalQueue } from '../../../src/locks/local-queue.js';
import type { LeaseNotice } from '../../../src/locks/lock-store.js';
import { Notices } from '../../../src/locks/notices.js';
import { isStillWanted, waitFor } from '../../../src/locks/patience.js';
import { Tombstones } from '../../../src/locks/tombstones.js';
import { microtasksDone, VirtualClock } from '../../../src/testing/virtual-clock.js';

describe('a line', () => {
  const lineOf = (...names: string[]) => {
    const queue = new LocalQueue<string>();
    const turns: string[] = [];
    const places = names.map((name) => {
      const place = queue.join('key', name);
      void place.turn.then(() => turns.push(name));
      return place;
    });
    return { queue, turns, places };
  };

  test('L4: its head is told that it is its turn, and the next one when that leaves', async () => {
    const { queue, turns, places: [a, b, c] } = lineOf('a', 'b', 'c');
    await microtasksDone();
    expect([turns, queue.waiting('key'), queue.second('key')]).toEqual([['a'], ['a', 'b', 'c'], 'b']);
    expect([a, b, c].map((one) => one?.isFirst())).toEqual([true, false, false]);
    a?.leave();
    await microtasksDone();
    expect([turns, b?.isFirst(), a?.isFirst()]).toEqual([['a', 'b'], true, false]);
    c?.leave();
    await microtasksDone();
    expect([turns, queue.waiting('key'), queue.second('key')]).toEqual([['a', 'b'], ['b'], undefined]);
  });

  test('M02 S11: who leaves from the middle passes the turn to nobody, and whoever comes next stays in order', async () => {
    const { queue, turns, places: [a, b] } = lineOf('a', 'b', 'c');
    b?.leave();
    await microtasksDone();
    expect([turns, queue.waiting('key')]).toEqual([['a'], ['a', 'c']]);
    a?.leave();
    await microtasksDone();
    expect(turns).toEqual(['a', 'c']);
  });

  test('S7: who has left takes nobody with it when it leaves again, and an empty line is forgotten', () => {
    const { queue, places: [a, b, c] } = lineOf('a', 'b', 'c');
    for (let twice = 0; twice < 2; twice += 1) a?.leave();
    for (let twice = 0; twice < 2; twice += 1) b?.leave();
    expect([queue.waiting('key'), queue.keys()]).toEqual([['c'], ['key']]);
    c?.leave();
    expect([queue.waiting('key'), queue.keys(), queue.second('key'), c?.isFirst()]).toEqual([[], [], undefined, false]);
    queue.join('key', 'd');
    for (const one of [a, c]) one?.leave();
    expect(queue.waiting('key')).toEqual(['d']);
  });

  test('L4: lines of other keys are others', () => {
    const { queue } = lineOf('a');
    expect([queue.join('other', 'b').isFirst(), queue.keys(), queue.waiting('third')]).toEqual([true, ['key', 'other'], []]);
  });
});

describe('waiting', () => {
  const waiting = (ms: number, leaves = new AbortController()) => {
    const clock = new VirtualClock();
    const found = { how: 'pending', disarmed: 0, wake: (): void => {}, clock, leaves };
    void waitFor(clock, ms, leaves.signal, (woken) => {
      found.wake = woken;
      return () => { found.disarmed += 1; };
    }).then((how) => { found.how = how; });
    return found;
  };

  test('L5: ends with what comes first, event, time or cancellation; then nothing is armed, and nothing else counts', async () => {
    for (const [first, how] of [['wake', 'event'], ['time', 'time'], ['leave', 'cancelled']] as const) {
      const one = waiting(100);
      const does = { wake: () => one.wake(), time: () => one.clock.advance(100), leave: () => one.leaves.abort() };
      await one.clock.advance(99);
      expect([one.how, one.disarmed]).toEqual(['pending', 0]);
      for (const each of [first, 'wake', 'leave'] as const) await does[each]();
      await microtasksDone();
      expect([one.how, one.disarmed, one.clock.armed]).toEqual([how, 1, 0]);
    }
  });

  test('S11: with a signal that has fired it is over at once, and nothing was armed', async () => {
    const left = new AbortController();
    left.abort();
    const one = waiting(100, left);
    await microtasksDone();
    expect([one.how, one.disarmed, one.clock.armed]).toEqual(['cancelled', 0, 0]);
  });

  test('L5: of a signal that lives on it keeps no listener', async () => {
    const { signal } = new AbortController();
    const listening = new Set<unknown>();
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (type: string, fn: unknown) => void (listening.add(fn), add(type, fn as () => void));
    signal.removeEventListener = (type: string, fn: unknown) => void (type === 'abort' && listening.delete(fn), remove(type, fn as () => void));
    const clock = new VirtualClock();
    const asked = waitFor(clock, 10, signal, () => () => {});
    expect(listening.size).toBe(1);
    await clock.advance(10);
    expect([await asked, listening.size]).toEqual(['time', 0]);
  });

  test('L1: without a limit, or with one that no timer can keep, it sets none; one that is over ends it', async () => {
    expect([Infinity, 2 ** 31, 2 ** 31 - 1, 5].map((ms) => waiting(ms).clock.armed)).toEqual([0, 0, 1, 1]);
    const one = waiting(-5);
    await one.clock.advance(0);
    expect(one.how).toBe('time');
  });

  test('L5: an event while it is being armed ends it, and disarms what was armed', async () => {
    let disarmed = 0;
    const how = await waitFor(new VirtualClock(), Infinity, new AbortController().signal, (woken) => {
      woken();
      return () => { disarmed += 1; };
    });
    expect([how, disarmed]).toEqual(['event', 1]);
  });

  test('L5: what cannot be armed is told, and no timer is left', async () => {
    const clock = new VirtualClock();
    await expect(waitFor(clock, 100, new AbortController().signal, () => { throw new Error('no watch left'); })).rejects.toThrow('no watch left');
    expect(clock.armed).toBe(0);
  });

  test('S11: who asks is asked whether it is wanted; without that its signal says so', () => {
    const { signal } = new AbortController();
    const fired = AbortSignal.abort();
    const all = [{ signal }, { signal: fired }, { signal, isWanted: () => false }, { signal: fired, isWanted: () => true }];
    expect(all.map(isStillWanted)).toEqual([true, false, false, true]);
  });
});

describe('what a lease tells', () => {
  const heardBy = (notices: Notices): LeaseNotice[] => {
    const heard: LeaseNotice[] = [];
    notices.listen((notice) => heard.push(notice));
    return heard;
  };
  const [lost, other] = [{ type: 'lost', reason: 'one' }, { type: 'lost', reason: 'other' }] as const;
  const superseded = { type: 'superseded', by: 'next' } as const;

  test('S12 M19: who listens late is told the first of each kind, in order; a doubt has passed', () => {
    const notices = new Notices();
    const early = heardBy(notices);
    for (const one of [{ type: 'inDoubt' } as const, superseded, lost, other]) notices.tell(one);
    expect(early).toEqual([{ type: 'inDoubt' }, superseded, lost, other]);
    expect(heardBy(notices)).toEqual([superseded, lost]);
  });

  test('M19: of an ask only so much is told as its bounds allow; a user is never refused', () => {
    expect(noticeOf({ as: 'superseded', by: 'n'.repeat(201), reason: 'none' })).toEqual({ type: 'superseded', by: 'n'.repeat(200) });
    expect(noticeOf({ as: 'user', by: 'me', reason: 'r'.repeat(1_001) })).toEqual({ type: 'stopped', by: 'me', reason: 'r'.repeat(1_000) });
    expect(noticeOf({ as: 'user', by: 'me' })).toEqual({ type: 'stopped', by: 'me', reason: null });
    expect([{}, { supersedable: true }, { supersedable: false }].map((one) => refuses(one, 'superseded'))).toEqual([false, false, true]);
    expect(refuses({ supersedable: false }, 'user')).toBe(false);
  });
});

describe('owners that are buried', () => {
  test('S11 L5: are remembered for their time, from the last burial on, and then forgotten', async () => {
    const clock = new VirtualClock();
    const buried = new Tombstones(clock, 100);
    const are = (...owners: string[]) => owners.map((one) => buried.has(one));
    buried.bury('a');
    await clock.advance(50);
    buried.bury('b');
    await clock.advance(49);
    expect(are('a', 'b', 'nobody')).toEqual([true, true, false]);
    buried.bury('b');
    await clock.advance(1);
    expect(are('a', 'b')).toEqual([false, true]);
    buried.bury('c');
    await clock.advance(98);
    expect(are('b', 'c')).toEqual([true, true]);
    await clock.advance(1);
    expect(are('b', 'c')).toEqual([false, true]);
  });
});

describe('what a holder tells about itself, read back', () => {
  const facts = {
    stateSince: 0, progressAt: 5, unsettled: true, onUnsettled: 'hold', hasCleanup: true, budgets: { waitMs: 3, timeoutMs: null },
    set: ['waitMs'], loopDelayMs: 4,
  } as const;
  const others = { ...facts, progressAt: null, unsettled: false, onUnsettled: 'fence', hasCleanup: false, budgets: {}, set: [], loopDelayMs: null };

  test('is what it told', () => {
    for (const told of [facts, others]) expect(readFacts(JSON.parse(JSON.stringify(told)))).toEqual(told);
  });

  test('M22: is nothing where it is not what an attempt tells, and of a stranger\'s only what has its shape', () => {
    const none = [null, 7, 'facts', undefined, {}, { stateSince: '1' }, { stateSince: -1 }, { stateSince: Infinity }];
    expect(none.map(readFacts)).toEqual(none.map(() => null));
    const wrong = { progressAt: 'x', unsettled: 1, onUnsettled: 'ever', hasCleanup: 'yes', budgets: 7, set: 'waitMs', loopDelayMs: -2 };
    expect(readFacts({ stateSince: 1, ...wrong })).toEqual({ ...others, stateSince: 1 });
    const more = { ...facts, budgets: { waitMs: -1, openMs: '2', settleMs: 8, another: 3 }, set: ['another', 'openMs', 'waitMs'] };
    expect(readFacts(more)).toEqual({ ...facts, budgets: { waitMs: null, openMs: null, settleMs: 8 }, set: ['waitMs', 'openMs'] });
    expect(readFacts({ ...facts, budgets: null })).toEqual({ ...facts, budgets: {} });
  });

  test('a budget without a limit is told as none', () => {
    const budgets = Object.fromEntries(BUDGET_NAMES.map((name, at) => [name, at === 0 ? Infinity : at])) as unknown as Budgets;
    expect(finiteOf(budgets)).toEqual({ ...budgets, waitMs: null });
  });
});
