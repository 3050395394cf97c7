/**
 * M06: the release throws, hangs or is swallowed, and the handle is already forgotten (openclaw #89649,
 * #128032). It is asked again; then the lease's end is the evidence; the cause does not change; a lost lease is
 * not released in a loop.
 */
import { expect, test } from 'vitest';
import { toTheEnd } from '../support/endings.js';
import { untilAborted, useScene } from '../support/scene.js';
import { hasEnded, incident, isFree } from './runner-port.js';

for (const how of ['throws', 'rejects', 'is unknown', 'never answers'] as const) {
  incident(`M06: RELEASE ${how} once`, 'tries the release once', async (runner, scene) => {
    let asked = 0;
    const locks = scene.store({
      release: (ask) => {
        asked += 1;
        if (asked > 1) return ask.honestly();
        if (how === 'throws') throw new Error('at once');
        if (how === 'rejects') ask.reject();
        else if (how === 'is unknown') ask.answer('unknown');
      },
    });
    const running = runner({ scene, locks, work: untilAborted });
    await scene.settled();
    running.abort('user');
    await scene.clock.advance(2_600);
    expect(await hasEnded(scene, running), 'the cause is unchanged').toMatchObject({ abortedBy: 'user' });
    expect(await isFree(scene, locks)).toBe(true);
    expect(locks.held, 'S6').toBe(0);
  });

  const hasty = ['tries the release once', 'says done before it is'] as const;
  incident(`M06: RELEASE ${how} always`, hasty, async (runner, scene) => {
    const locks = scene.store({
      release: (ask) => {
        if (how === 'throws') throw new Error('at once');
        if (how === 'rejects') ask.reject();
        else if (how === 'is unknown') ask.answer('unknown');
      },
    });
    const running = runner({ scene, locks, work: untilAborted });
    await scene.settled();
    running.abort('user');
    await scene.clock.advance(9_999);
    expect(locks.held).toBe(1);
    expect(await hasEnded(scene, running), 'S19: not before the lease has ended').toBeNull();
    expect(locks.releases.length, 'S14: asked again').toBeGreaterThan(2);
    await scene.clock.advance(1);
    expect(await hasEnded(scene, running)).toMatchObject({ outcome: 'aborted', abortedBy: 'user' });
    expect(locks.held, 'the end of the lease is the evidence').toBe(0);
  });
}

const scene = useScene();

test('M06: LOST RELEASE: a lost lock is released by nobody, not even once', async () => {
  const store = scene().store();
  const attempt = scene().attempt({ locks: store, work: untilAborted });
  const run = attempt.start();
  await scene().settled();
  store.lease.notify({ type: 'lost', reason: 'taken' });
  await scene().clock.advance(60_000);
  expect(await run).toMatchObject({ lease: 'lost' });
  expect(store.releases).toHaveLength(0);
});

test('M06: the release is not cancelled by the abort that asked for it, nor by later ones', async () => {
  const store = scene().store({ release: () => {} });
  const controller = scene().controller();
  const attempt = scene().attempt({ locks: store, signal: controller.signal, work: untilAborted });
  const run = attempt.start();
  await scene().settled();
  controller.abort();
  await scene().settled();
  attempt.abort('again', { by: 'shutdown' });
  store.release.honestly();
  expect(await run).toMatchObject({ abortedBy: 'user', lateAborts: ['shutdown'], lease: 'released' });
  expect(store.releases).toHaveLength(1);
});

test('S14: an answer that comes after a second ask still counts; a second answer changes nothing', async () => {
  const store = scene().store({ release: () => {} });
  const attempt = scene().attempt({ locks: store, work: () => 1 });
  const run = attempt.start();
  await scene().clock.advance(2_600);
  expect(store.releases).toHaveLength(2);
  store.releases[0]?.honestly();
  store.releases[1]?.honestly();
  expect(await toTheEnd(scene(), run)).toMatchObject({
    lease: 'released', releaseError: { code: 'LOCK_STORE_FAILED' },
  });
});
