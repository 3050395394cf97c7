/**
 * Code that is not ours, at its worst: work and cleanup. Whatever they throw or give back, the attempt ends
 * with one outcome, gives its lock back and leaves nothing (M07). Unheard rejections fail the run: vitest reports
 * them.
 */
import { describe, expect, test } from 'vitest';
import type { AttemptReport } from '../../src/index.js';
import { toTheEnd as runToTheEnd } from '../support/endings.js';
import { deferred, never, thenable, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();

/** A value that throws wherever it is looked at. */
const untouchable = (): never => {
  throw new Error('do not look');
};
const prickly = new Proxy({}, { get: untouchable, getPrototypeOf: untouchable, has: untouchable });

const toTheEnd = <T>(done: Promise<AttemptReport<T>>): Promise<AttemptReport<T>> => runToTheEnd(scene(), done);

describe('M07: the work does what work does', () => {
  const throwing: [string, () => unknown][] = [
    ['throws at once', untouchable],
    ['throws nothing', () => { throw undefined; }], // oxlint-disable-line no-throw-literal
    ['throws what cannot be looked at', () => { throw prickly; }], // oxlint-disable-line no-throw-literal
    ['rejects with nothing', () => Promise.reject()],
    ['gives a thenable that throws', () => thenable(untouchable, {})],
    ['gives what cannot be looked at', () => prickly],
    ['gives a promise whose then throws', () => thenable(untouchable, Promise.resolve(1))],
    ['gives a promise whose constructor throws', () =>
      Object.defineProperty(Promise.resolve(1), 'constructor', { get: untouchable })],
  ];
  for (const [name, work] of throwing) {
    test(`M07: it ${name}: failed, given back`, async () => {
      const report = await toTheEnd(scene().attempt({ work }).start());
      expect(report).toMatchObject({ outcome: 'failed', settled: true, lease: 'released' });
    });
    test(`S19: it ${name} after an abort: aborted, given back`, async () => {
      const attempt = scene().attempt({
        work: async ({ signal }) => {
          await untilAborted({ signal }).catch(() => undefined);
          return work();
        },
      });
      const run = attempt.start();
      await scene().settled();
      attempt.abort();
      expect(await toTheEnd(run)).toMatchObject({ outcome: 'aborted', abortedBy: 'user', lease: 'released' });
    });
  }

  test('S9: work that aborts itself at once, and then returns: aborted, with its value', async () => {
    const attempt = scene().attempt({
      work: ({ signal, session }) => {
        expect(attempt.abort('mine')).toEqual({ accepted: true, state: 'running.working', abortedBy: 'user' });
        expect(attempt.abort('again', { by: 'timeout' })).toMatchObject({ accepted: false, abortedBy: 'user' });
        expect(() => session.appendSync({ a: 1 }), 'S5').toThrow(
          expect.objectContaining({ code: 'WRITER_CLOSED' }),
        );
        void signal;
        return 7;
      },
    });
    expect(await toTheEnd(attempt.start())).toMatchObject({
      outcome: 'aborted', reason: 'mine', value: 7, settled: true, abandoned: false, lateAborts: ['timeout'],
    });
  });

  test('L5: a guarded write that ends after the attempt keeps no timer', async () => {
    const writing = deferred();
    const settling = deferred();
    const attempt = scene().attempt({
      settleMs: 50,
      work: ({ guard }) => {
        void guard(() => writing.promise);
        return settling.promise;
      },
    });
    const run = attempt.start();
    await scene().settled();
    attempt.abort();
    await scene().clock.advance(49);
    settling.resolve(1); // one tick before its time is over, with a write still going
    const report = await toTheEnd(run);
    expect(report).toMatchObject({ outcome: 'aborted', lease: 'released' });
    expect(scene().clock.armed).toBe(0);
    writing.resolve(1);
  });

  test('L5: work that settles long after its attempt, a write still going, starts no timer', async () => {
    const settling = deferred();
    const attempt = scene().attempt({
      settleMs: 50,
      work: ({ guard }) => {
        void guard(never);
        return settling.promise;
      },
    });
    const run = attempt.start();
    await scene().settled();
    attempt.abort();
    await toTheEnd(run);
    settling.resolve('late');
    await scene().settled();
    expect(scene().clock.armed).toBe(0);
    expect(attempt.snapshot().workSettled).toBe(true);
    expect((await run).settled).toBe(false);
  });
});

describe('M07: the cleanup does what cleanups do', () => {
  test('M06: a cleanup that throws nothing has failed, it was not late', async () => {
    for (const cleanup of [() => { throw undefined; }, () => Promise.reject(null)]) { // oxlint-disable-line
      const report = await toTheEnd(scene().attempt({ work: () => 1, cleanup }).start());
      expect(report).toMatchObject({ outcome: 'completed', lease: 'released' });
      expect(report.cleanupError).toBeInstanceOf(Error);
      expect(report.cleanupError).not.toMatchObject({ code: 'CLEANUP_TIMED_OUT' });
    }
  });

  test('M12: a cleanup whose lock is lost is told that, not that its time was over', async () => {
    const store = scene().store();
    let told: unknown;
    const attempt = scene().attempt({
      locks: store, work: () => 1,
      cleanup: ({ signal }) => untilAborted({ signal }).catch((reason: unknown) => { told = reason; }),
    });
    const run = attempt.start();
    await scene().settled();
    store.lease.notify({ type: 'lost', reason: 'taken' });
    expect(await toTheEnd(run)).toMatchObject({ outcome: 'completed', lease: 'lost' });
    expect(told).toMatchObject({ abortedBy: 'leaseLost' });
    expect(store.releases).toHaveLength(0);
  });
});
