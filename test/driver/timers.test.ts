/** The timers of one machine, and the signal that is made when somebody asks for it, by themselves. */
import { describe, expect, test } from 'vitest';
import type { AnyActorRef } from 'xstate';
import { LazyAbort, withSignal } from '../../src/driver/lazy-abort.js';
import { live } from '../../src/driver/live.js';
import { Timers } from '../../src/driver/timers.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

describe('the timers of a machine', () => {
  function armed() {
    const clock = new VirtualClock();
    const cleared: unknown[] = [];
    const clear = clock.clearTimeout.bind(clock);
    clock.clearTimeout = (handle) => {
      cleared.push(handle);
      clear(handle);
    };
    const heard: string[] = [];
    const timers = new Timers(clock, () => heard.push('fired'));
    const actor = { send: ({ type }: { type: string }) => heard.push(type) } as unknown as AnyActorRef;
    const arm = (id: string, ms: number): void => timers.schedule(actor, actor, { type: id }, ms, id);
    return { clock, cleared, heard, timers, actor, arm };
  }

  test('each tells its event once, in order, and then that it has fired', async () => {
    const { clock, cleared, heard, timers, actor, arm } = armed();
    arm('late', 20);
    arm('soon', 10);
    await clock.advance(15);
    expect(heard).toEqual(['soon', 'fired']);
    timers.cancel(actor, 'soon'); // which has been, and another is still there
    await clock.advance(5);
    expect([heard, cleared]).toEqual([['soon', 'fired', 'late', 'fired'], []]);
  });

  test('L5: one that is cancelled is disarmed, and no other; of an id that is not armed nothing is', async () => {
    const { clock, cleared, heard, timers, actor, arm } = armed();
    timers.cancel(actor, 'a');
    for (const id of ['a', 'b', 'c']) arm(id, 10);
    timers.cancel(actor, 'b');
    timers.cancel(actor, 'none');
    expect([clock.armed, cleared.length]).toEqual([2, 1]);
    await clock.advance(10);
    expect(heard).toEqual(['a', 'fired', 'c', 'fired']);
  });

  test('L5: all at once are disarmed, each once; what is armed later is not', async () => {
    const { clock, cleared, heard, timers, arm } = armed();
    for (const id of ['a', 'b', 'c']) arm(id, 10);
    timers.cancelAll();
    expect(clock.armed).toBe(0);
    timers.cancelAll();
    expect([clock.armed, new Set(cleared).size, cleared.length]).toEqual([0, 3, 3]);
    arm('d', 10);
    await clock.advance(10);
    expect(heard).toEqual(['d', 'fired']);
  });

  test('a limit of Infinity is no timer', () => {
    const { clock, timers, actor, arm } = armed();
    arm('never', Infinity);
    timers.cancel(actor, 'never');
    expect(clock.armed).toBe(0);
  });
});

describe('a signal that is made when it is asked for', () => {
  test('S9: fires once, with the first reason, whether it was made before or after', () => {
    const [before, after] = [new LazyAbort(), new LazyAbort()];
    const { signal } = before;
    const reasons: unknown[] = [];
    signal.addEventListener('abort', () => reasons.push(signal.reason));
    for (const abort of [before, after]) {
      expect([abort.isAborted, abort.throwIfAborted()]).toEqual([false, undefined]);
      abort.abort('first');
      abort.abort('second');
      expect(abort.isAborted).toBe(true);
      expect(() => abort.throwIfAborted()).toThrow('first');
      expect([abort.signal.aborted, abort.signal.reason]).toEqual([true, 'first']);
      expect(abort.signal).toBe(abort.signal);
    }
    expect([reasons, before.signal]).toEqual([['first'], signal]);
  });

  test('is the object\'s own property, and the same in a copy; another property is read anew each time', () => {
    const abort = new LazyAbort();
    const object = withSignal({ a: 1 }, abort);
    expect(Object.keys(object)).toEqual(['a', 'signal']);
    expect({ ...object }).toEqual({ a: 1, signal: abort.signal });
    let n = 0;
    const counted = live('n', (source: { from: number }) => source.from + (n += 1))({}, { from: 10 });
    expect([counted.n, counted.n]).toEqual([11, 12]);
  });
});
