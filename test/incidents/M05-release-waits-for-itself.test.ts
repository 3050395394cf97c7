/**
 * M05: the release is called from inside a write, waits for it, or returns silently because it would (openclaw
 * #96100). It is remembered and done after the write; bounded if the write never ends.
 */
import { expect, test } from 'vitest';
import { deferred, never, untilAborted, useScene } from '../support/scene.js';
import { hasEnded, incident, type Running } from './runner-port.js';

incident(
  'M05: WRITE_BEGIN ABORT WRITE_END, the abort from inside the write',
  ['skips the release inside a write', 'releases inside a write'],
  async (runner, scene) => {
    const locks = scene.store();
    const writing = deferred();
    const running: Running = runner({
      scene, locks, settleMs: 200,
      work: async ({ guard, signal }) => {
        void guard(async () => {
          running.abort('user'); // in one asynchronous context with the write
          await writing.promise;
        });
        await untilAborted({ signal }).catch(() => undefined);
      },
    });
    await scene.settled();
    await scene.clock.advance(100);
    expect(locks.releases, 'not inside the write').toHaveLength(0);
    writing.resolve(null);
    await scene.settled();
    expect(locks.releases, 'remembered').toHaveLength(1);
    expect(locks.held, 'S6').toBe(0);
    expect(await hasEnded(scene, running)).toMatchObject({ outcome: 'aborted', abortedBy: 'user' });
  },
);

incident('M05: WRITE_BEGIN ABORT, no WRITE_END', 'skips the release inside a write', async (runner, scene) => {
  const locks = scene.store();
  const running = runner({
    scene, locks, settleMs: 200,
    work: async ({ guard, signal }) => {
      void guard(never);
      await untilAborted({ signal }).catch(() => undefined);
    },
  });
  await scene.settled();
  running.abort('timeout');
  await scene.clock.advance(200);
  expect(await hasEnded(scene, running), 'L8: bounded').toMatchObject({ abortedBy: 'timeout' });
  expect(locks.held, 'S6').toBe(0);
});

const scene = useScene();

test('M05: work that awaits its own end, its own done or its own disposal does not hang its attempt', async () => {
  for (const wait of ['done', 'dispose', 'abortAll'] as const) {
    const { attempts } = await import('../../src/index.js');
    const attempt = scene().attempt({
      settleMs: 100,
      work: async () => {
        if (wait === 'done') {
          attempt.abort();
          await attempt.done; // L8: only its own unwinding could produce it
        } else if (wait === 'dispose') await attempt[Symbol.asyncDispose]();
        else await attempts.abortAll('shutdown', { withinMs: 1_000 });
      },
    });
    const run = attempt.start();
    await scene().clock.advance(100);
    expect(await run, wait).toMatchObject({ outcome: 'aborted', settled: false, lease: 'released' });
  }
});

test('M05: completed work, a write still going: the release waits, at most settleMs, and says so', async () => {
  const writing = deferred();
  const store = scene().store();
  const make = (write: () => Promise<unknown>) => scene().attempt({
    locks: store, settleMs: 200, work: ({ guard }) => {
      void guard(write);
      return 'v';
    },
  }).start();
  const run = make(() => writing.promise);
  await scene().clock.advance(199);
  expect(store.releases).toHaveLength(0);
  writing.resolve(null);
  expect(await run).toMatchObject({ outcome: 'completed', value: 'v', lease: 'released' });
  expect(await scene().warned()).toEqual([]);
  const endless = make(never);
  await scene().clock.advance(200);
  expect(await endless).toMatchObject({ outcome: 'completed', value: 'v', lease: 'released' });
  expect(await scene().warned()).toEqual(['ATTEMPT_WRITES_UNSETTLED']);
});
