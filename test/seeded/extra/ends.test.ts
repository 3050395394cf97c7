/**
 * What no other test noticed about the end of an attempt: in which order it is performed, what it waits for, and
 * what is left on a signal that never fires. The bugs are in `../bugs/driver.ts` and `../bugs/front.ts`.
 */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { attempts } from '../../../src/index.js';
import { never, untilAborted, useScene } from '../../support/scene.js';

const scene = useScene();

test('S5 S12: the writer closes first, then the timeout and the work are told, then the lock is given back', async () => {
  const seen: string[] = [];
  const store = scene().store({
    release: (ask) => {
      seen.push('release');
      ask.honestly();
    },
  });
  const refused = (write: () => void): boolean => {
    try {
      write();
      return false;
    } catch {
      return true;
    }
  };
  let write = (): void => {};
  const run = scene().attempt({
    locks: store, settleMs: 0, timeoutMs: 100,
    onTimeout: () => { seen.push(`onTimeout, closed: ${refused(write)}`); },
    work: ({ signal, session }) => {
      write = () => session.appendSync({ late: true });
      signal.addEventListener('abort', () => { seen.push(`told, closed: ${refused(write)}`); });
      return never();
    },
  }).start();
  await scene().clock.advance(100);
  expect(await run).toMatchObject({ abortedBy: 'timeout', lease: 'released' });
  expect(seen).toEqual(['onTimeout, closed: true', 'told, closed: true', 'release']);
});

test('S19 M20: `await using` waits for the release, however long that takes', async () => {
  const store = scene().store({ release: () => {} });
  const attempt = scene().attempt({ locks: store, work: untilAborted });
  const run = attempt.start();
  await scene().settled();
  let disposed = false;
  const disposing = attempt[Symbol.asyncDispose]().then(() => { disposed = true; });
  await scene().settled();
  expect(disposed).toBe(false);
  store.release.honestly();
  await disposing;
  expect(store.held).toBe(0);
  await run;
});

test('L5: a signal that never fires keeps nothing of an attempt that has ended, the last of two included', async () => {
  const { signal } = scene().controller();
  const other = scene().attempt({ signal, work: untilAborted });
  const run = other.start();
  const first = await scene().now(scene().attempt({ signal, work: () => 1 }).start());
  expect(first).toMatchObject({ outcome: 'completed' });
  expect(getEventListeners(signal, 'abort'), 'the other one still listens').toHaveLength(1);
  other.abort('done');
  await run;
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('L5 L6: abortAll leaves no timer when all have ended in time', async () => {
  const run = scene().attempt({ work: untilAborted }).start();
  await scene().settled();
  expect(await attempts.abortAll('shutdown', { withinMs: 60_000 })).toMatchObject([{ result: 'ended' }]);
  await run;
  expect(scene().clock.armed).toBe(0);
});

test('M07: records that cannot be opened end the attempt at once, not after `openMs`', async () => {
  const broken = new Error('no such table');
  for (const open of [() => { throw broken; }, () => Promise.reject(broken)]) {
    const attempt = scene().attempt({ records: { open }, work: never });
    const run = attempt.start();
    await scene().settled();
    expect(attempt.snapshot().state).toBe('released');
    expect(await run).toMatchObject({ outcome: 'notStarted', lease: 'released', error: { cause: broken } });
  }
});
