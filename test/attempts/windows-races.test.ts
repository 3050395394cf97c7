/**
 * Yield windows in the ticks where two things meet: an abort between two steps of a window, or while the session is
 * being opened again. Each is a fault that was found and is fixed.
 */
import { expect, test } from 'vitest';
import type { OpenedSession, SessionRecords } from '../../src/session/session-records.js';
import { toTheEnd } from '../support/endings.js';
import type { ReleaseAsk } from '../support/scripted-store.js';
import { deferred, until, untilAborted, useScene } from '../support/scene.js';

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
  expect(await toTheEnd(scene(), attempt.start())).toMatchObject({ abortedBy: by, settled: true, lease: 'released' });
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

test('S7: the release of the first grant, performed when the second is held, leaves that alone', async () => {
  let late: ReleaseAsk | null = null;
  const store = scene().store({ release: (ask) => (late === null ? void (late = ask) : ask.answer('unknown')) });
  const attempt = scene().attempt({
    locks: store,
    work: async (context) => {
      await context.yieldLock(() => {});
      await untilAborted(context);
    },
  });
  const run = attempt.start();
  await until(() => attempt.snapshot().state === 'running.yielding.asking');
  await scene().clock.advance(store.capabilities.leaseMs); // nobody answers: that lease has ended by itself
  await until(() => attempt.snapshot().state === 'running.working' && attempt.snapshot().token === 2);
  const second = store.lease;
  late!.honestly();
  await scene().settled();
  expect(store.held, 'the second grant is held').toBe(1);
  expect(second.owner).not.toBe(late!.owner);
  expect(attempt.snapshot()).toMatchObject({ state: 'running.working', abortedBy: null });
  store.free(second.owner);
  attempt.abort();
  expect(await toTheEnd(scene(), run)).toMatchObject({ abortedBy: 'user', token: 2 });
});

test('M19 S12: what the lease before a window still tells is no news about the one after it', async () => {
  const store = scene().store();
  const attempt = scene().attempt({
    locks: store,
    work: async (context) => {
      await context.yieldLock(() => {});
      await untilAborted(context);
    },
  });
  const run = attempt.start();
  await until(() => attempt.snapshot().token === 2 && attempt.snapshot().state === 'running.working');
  store.asks[0]?.lease?.notify({ type: 'lost', reason: 'long ago' });
  store.asks[0]?.lease?.notify({ type: 'superseded', by: 'long ago' });
  expect(attempt.snapshot()).toMatchObject({ state: 'running.working', abortedBy: null });
  attempt.abort();
  expect(await toTheEnd(scene(), run)).toMatchObject({ abortedBy: 'user', lease: 'released' });
});
