/**
 * Code that is not ours, at its worst: subscribers, inspectors, classifiers, signals. Whatever they throw and
 * however they interfere, the attempt ends with one outcome, gives its lock back and leaves nothing (M07).
 */
import { describe, expect, test } from 'vitest';
import { AbortReason, attempts, type AttemptReport, type AttemptSnapshot } from '../../src/index.js';
import { toTheEnd as runToTheEnd } from '../support/endings.js';
import { never, thenable, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();

/** A value that throws wherever it is looked at. */
const untouchable = (): never => {
  throw new Error('do not look');
};

const toTheEnd = <T>(done: Promise<AttemptReport<T>>): Promise<AttemptReport<T>> => runToTheEnd(scene(), done);

describe('S8: onlookers that interfere', () => {
  test('S10: a subscriber that aborts on "running" comes after the start of the work, not before', async () => {
    const seen: string[] = [];
    const attempt = scene().attempt({
      work: ({ signal }) => {
        seen.push(`work starts, aborted: ${signal.aborted}`);
        return untilAborted({ signal });
      },
    });
    attempt.subscribe(({ state }) => {
      seen.push(state);
      if (state === 'running.working') attempt.abort('too bad');
    });
    const report = await toTheEnd(attempt.start());
    expect(report).toMatchObject({ outcome: 'aborted', settled: true, lease: 'released' });
    expect(seen).toEqual([
      'acquiring.waiting', 'work starts, aborted: false', 'locked', 'running.working', 'aborting.user', 'releasing.asking',
      'released',
    ]);
  });

  test('S8: an inspector that aborts in the middle of every transition', async () => {
    const store = scene().store();
    let left = 20; // an abort is an event, too, and is inspected in its turn
    const attempt = scene().attempt({
      locks: store, work: never, settleMs: 0,
      inspect: ({ type }) => {
        if ((type === '@xstate.action' || type === '@xstate.microstep') && left > 0) {
          left -= 1;
          attempt.abort(type);
        }
      },
    });
    const report = await toTheEnd(attempt.start());
    expect(report).toMatchObject({ outcome: 'aborted', abortedBy: 'user', settled: null });
    expect(store.asks).toHaveLength(1);
  });

  test('S8: everybody throws all the time: subscribers, inspect, classifyAbort, onTimeout', async () => {
    const controller = scene().controller();
    const attempt = scene().attempt({
      signal: controller.signal, work: untilAborted, inspect: untouchable, classifyAbort: untouchable,
      onTimeout: () => Promise.reject(new Error('no')), timeoutMs: 10_000,
    });
    attempt.subscribe(untouchable);
    attempt.subscribe((() => Promise.reject(new Error('no'))) as never);
    attempt.subscribe((() => thenable(untouchable, {})) as never);
    const run = attempt.start();
    await scene().settled();
    controller.abort('stop');
    expect(await toTheEnd(run)).toMatchObject({ outcome: 'aborted', abortedBy: 'user', reason: 'stop' });
    expect(new Set(await scene().warned())).toEqual(new Set(['ATTEMPT_CALLBACK_THREW']));
  });

  test('M18: classifyAbort that names nobody, or aborts itself', async () => {
    const controller = scene().controller();
    const first = scene().attempt({
      signal: controller.signal, work: untilAborted, classifyAbort: () => 'me' as never,
    });
    const second = scene().attempt({
      signal: controller.signal, work: untilAborted,
      classifyAbort: () => {
        second.abort('first', { by: 'shutdown' });
        return 'timeout';
      },
    });
    const runs = [first.start(), second.start()];
    await scene().settled();
    controller.abort('stop');
    const [one, two] = await Promise.all(runs.map(toTheEnd));
    expect(one).toMatchObject({ abortedBy: 'user', reason: 'stop' });
    expect(two).toMatchObject({ abortedBy: 'shutdown', reason: 'first', lateAborts: ['timeout'] });
    expect(await scene().warned()).toEqual(['ATTEMPT_CALLBACK_THREW']);
  });

  test('L5: one signal for a hundred attempts is one listener, and no warning of a leak', async () => {
    const controller = scene().controller();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    const runs = Array.from({ length: 100 }, () => scene().attempt({ signal, work: untilAborted }).start());
    await scene().settled();
    controller.abort('all');
    for (const report of await Promise.all(runs.map(toTheEnd))) expect(report.abortedBy).toBe('user');
    expect(listeners).toBe(1);
  });

  test('S8: the same function subscribed twice is told twice, and each ends by itself', async () => {
    const states: string[] = [];
    const note = ({ state }: AttemptSnapshot): void => void states.push(state);
    const attempt = scene().attempt({ work: () => 1 });
    const end = attempt.subscribe(note);
    attempt.subscribe(note);
    end();
    end();
    await toTheEnd(attempt.start());
    expect(states).toEqual(['acquiring.waiting', 'locked', 'running.working', 'releasing.asking', 'released']);
    expect(() => attempt.subscribe(5 as never)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  test('M07: a signal that cannot be listened to: start rejects, and the id is free again', async () => {
    const signal = { aborted: false, addEventListener: untouchable, removeEventListener: () => {} } as never;
    const attempt = scene().attempt({ attemptId: 'one', signal, work: never });
    await expect(attempt.start()).rejects.toThrow('do not look');
    expect(attempts.active()).toEqual([]);
    attempt.abort();
    await attempt.done;
  });

  test('S9: the reason of another attempt keeps who it was', async () => {
    for (const by of ['timeout', 'shutdown', 'superseded', 'user'] as const) {
      const signal = AbortSignal.abort(new AbortReason(by, 'x'));
      expect(await scene().attempt({ signal, work: never }).start()).toMatchObject({ abortedBy: by });
    }
    const signal = AbortSignal.abort(new AbortReason('leaseLost', 'x'));
    expect(await scene().attempt({ signal, work: never }).start()).toMatchObject({ abortedBy: 'shutdown' });
  });
});
