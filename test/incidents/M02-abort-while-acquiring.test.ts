/**
 * M02: the lock arrives for someone who left (openclaw #117446). The work never runs, what arrives is given back
 * once, and the original cause stays.
 */
import { expect, test } from 'vitest';
import { untilAborted, useScene } from '../support/scene.js';
import { hasEnded, incident } from './runner-port.js';

for (const by of ['user', 'timeout'] as const) {
  incident(
    `M02: START ABORT(${by}) GRANTED`,
    ['forgets a lock that arrives late', 'runs work that was aborted while acquiring'],
    async (runner, scene) => {
      let ran = 0;
      const work = (tools: { signal: AbortSignal }): Promise<never> => {
        ran += 1;
        return untilAborted(tools);
      };
      const locks = scene.store({ acquire: () => {} });
      const running = runner({ scene, locks, work });
      await scene.settled();
      running.abort(by);
      await scene.settled();
      locks.ask.grant();
      await scene.clock.advance(0);
      expect(await hasEnded(scene, running)).toMatchObject({
        outcome: 'aborted', abortedBy: by, abandoned: false,
      });
      expect(ran, 'S11: the work never starts').toBe(0);
      expect(locks.held, 'S6').toBe(0);
      expect(locks.releases, 'one release').toHaveLength(1);
    },
  );

  incident(`M02: START ABORT(${by}) DENIED`, [], async (runner, scene) => {
    const locks = scene.store({ acquire: () => {} });
    const running = runner({ scene, locks, work: untilAborted });
    await scene.settled();
    running.abort(by);
    locks.ask.busy();
    expect(await hasEnded(scene, running)).toMatchObject({ outcome: 'aborted', abortedBy: by });
    expect(locks.releases, 'S7: nothing is released that was never held').toHaveLength(0);
  });
}

const scene = useScene();

test('M02: GRANTED and ABORT in one tick, in either order: aborted, released once', async () => {
  for (const order of ['abort first', 'grant first']) {
    const locks = scene().store({ acquire: () => {} });
    const attempt = scene().attempt({ locks, work: untilAborted });
    const run = attempt.start();
    await scene().settled();
    if (order === 'grant first') locks.ask.grant();
    attempt.abort('now');
    if (order === 'abort first') locks.ask.grant();
    expect(await run).toMatchObject({ outcome: 'aborted', abortedBy: 'user', reason: 'now', lease: 'released' });
    expect(locks.releases).toHaveLength(1);
  }
});

test('M02: the lock arrives after the attempt has ended: given back at once, and counted', async () => {
  const { attempts } = await import('../../src/index.js');
  const before = attempts.lateGrants;
  let tombstones = 0;
  const locks = scene().store({
    acquire: () => {},
    release: (ask) => {
      if (!ask.byOwner) return ask.honestly();
      tombstones += 1;
      ask.answer('notHeld'); // a store without tombstones: it grants all the same
    },
  });
  const attempt = scene().attempt({ locks, work: untilAborted, answerMs: 100 });
  const run = attempt.start();
  attempt.abort('stop');
  await scene().clock.advance(200);
  expect(await run).toMatchObject({ outcome: 'aborted', lease: 'neverHeld', abortedBy: 'user' });
  expect(tombstones).toBe(1);
  locks.ask.grant();
  await scene().settled();
  expect(locks.held).toBe(0);
  expect(attempts.lateGrants - before).toBe(1);
  expect(await scene().warned()).toEqual(['ATTEMPT_LATE_GRANT']);
});

test('M02: a late grant whose release fails at first is asked back again, and not for ever', async () => {
  let asked = 0;
  const locks = scene().store({
    acquire: () => {},
    release: (ask) => {
      if (ask.byOwner) return ask.answer('notHeld');
      asked += 1;
      if (asked < 3) ask.reject();
      else ask.honestly();
    },
  });
  const attempt = scene().attempt({ locks, work: untilAborted, answerMs: 100 });
  const run = attempt.start();
  attempt.abort('stop');
  await scene().clock.advance(200);
  await run;
  locks.ask.grant();
  await scene().clock.advance(150);
  expect([asked, locks.held]).toEqual([3, 0]);
});

test('M02: GRANTED ABORT before RUN, at every point of the opening', async () => {
  for (const when of ['before it opens', 'in the tick it opens', 'while it opens']) {
    const locks = scene().store();
    const { records } = scene();
    let ran = false;
    const attempt = scene().attempt({
      locks, work: () => { ran = true; },
      records: {
        open: (request) => {
          if (when === 'while it opens') attempt.abort(when);
          return Promise.resolve().then(() => {
            if (when === 'in the tick it opens') attempt.abort(when);
            return records.open(request);
          });
        },
      },
    });
    const run = attempt.start();
    if (when === 'before it opens') {
      await Promise.resolve();
      attempt.abort(when);
    }
    expect(await run).toMatchObject({ outcome: 'aborted', reason: when, settled: null, lease: 'released' });
    expect(ran, when).toBe(false);
  }
});

test('M02: a signal fired beforehand asks for nothing', async () => {
  const locks = scene().store();
  const report = await scene().attempt({ locks, signal: AbortSignal.abort('gone'), work: untilAborted }).start();
  expect(report).toMatchObject({ outcome: 'aborted', abortedBy: 'user', reason: 'gone', lease: 'neverHeld' });
  expect([locks.asks, locks.releases]).toEqual([[], []]);
});
