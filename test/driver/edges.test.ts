/**
 * The small parts of the driver by themselves: the caller's signal, a grant nobody wants, what is told to others and whom a
 * taker asks to end. Each edge was once a mutant that no other fast test noticed (`npm run mutants`).
 */
import { getEventListeners } from 'node:events';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { onAbort } from '../../src/driver/caller-signal.js';
import { giveBack, lateGrants } from '../../src/driver/give-back.js';
import { askHoldersToEnd } from '../../src/driver/take-over.js';
import { ToldToOthers } from '../../src/driver/told-to-others.js';
import type { Holder, Lease, LockStore, ReleaseAnswer } from '../../src/locks/lock-store.js';
import type { AttemptSpec } from '../../src/options.js';
import { microtasksDone, VirtualClock } from '../../src/testing/virtual-clock.js';
import { LATE_GRANT_CHANNEL } from '../../src/trace/channels.js';

const codes: string[] = [];
const hear = (warning: Error & { code?: string }): void => void codes.push(String(warning.code));
let others: ((warning: Error) => void)[] = [];
beforeEach(() => {
  codes.length = 0;
  others = process.listeners('warning');
  process.removeAllListeners('warning').on('warning', hear);
});
afterEach(() => {
  process.off('warning', hear);
  for (const other of others) process.on('warning', other);
});

