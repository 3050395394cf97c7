/**
 * M03: the time to settle ends and nobody releases (openclaw #12085, #95833). The attempt leaves at the bound by
 * policy, never silently; a late settle changes nothing.
 */
import { describe, expect, test } from 'vitest';
import { attempts } from '../../src/index.js';
import { toTheEnd } from '../support/endings.js';
import { deferred, never, useScene } from '../support/scene.js';
import { hasEnded, incident, isFree } from './runner-port.js';

for (const by of ['user', 'timeout'] as const) {
  incident(`M03: RUN ABORT(${by}) TICK(settle)`, 'waits for the work for ever', async (runner, scene) => {
    const locks = scene.store();
    const working = deferred();
    const running = runner({ scene, locks, work: () => working.promise, settleMs: 300 });
    await scene.settled();
    running.abort(by);
    await scene.clock.advance(299);
    expect(locks.held, 'not before the bound').toBe(1);
    await scene.clock.advance(1);
    const ending = await hasEnded(scene, running);
    expect(ending).toMatchObject({ outcome: 'aborted', abortedBy: by });
    expect(await isFree(scene, locks)).toBe(true);
    working.reject(new Error('late'));
    await scene.settled();
    expect(await running.done, 'S8: a late settle changes nothing').toBe(ending);
    expect(locks.releases).toHaveLength(2); // ours and the outsider's
  });
}

const scene = useScene();

describe('M03: the policies', () => {
  test('M03: settleMs 0 does not wait for the work, and the cleanup is told so', async () => {
    let settled: boolean | null = null;
    const attempt = scene().attempt({
      work: never, settleMs: 0, cleanup: (context) => { settled = context.settled; },
    });
    const run = attempt.start();
    await scene().settled();
    attempt.abort();
    expect(await run).toMatchObject({ settled: false, lease: 'released', timings: { abortToReleaseMs: 0 } });
    expect(settled).toBe(false);
  });

  test('M03: hold keeps the lock, visible as unsettled, until the work ends', async () => {
    const working = deferred();
    const store = scene().store();
    const attempt = scene().attempt({
      locks: store, work: () => working.promise, settleMs: 50, onUnsettled: 'hold',
    });
    const run = attempt.start();
    await scene().settled();
    attempt.abort('stop');
    await scene().clock.advance(60 * 60_000);
    expect(store.held).toBe(1);
    expect(attempts.active('session')).toMatchObject([
      { state: 'aborting.user', unsettled: true, workSettled: false },
    ]);
    working.resolve('at last');
    expect(await run).toMatchObject({ settled: true, value: 'at last', lease: 'released' });
  });

  test('M03: hold ends with the lease: there is nothing left to hold', async () => {
    const store = scene().store();
    const attempt = scene().attempt({ locks: store, work: never, settleMs: 50, onUnsettled: 'hold' });
    const run = attempt.start();
    await scene().settled();
    attempt.abort('stop');
    await scene().clock.advance(100);
    store.lease.notify({ type: 'lost', reason: 'taken over' });
    expect(await run).toMatchObject({
      abortedBy: 'user', settled: false, lease: 'lost', lateAborts: ['leaseLost'],
    });
  });

  test('M03: onUnsettled does not matter to work that settles in time', async () => {
    const store = scene().store();
    const attempt = scene().attempt({
      locks: store, onUnsettled: 'hold', work: ({ signal }) => new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve('in time'));
      }),
    });
    const run = attempt.start();
    await scene().settled();
    attempt.abort();
    expect(await toTheEnd(scene(), run)).toMatchObject({ settled: true, value: 'in time', lease: 'released' });
  });
});
