/**
 * Every row of the outcome table (SPEC section 4), reached and checked field by field: outcome x abortedBy x
 * settled x abandoned on one axis, what became of the lock on the other.
 */
import { describe, expect, test } from 'vitest';
import { AbortReason, AttemptError, type LeaseOutcome } from '../../src/index.js';
import { abortCases, askedAborts, leaseEndings, toTheEnd, workEndings } from '../support/endings.js';
import { never, useScene } from '../support/scene.js';
import type { Script } from '../support/scripted-store.js';

const scene = useScene();
type HeldOutcome = Exclude<LeaseOutcome, 'neverHeld'>;
const leases = Object.entries(leaseEndings) as [HeldOutcome, () => Script][];
const notAborted = { abortedBy: null, timeoutKind: null, reason: undefined, abandoned: false, lateAborts: [] };

for (const [lease, script] of leases) {
  describe(`S14: a lock that ends as ${lease}`, () => {
    test(`S8: completed, ${lease}`, async () => {
      const report = await toTheEnd(
        scene(), scene().attempt({ locks: scene().store(script()), work: () => 'v' }).start(),
      );
      expect(report).toMatchObject({
        ...notAborted, outcome: 'completed', value: 'v', error: null, settled: true, lease, token: 1,
        workError: undefined, cleanupError: undefined,
      });
    });

    test(`S8: failed, ${lease}`, async () => {
      const own = new TypeError('own');
      const locks = scene().store(script());
      const report = await toTheEnd(scene(), scene().attempt({ locks, work: () => { throw own; } }).start());
      expect(report).toMatchObject({
        ...notAborted, outcome: 'failed', value: undefined, settled: true, lease, token: 1,
      });
      expect(report.error).toBe(own);
    });

    test(`S8: notStarted because it could not be opened, ${lease}`, async () => {
      const cause = new Error('EIO');
      const report = await toTheEnd(scene(), scene().attempt({
        locks: scene().store(script()), work: never, records: { open: () => { throw cause; } },
      }).start());
      expect(report).toMatchObject({
        ...notAborted, outcome: 'notStarted', value: undefined, settled: null, lease, token: 1, fencing: 'none',
        error: { code: 'SESSION_OPEN_FAILED', cause },
      });
    });

    for (const how of abortCases) {
      for (const ending of workEndings) {
        test(`S18: aborted by ${how.name} while running, ${ending.name}, ${lease}`, async () => {
          const store = scene().store(script());
          const attempt = scene().attempt({ locks: store, work: ending.work, ...how.options });
          const run = attempt.start();
          await scene().settled();
          await how.cause(attempt, scene());
          const report = await toTheEnd(scene(), run);
          expect(report).toMatchObject({
            outcome: 'aborted', abortedBy: how.by, timeoutKind: how.kind, reason: how.reason, lateAborts: [],
            settled: ending.settled, abandoned: how.by === 'timeout', value: ending.value, workError: undefined,
            lease, token: 1,
          });
          expect(report.error).toBeInstanceOf(AbortReason);
          expect(report.error).toMatchObject({
            name: how.by === 'timeout' ? 'TimeoutError' : 'AbortError', code: 'ABORT_ERR', abortedBy: how.by,
          });
          expect((report.error as Error).cause).toBe(how.reason);
        });
      }
    }

    for (const how of askedAborts) {
      test(`S18: aborted by ${how.name} before the work, ${lease}`, async () => {
        let started = false;
        const attempt = scene().attempt({
          locks: scene().store(script()), records: { open: never }, work: () => { started = true; },
        });
        const run = attempt.start();
        await scene().settled();
        expect(attempt.snapshot().state).toBe('locked');
        how.cause(attempt, scene());
        expect(await toTheEnd(scene(), run)).toMatchObject({
          outcome: 'aborted', abortedBy: how.by, settled: null, abandoned: false, value: undefined, lease,
          token: 1,
        });
        expect(started).toBe(false);
      });
    }
  });
}

