/** The arithmetic of the budgets, by itself: what is left of them, and what the sections open now do to them. */
import { describe, expect, it } from 'vitest';
import { checkBudgets, delays, LONGEST_MS } from '../../machines/attempt.delays.js';
import {
  enterSection, leaveSection, longestGrace, newRunClock, pausesOf, type RunClock, type Section,
} from '../../machines/attempt.run-clock.js';
import type { AttemptContext, Budgets } from '../../machines/attempt.types.js';

const budgets: Budgets = {
  waitMs: 1, answerMs: 2, openMs: 3, timeoutMs: 400, idleTimeoutMs: 5, settleMs: 6, cleanupMs: 7, leaseMs: 8_000,
};
const stopping = (graceMs: number): Section => ({ graceMs, pausesBudgets: true });
const running = (graceMs: number): Section => ({ graceMs, pausesBudgets: false });
const inside = (...sections: Section[]): RunClock => ({ ...newRunClock, sections });

describe('the clock of the run', () => {
  it('begins with nothing open, nothing used, nothing overdue', () => {
    expect(newRunClock).toEqual({ sections: [], spentMs: 0, resumedAtMs: 0, overdue: null });
  });

  it('counts the sections that stop the budgets, and takes the longest grace of all', () => {
    const clock = inside(stopping(5), running(9), stopping(7));
    expect([pausesOf(clock), longestGrace(clock)]).toEqual([2, 9]);
    expect([pausesOf(newRunClock), longestGrace(newRunClock)]).toEqual([0, 0]);
  });

  it('stands still from the first section that stops it to the end of the last', () => {
    const first = enterSection(newRunClock, stopping(1), 100);
    expect(first).toEqual({ sections: [stopping(1)], spentMs: 100, resumedAtMs: 0, overdue: null });
    const second = enterSection(first, stopping(2), 130);
    expect(second).toEqual({ ...first, sections: [stopping(1), stopping(2)] });
    const one = leaveSection(second, stopping(1), 160);
    expect(one).toEqual({ ...first, sections: [stopping(2)] });
    const none = leaveSection(one, stopping(2), 200);
    expect(none).toEqual({ sections: [], spentMs: 100, resumedAtMs: 200, overdue: null });
    expect(enterSection(none, stopping(3), 250).spentMs).toBe(150); // 100 and 50
  });

  it('goes on in a section that does not stop it, before, within and after one that does', () => {
    const clock = enterSection(newRunClock, running(1), 40);
    expect(clock).toEqual(inside(running(1)));
    const stopped = enterSection(clock, stopping(2), 60);
    expect(stopped.spentMs).toBe(60);
    expect(enterSection(stopped, running(3), 70).spentMs).toBe(60);
    expect(leaveSection(stopped, running(1), 80)).toEqual({ ...stopped, sections: [stopping(2)] });
    expect(leaveSection(clock, running(1), 90)).toEqual(newRunClock);
  });

  it('takes out one section of those that are alike, and the right one of those that are not', () => {
    const clock = inside(running(1), stopping(1), running(2), running(2));
    expect(leaveSection(clock, running(2), 9).sections).toEqual([running(1), stopping(1), running(2)]);
    expect(leaveSection(clock, stopping(1), 9).sections).toEqual([running(1), running(2), running(2)]);
    expect(leaveSection(inside(stopping(2), stopping(1)), stopping(1), 9).sections).toEqual([stopping(2)]);
  });
});

describe('the waits', () => {
  const context = (clock: Partial<RunClock> = {}, asks = 0): { context: AttemptContext } =>
    ({ context: { input: { budgets }, clock: { ...newRunClock, ...clock }, asks } as unknown as AttemptContext });

  it('are the budgets of their names', () => {
    for (const name of ['waitMs', 'answerMs', 'openMs', 'idleTimeoutMs', 'settleMs', 'cleanupMs', 'leaseMs'] as const) {
      expect(delays[name](context()), name).toBe(budgets[name]);
    }
  });

  it('are what is left of the run budget, never less than nothing, and the longest grace open', () => {
    expect([0, 399, 400, 401].map((spentMs) => delays.runMs(context({ spentMs })))).toEqual([400, 1, 0, 0]);
    expect(delays.graceMs(context({ sections: [running(4), stopping(3)] }))).toBe(4);
  });

  it('ask for release often enough: answerMs, a quarter of the lease at most; pauses double up to that', () => {
    expect(delays.askMs(context())).toBe(2);
    const slow = context();
    const store = { context: { ...slow.context, input: { budgets: { ...budgets, answerMs: 5_000 } } } as AttemptContext };
    expect(delays.askMs(store)).toBe(2_000);
    expect([1, 2, 3, 6, 7, 40].map((asks) => delays.retryMs(context({}, asks)))).toEqual([50, 100, 200, 1_600, 2_000, 2_000]);
    const long = { context: { ...context({}, 40).context, input: { budgets: { ...budgets, leaseMs: LONGEST_MS } } } as AttemptContext };
    expect(delays.retryMs(long)).toBe(50 * 2 ** 16); // no power of the number of asks without an end
  });
});

describe('budgets a timer cannot keep are refused', () => {
  it('from 0 to the longest timer, both included', () => {
    expect(LONGEST_MS).toBe(2_147_483_647);
    for (const ms of [0, 1, LONGEST_MS]) expect(checkBudgets({ ...budgets, settleMs: ms }).settleMs).toBe(ms);
    for (const ms of [-1, LONGEST_MS + 1, Number.NaN, -Infinity, '5', null, undefined]) {
      expect(() => checkBudgets({ ...budgets, settleMs: ms as number }), String(ms)).toThrow(RangeError);
    }
  });

  it('only what may be "never" may be Infinity, and the message says which', () => {
    const tried = Object.keys(budgets).map((name) => {
      try {
        checkBudgets({ ...budgets, [name]: Infinity });
        return name;
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        expect(String(error)).toContain(`${name}: expected milliseconds from 0 to ${LONGEST_MS}, got Infinity`);
        return null;
      }
    });
    expect(tried.filter((name) => name !== null)).toEqual(['waitMs', 'timeoutMs', 'idleTimeoutMs']);
    expect(() => checkBudgets({ ...budgets, waitMs: -1 })).toThrow(`waitMs: expected milliseconds from 0 to ${LONGEST_MS} or Infinity, got -1`);
  });
});
