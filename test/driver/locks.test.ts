/** What is taken for a lock and what is not, whose session it is, and what becomes of what arrives when nobody wants it. */
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SleepMeter } from '../../src/clock.js';
import type { WorkContext } from '../../src/index.js';
import { deferred, never, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();

describe('what counts as a lock', () => {
  test('S1: the token 0 is one; where a store has no tokens none is asked of its leases', async () => {
    for (const [token, tokenScope, reported] of [[0, 'durable', 0], [Number.NaN, 'none', null], [undefined, 'none', null]] as const) {
      const locks = scene().store({ acquire: (ask) => {
        Object.assign(ask.grant({ silent: true }), { token });
        ask.tell();
      } }, { tokenScope });
      const report = await scene().now(scene().attempt({ locks, work: () => 1 }).start());
      expect(report).toMatchObject({ outcome: 'completed', token: reported, lease: 'released' });
    }
  });

  test('S14: a lease that comes with another answer than granted is none, and is given back', async () => {
    const locks = scene().store({ acquire: (ask) => ask.garbage({ status: 'perhaps', lease: ask.grant({ silent: true }) }) });
    let ran = false;
    const report = await scene().now(scene().attempt({ locks, work: () => { ran = true; } }).start());
    expect(report).toMatchObject({ outcome: 'notStarted', error: { code: 'LOCK_STORE_FAILED' }, lease: 'released' });
    expect([ran, locks.releases.map(({ byOwner }) => byOwner)]).toEqual([false, [false]]);
  });

  test('S6 S11: one that arrives after the end is given back', async () => {
    const locks = scene().store({ acquire: () => {}, release: (ask) => (locks.ask.lease ? ask.honestly() : ask.answer('notHeld')) });
    const attempt = scene().attempt({ locks, work: never });
    const run = attempt.start();
    await scene().settled();
    attempt.abort();
    await scene().clock.advance(60_000);
    expect(await scene().now(run)).toMatchObject({ outcome: 'aborted', lease: 'neverHeld' });
    locks.ask.grant();
    await scene().clock.advance(0);
    expect([locks.held, await scene().warned()]).toEqual([0, ['ATTEMPT_LATE_GRANT']]);
  });

  test('S2: who slept while it waited is granted a whole lease, if that is counted from after the sleep', async () => {
    for (const [countedFrom, state] of [[0, 'running.working'], [-150, 'locked']] as const) {
      const { clock } = scene();
      const locks = scene().store({ acquire: () => {} });
      const attempt = scene().attempt({ locks, waitMs: 60_000, work: untilAborted });
      const run = attempt.start();
      await clock.advance(1_000);
      clock.standStill('asleep');
      await clock.advance(20_000);
      clock.goOn();
      await clock.advance(60);
      new SleepMeter(clock).slept(); // somebody of this process looks, and notices
      await clock.advance(100);
      const lease = locks.ask.grant({ silent: true });
      lease.fixedDeadline = clock.now() + countedFrom + locks.capabilities.leaseMs;
      locks.ask.tell();
      await scene().settled();
      expect([countedFrom, attempt.snapshot().state]).toEqual([countedFrom, state]);
      attempt.abort();
      await scene().now(run);
    }
  });
});

describe('whose lock it is', () => {
  const spelled = () => scene().store({ acquire: (ask) => {
    Object.assign(ask.grant({ silent: true }), { session: resolve('session') });
    ask.tell();
  } });

  test('M08: the session of the work by another spelling is its own too; another session is not', async () => {
    const locks = spelled();
    const inner = (session: string) => scene().attempt({ session, locks, work: () => 1 }).start();
    const run = scene().attempt({ locks, work: async () => [await inner('./there/../session'), await inner('another')] }).start();
    const { value } = await scene().now(run);
    expect(value).toMatchObject([{ outcome: 'notStarted', error: { code: 'NESTED_ATTEMPT' } }, { outcome: 'completed' }]);
  });

  test('M08: an attempt begun in a window takes its lock back after it, though the outer one holds one again', async () => {
    const locks = scene().store();
    const innerMayGoOn = deferred();
    let inner: Promise<unknown> = Promise.resolve();
    const run = scene().attempt({ locks, work: async ({ yieldLock }: WorkContext) => {
      await yieldLock(() => {
        inner = scene().attempt({ locks, work: async (context: WorkContext) => context.yieldLock(() => innerMayGoOn.promise) }).start();
      });
      innerMayGoOn.resolve(null);
      return inner;
    } }).start();
    expect((await scene().now(run)).value).toMatchObject({ outcome: 'completed', lease: 'released' });
  });
});

describe('times of a wait', () => {
  test('L1: it ends with its answer, even where giving back takes longer', async () => {
    const locks = scene().store({
      acquire: (ask) => void scene().clock.setTimeout(() => ask.unknown(), 20),
      release: (ask) => void scene().clock.setTimeout(() => ask.honestly(), 50),
    });
    const run = scene().attempt({ locks, work: () => 1 }).start();
    await scene().clock.advance(100);
    expect(await scene().now(run)).toMatchObject({ lease: 'neverHeld', timings: { waitedMs: 20, heldMs: null } });
  });
});
