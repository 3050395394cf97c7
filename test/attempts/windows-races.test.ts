/**
 * Yield windows in the ticks where two things meet: an abort between two steps of a window, or while the session is
 * being opened again. Each is a fault that was found and is fixed.
 */
import { expect, test } from 'vitest';
import type { OpenedSession, SessionRecords } from '../../src/session/session-records.js';
import { deferred, until, useScene } from '../support/scene.js';

const scene = useScene();

test.each(['user', 'timeout'] as const)('M04 L8: an abort (%s) in the tick of yieldLock() is told to who waits for the window', async (by) => {
  let opened = false;
  let error: unknown = null;
  const attempt = scene().attempt({
    settleMs: 1_000,
    work: async ({ yieldLock }) => {
      const window = yieldLock(() => { opened = true; });
      attempt.abort('stop', { by });
      await window.catch((thrown: unknown) => { error = thrown; });
    },
  });
  expect(await scene().now(attempt.start())).toMatchObject({ abortedBy: by, settled: true, lease: 'released' });
  expect(error).toMatchObject({ abortedBy: by });
  expect(opened, 'nothing new is begun').toBe(false);
});

test.each(['at once', 'in the window'])('L8: work that returns %s leaves nobody waiting for its window', async (when) => {
  const inside = deferred();
  let window: Promise<unknown> = Promise.resolve();
  const attempt = scene().attempt({
    work: async ({ yieldLock }) => {
      window = yieldLock(() => inside.promise).catch((error: unknown) => error);
      if (when === 'in the window') await until(() => attempt.snapshot().state === 'running.yielded');
      return 'early';
    },
  });
  expect(await scene().now(attempt.start())).toMatchObject({ outcome: 'completed', lease: 'released' });
  inside.resolve(null);
  expect(await scene().now(window), 'told, one way or the other').toBeInstanceOf(Error);
});

test('R2: an abort while the session is opened again: no cleanup is called that could not write', async () => {
  const open = new Set<object>();
  let [isSlow, cleanups] = [false, 0];
  const records: SessionRecords = {
    open: ({ signal }) => {
      const opened: OpenedSession = {
        fencing: 'stamped', close: () => { open.delete(opened); },
        append: () => {}, appendSync: () => {},
      };
      open.add(opened);
      return isSlow ? new Promise((resolve) => { signal.addEventListener('abort', () => resolve(opened)); }) : opened;
    },
  };
  const attempt = scene().attempt({
    records,
    work: ({ yieldLock }) => yieldLock(() => { isSlow = true; }),
    cleanup: () => { cleanups += 1; },
  });
  const run = attempt.start();
  await until(() => attempt.snapshot().state === 'running.reacquiring.opening');
  attempt.abort();
  expect(await scene().now(run)).toMatchObject({ abortedBy: 'user', lease: 'released', token: 2 });
  expect(cleanups).toBe(0);
  expect(open.size, 'and what was opened late is closed').toBe(0);
});
