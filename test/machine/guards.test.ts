/** The questions of the machine, by themselves, where no path of the table tells two answers apart. */
import { describe, expect, it } from 'vitest';
import { initialTransition, transition, type EventFromLogic } from 'xstate';
import { initialContext, NO_ANSWER, OVER_TIME } from '../../machines/attempt.actions.js';
import * as guards from '../../machines/attempt.guards.js';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { newRunClock, type RunClock } from '../../machines/attempt.run-clock.js';
import type { AttemptContext, AttemptEvent, AttemptInput } from '../../machines/attempt.types.js';

const input = {
  budgets: {
    waitMs: 1, answerMs: 2, openMs: 3, timeoutMs: 400, idleTimeoutMs: 5, settleMs: 6, cleanupMs: 7, leaseMs: 8_000,
  },
  hasCleanup: false, onUnsettled: 'fence', leaseEnds: true,
} as AttemptInput;

const asked = (context: Partial<AttemptContext>, event: object = { type: 'start' }) =>
  ({ context: { ...initialContext({ input }), ...context }, event: event as AttemptEvent });
const pausing = { graceMs: 1, pausesBudgets: true };
const clock = (...sections: RunClock['sections']): Partial<AttemptContext> => ({ clock: { ...newRunClock, sections } });
const entered = { type: 'section.entered', ...pausing, ranMs: 1 };
const left = { type: 'section.left', ...pausing, ranMs: 1 };

describe('guards', () => {
  it('an event without a number answers nothing, whatever number is awaited', () => {
    for (const seq of [-2, 0, 1, 2]) expect(guards.isAnswer(asked({ seq }))).toBe(false);
    expect(guards.isAnswer(asked({ seq: 3 }, { type: 'session.opened', seq: 3 }))).toBe(true);
  });

  it('a request is answered once: only while it is out', () => {
    const answer = { type: 'lock.granted', seq: 4, token: 1 };
    const locks = ['none', 'asked', 'held', 'known', 'refused', 'gone'] as const;
    expect(locks.filter((lock) => guards.answersRequest(asked({ lock, request: 4 }, answer)))).toEqual(['asked']);
    expect(guards.answersRequest(asked({ lock: 'asked', request: 3 }, answer))).toBe(false);
    expect(locks.filter((lock) => guards.knowsGrant(asked({ lock })))).toEqual(['held', 'known']);
  });

  it('the budgets run outside sections that pause them', () => {
    expect(guards.budgetsRun(asked(clock()))).toBe(true);
    expect(guards.budgetsRun(asked(clock({ graceMs: 9, pausesBudgets: false })))).toBe(true);
    expect(guards.budgetsRun(asked(clock(pausing)))).toBe(false);
  });

  it('a pause begins with the first section that pauses, by entering it', () => {
    expect(guards.beginsPause(asked(clock(), entered))).toBe(true);
    expect(guards.beginsPause(asked(clock(pausing), entered))).toBe(false);
    expect(guards.beginsPause(asked(clock(), { ...entered, pausesBudgets: false }))).toBe(false);
    expect(guards.beginsPause(asked(clock(), left))).toBe(false);
  });

  it('a pause ends with the last section that pauses, by leaving it', () => {
    expect(guards.endsPause(asked(clock(pausing), left))).toBe(true);
    expect(guards.endsPause(asked(clock(pausing, pausing), left))).toBe(false);
    expect(guards.endsPause(asked(clock(pausing, { graceMs: 2, pausesBudgets: false }), { ...left, pausesBudgets: false }))).toBe(false);
    expect(guards.endsPause(asked(clock(), left))).toBe(false);
    expect(guards.endsPause(asked(clock(pausing), entered))).toBe(false);
  });
});

describe('what is remembered', () => {
  it('in the beginning nothing', () => {
    expect(initialContext({ input })).toEqual({
      input, seq: 0, request: 0, lock: 'none', token: null, failure: null, abort: null, lateAborts: [], work: 'none', clock: newRunClock,
      value: undefined, workError: undefined, unsettled: false, abandoned: false, cleanupError: undefined, asks: 0, firstAsk: 0,
      releaseError: undefined, lease: null,
    });
  });

  it('S9: an abort with its kind where it is a timeout; an abort by nobody we know of is none', () => {
    const [idle] = initialTransition(attemptMachine, input);
    const after = (event: object) => transition(attemptMachine, idle, event as EventFromLogic<typeof attemptMachine>)[0].context.abort;
    expect(after({ type: 'abort.user', reason: 'r' })).toStrictEqual({ by: 'user', kind: null, reason: 'r' });
    expect(after({ type: 'abort.timeout', kind: 'external', reason: 'r' })).toStrictEqual({ by: 'timeout', kind: 'external', reason: 'r' });
    expect(after({ type: 'abort.nobody', reason: 'r' })).toBeNull();
  });

  it('which limit was over', () => {
    expect([OVER_TIME, NO_ANSWER]).toEqual([{ limit: 'cleanupMs' }, { limit: 'answerMs' }]);
  });

  it('L5: each timer that is set in running is taken back by its own name', () => {
    const actions = attemptMachine.implementations.actions as unknown as Record<string, { id?: string; sendId?: string }>;
    for (const name of ['Run', 'Idle', 'Grace']) {
      expect(actions[`arm${name}Timer`]?.id, name).toBe(name.toLowerCase());
      expect(actions[`disarm${name}Timer`]?.sendId, name).toBe(name.toLowerCase());
    }
  });
});