describe('neverHeld: a definite no, or nothing was asked', () => {
  test('M22: notStarted, busy: who holds it, and when to come back', async () => {
    const { clock } = scene();
    const holder = {
      attemptId: 'other', owner: 'o', token: 4, pid: 7, host: 'h', since: clock.wallNow() - 2_000,
      state: 'running.working', note: 'halfway', until: clock.wallNow() + 3_000, labels: { job: '9' }, sameProcess: false,
    };
    const store = scene().store({ acquire: (ask) => ask.busy(holder) });
    const report = await scene().attempt({ locks: store, work: never, waitMs: 0 }).start();
    expect(report).toMatchObject({
      ...notAborted, outcome: 'notStarted', lease: 'neverHeld', token: null, settled: null, fencing: 'none',
      error: { code: 'LOCK_BUSY', holder, retryAfterMs: 3_000 },
    });
    expect(report.error).toBeInstanceOf(AttemptError);
    for (const fact of ['other', 'pid 7', '2 s', 'running', 'halfway', 'one try']) {
      expect(String(report.error)).toContain(fact);
    }
    expect(store.releases, 'S7: nothing is released that was never held').toHaveLength(0);
  });

  test('M22: patience over: busy without a holder, when the store cannot say who', async () => {
    const store = scene().store({
      acquire: (ask) => ask.request.signal.addEventListener('abort', () => ask.busy(), { once: true }),
    });
    const attempt = scene().attempt({ locks: store, work: never, waitMs: 300 });
    const run = attempt.start();
    await scene().clock.advance(300);
    expect(attempt.abort('late')).toMatchObject({ accepted: false });
    expect(await run).toMatchObject({
      outcome: 'notStarted', lease: 'neverHeld', abortedBy: null,
      error: { code: 'LOCK_BUSY', holder: null, retryAfterMs: null }, timings: { waitedMs: 300, heldMs: null },
    });
  });

  test('S14: the store failed and then says that our owner holds nothing', async () => {
    const store = scene().store({ acquire: (ask) => ask.unknown() });
    const report = await toTheEnd(scene(), scene().attempt({ locks: store, work: never }).start());
    expect(report).toMatchObject({
      ...notAborted, outcome: 'notStarted', lease: 'neverHeld', token: null, error: { code: 'LOCK_STORE_FAILED' },
    });
  });

  test('S14: the store failed, and had granted after all: released by owner', async () => {
    const store = scene().store({
      acquire: (ask) => {
        ask.grant({ silent: true });
        ask.unknown();
      },
    });
    const report = await toTheEnd(scene(), scene().attempt({ locks: store, work: never }).start());
    expect(report).toMatchObject({
      outcome: 'notStarted', lease: 'released', error: { code: 'LOCK_STORE_FAILED' },
    });
    expect(store.releases[0]?.byOwner).toBe(true);
  });

  test('S14: no answer to anything: unconfirmed, since nobody knows whether we were granted', async () => {
    const store = scene().store({ acquire: () => {}, release: () => {} });
    const report = await toTheEnd(scene(), scene().attempt({ locks: store, work: never, waitMs: 0 }).start());
    expect(report).toMatchObject({
      outcome: 'notStarted', lease: 'unconfirmed', token: null, error: { code: 'LOCK_STORE_FAILED' },
    });
    expect(await scene().warned()).toEqual(['ATTEMPT_UNCONFIRMED']);
  });

  for (const how of askedAborts) {
    test(`M02: aborted by ${how.name} before start: nothing is asked, and start changes nothing`, async () => {
      const store = scene().store();
      const attempt = scene().attempt({ locks: store, work: never });
      expect(attempt.abort('x', { by: how.by })).toEqual({ accepted: true, state: 'idle', abortedBy: how.by });
      const report = await attempt.start();
      expect(report).toBe(await attempt.done);
      expect(report).toMatchObject({
        outcome: 'aborted', abortedBy: how.by, lease: 'neverHeld', settled: null, abandoned: false, token: null,
        timings: { waitedMs: null, heldMs: null, ranMs: null },
      });
      expect(store.asks).toHaveLength(0);
    });

    test(`M02: aborted by ${how.name} while waiting, then a definite no`, async () => {
      const store = scene().store({ acquire: () => {} });
      const attempt = scene().attempt({ locks: store, work: never });
      const run = attempt.start();
      how.cause(attempt, scene());
      store.ask.busy();
      expect(await toTheEnd(scene(), run)).toMatchObject({
        outcome: 'aborted', abortedBy: how.by, lease: 'neverHeld', settled: null, abandoned: false,
      });
    });
  }
});

describe('S12: aborted by a lost lease', () => {
  test('S12: before the work', async () => {
    const store = scene().store();
    const run = scene().attempt({ locks: store, records: { open: never }, work: never }).start();
    await scene().settled();
    store.lease.notify({ type: 'lost', reason: 'taken over' });
    const report = await toTheEnd(scene(), run);
    expect(report).toMatchObject({
      outcome: 'aborted', abortedBy: 'leaseLost', settled: null, abandoned: false, lease: 'lost',
      reason: 'taken over', error: { name: 'AttemptError', code: 'LEASE_LOST' },
    });
    expect(String(report.error)).toContain('taken over');
    expect(store.releases, 'S7: a lost lock is not released').toHaveLength(0);
  });

  for (const ending of workEndings) {
    test(`S12: while running, ${ending.name}; the writer is closed at once`, async () => {
      const store = scene().store();
      let codes: unknown[] = [];
      const run = scene().attempt({
        locks: store, onUnsettled: 'hold', cleanup: never,
        work: (context) => {
          context.signal.addEventListener('abort', () => {
            codes = ['a'].map(() => {
              try {
                return context.session.appendSync({ a: 1 });
              } catch (error) {
                return (error as AttemptError).code;
              }
            });
          });
          return ending.work(context);
        },
      }).start();
      await scene().settled();
      store.lease.notify({ type: 'lost', reason: 'taken over' });
      expect(await toTheEnd(scene(), run)).toMatchObject({
        outcome: 'aborted', abortedBy: 'leaseLost', settled: ending.settled, abandoned: false, value: ending.value,
        lease: 'lost', error: { code: 'LEASE_LOST' },
      });
      expect(codes).toEqual(['WRITE_FENCED']);
      expect(store.releases).toHaveLength(0);
    });
  }

  test('S9: a loss after a user abort is late, and the lock is lost all the same', async () => {
    const store = scene().store();
    const attempt = scene().attempt({ locks: store, work: never });
    const run = attempt.start();
    await scene().settled();
    attempt.abort('stop');
    store.lease.notify({ type: 'lost', reason: 'taken over' });
    expect(await toTheEnd(scene(), run)).toMatchObject({
      outcome: 'aborted', abortedBy: 'user', lateAborts: ['leaseLost'], lease: 'lost', settled: false,
    });
    expect(store.releases).toHaveLength(0);
  });
});