describe('the caller\'s signal', () => {
  test('L5: one listener for all, there until the last has ended, and each is called once', () => {
    const { signal, abort } = ((controller) => ({ signal: controller.signal, abort: () => controller.abort() }))(new AbortController());
    const called: string[] = [];
    const ends = ['a', 'b', 'c'].map((name) => onAbort(signal, () => called.push(name)));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    ends[0]!();
    ends[0]!(); // twice is once
    ends[1]!();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    abort();
    signal.dispatchEvent(new Event('abort')); // however often it is said
    expect(called).toEqual(['c']);
    ends[2]!();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('L5: after the last nothing is left, and who comes then is heard', () => {
    const controller = new AbortController();
    const fn = (): void => void called.push('again');
    const called: string[] = [];
    const end = onAbort(controller.signal, fn);
    end();
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    const [first, second] = [onAbort(controller.signal, fn), onAbort(controller.signal, fn)];
    end(); // an old one ends nobody else
    first();
    controller.abort();
    expect(called).toEqual(['again']);
    second();
  });
});

describe('a grant that nobody wants', () => {
  /** Asked at these moments, with these answers. */
  async function asked(answers: (ReleaseAnswer | Error)[], leaseMs = 1_000): Promise<number[]> {
    const clock = new VirtualClock();
    const at: number[] = [];
    const release = (): Promise<ReleaseAnswer> => {
      at.push(clock.now());
      const answer = answers[at.length - 1] ?? 'unknown';
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    };
    giveBack({ release } as Lease, leaseMs, clock);
    await clock.advance(10 * leaseMs);
    expect(clock.armed).toBe(0);
    return at;
  }

  test('S11: is asked back again with pauses that double, until its lease has ended and not later', async () => {
    expect(await asked([])).toEqual([0, 50, 150, 350, 750]);
    expect(await asked([], 750)).toEqual([0, 50, 150, 350, 750]); // at the very end: once more
    expect(await asked([], 749)).toEqual([0, 50, 150, 350]);
  });

  test('S11: a definite answer ends it, a failure does not', async () => {
    expect(await asked(['released'])).toEqual([0]);
    expect(await asked(['unknown', 'notHeld'])).toEqual([0, 50]);
    expect(await asked([new Error('the store failed'), 'released'])).toEqual([0, 50]);
  });

  test('S11: is counted, and told to whoever subscribes', async () => {
    const told: unknown[] = [];
    const listener = (message: unknown): void => void told.push(message);
    const before = lateGrants.count;
    await asked(['released']);
    subscribe(LATE_GRANT_CHANNEL, listener);
    await asked(['released']);
    unsubscribe(LATE_GRANT_CHANNEL, listener);
    expect([lateGrants.count - before, told]).toEqual([2, [{ count: before + 2 }]]);
  });
});

describe('what an attempt tells others', () => {
  const clock = new VirtualClock();
  const spec = {
    attemptId: 'id', session: 's', labels: { job: '7' }, supersedable: true, clock, onUnsettled: 'hold', setBudgets: ['waitMs'],
    budgets: { waitMs: 5, timeoutMs: Infinity },
  } as unknown as AttemptSpec<unknown>;
  const told = (more: object = {}) => new ToldToOthers({ ...spec, ...more }, {
    state: () => 'running.working', context: () => ({ unsettled: true }) as never,
  });

  test('where it is since when, when it last went on, and how it was set', async () => {
    const one = told();
    const began = clock.wallNow();
    expect(one).toMatchObject({ attemptId: 'id', labels: { job: '7' }, supersedable: true, state: 'running.working', note: null });
    expect(one.facts).toEqual({
      stateSince: began, progressAt: null, unsettled: true, onUnsettled: 'hold', hasCleanup: false,
      budgets: expect.objectContaining({ waitMs: 5, timeoutMs: null }) as object,
      set: ['waitMs'], loopDelayMs: null,
    });
    await clock.advance(10);
    one.moved();
    one.progressed('half');
    await clock.advance(10);
    one.progressed(null); // no news, and the note stays
    expect([one.facts.stateSince, one.facts.progressAt, one.note]).toEqual([began + 10, began + 20, 'half']);
    expect(told({ cleanup: () => {} }).facts.hasCleanup).toBe(true);
  });

  test('its report is kept where there was a lease with a token; a failure of that is a warning', async () => {
    const report = { token: 4, session: 's', attemptId: 'id', timings: {}, trace: { transitions: [] }, labels: {}, lateAborts: [] } as never;
    const kept: unknown[] = [];
    const lease = { keepReport: (one: unknown) => kept.push(one) } as unknown as Lease;
    told().keep(report, lease);
    expect(kept).toMatchObject([{ token: 4, attemptId: 'id', pid: process.pid, endedAt: clock.wallNow() }]);
    expect(kept).toMatchObject([{ host: expect.any(String) as string }]);
    told().keep(report, null);
    told().keep({ ...(report as object), token: null } as never, lease);
    told().keep(report, {} as Lease); // a store that keeps none
    await microtasksDone();
    expect([kept.length, codes]).toEqual([1, []]);
    told().keep(report, { keepReport: () => { throw new Error('disk full'); } } as unknown as Lease);
    await new Promise(setImmediate);
    expect(codes).toEqual(['ATTEMPT_REPORT_NOT_KEPT']);
  });
});

describe('whom a taker asks to end', () => {
  const holder = (owner: string | null, token: number | null = 1): Holder => ({ owner, token }) as Holder;

  function taking(look: () => Holder | null | Error, answer: () => unknown = () => 'asked', silent = false) {
    const clock = new VirtualClock();
    const asked: string[] = [];
    let looks = 0;
    const locks = {
      query: () => {
        looks += 1;
        const found = look();
        return found instanceof Error ? Promise.reject(found) : Promise.resolve(found === null ? [] : [{ holder: found }]);
      },
      askHolder: silent ? undefined : (session: string, { owner, token }: Holder, { as, by, signal }: Record<string, unknown>) => {
        expect([session, as, by, (signal as AbortSignal).aborted]).toEqual(['s', 'superseded', 'us', false]);
        asked.push(`${owner}/${token}`);
        return Promise.resolve(answer());
      },
    } as unknown as LockStore;
    const end = askHoldersToEnd({ locks, session: 's', by: 'us', owner: 'our own', clock });
    return { clock, asked, end, looks: () => looks };
  }

  test('each holder once, and again who comes between; a renewed grant of one owner is another', async () => {
    let now = holder('a');
    const { clock, asked, end, looks } = taking(() => now);
    await clock.advance(350);
    expect([asked, looks()]).toEqual([['a/1'], 4]);
    now = holder('b', 2);
    await clock.advance(100);
    now = holder('b', 3);
    await clock.advance(100);
    now = holder('b', null);
    await clock.advance(200);
    expect(asked).toEqual(['a/1', 'b/2', 'b/3', 'b/null']);
    end();
    expect(clock.armed).toBe(0);
    await clock.advance(1_000);
    expect(asked).toHaveLength(4);
  });

  test('one that refused is not asked again; one that could not be asked is', async () => {
    for (const [answer, times] of [['refused', 1], ['asked', 1], ['unknown', 3], ['notHeld', 3], [undefined, 3]] as const) {
      const { clock, asked, end } = taking(() => holder('a'), () => answer);
      await clock.advance(250);
      expect(asked, String(answer)).toHaveLength(times);
      end();
    }
  });

  test('nobody: a free lock, one whose owner cannot be read, and its own grant', async () => {
    for (const found of [null, holder(null), holder('our own')]) {
      const { clock, asked, end } = taking(() => found);
      await clock.advance(250);
      expect(asked).toEqual([]);
      end();
    }
    expect(codes).toEqual([]);
  });

  test('where a store cannot ask nobody is asked, and nothing is complained about', async () => {
    const { clock, end, looks } = taking(() => holder('a'), undefined, true);
    await clock.advance(250);
    end();
    await new Promise(setImmediate);
    expect([looks(), codes]).toEqual([3, []]);
  });

  test('a store that fails is asked again, and complained about once', async () => {
    let fails = true;
    const { clock, asked, end } = taking(() => (fails ? new Error('down') : holder('a')));
    await clock.advance(250);
    fails = false;
    await clock.advance(100);
    end();
    await new Promise(setImmediate);
    expect([asked, codes]).toEqual([['a/1'], ['ATTEMPT_TAKE_OVER']]);
  });

  test('one found when it was over is not asked, and no look comes after', async () => {
    const { clock, asked, end, looks } = taking(() => holder('a'));
    end(); // while the first look is under way
    await clock.advance(500);
    expect([asked, looks(), clock.armed]).toEqual([[], 1, 0]);
  });
});
