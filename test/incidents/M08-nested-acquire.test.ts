/**
 * M08: an attempt waits for the lock it holds itself, or any caller of the process shares it (openclaw #88919, #96000).
 * Another attempt of the same process waits its turn; one started from inside the holder's work is told so at once.
 */
import { expect, test } from 'vitest';
import { memoryLocks } from '../../src/index.js';
import { deferred, until, useScene } from '../support/scene.js';

const scene = useScene();

test('M08: another attempt of the same process does not share the lock, it waits its turn', async () => {
  const locks = memoryLocks({ clock: scene().clock });
  const first = deferred();
  const order: string[] = [];
  const one = scene().attempt({ locks, work: async () => { order.push('one'); await first.promise; order.push('one ends'); } });
  const two = scene().attempt({ locks, work: () => { order.push('two'); } });
  const runs = [one.start(), two.start()];
  await until(() => order.length > 0);
  expect(two.snapshot().state).toBe('acquiring.waiting');
  first.resolve(null);
  await scene().now(Promise.all(runs));
  expect(order).toEqual(['one', 'one ends', 'two']);
});

test('M08 L8: who asks from inside the holder\'s work is told so at once, without waiting', async () => {
  const locks = memoryLocks({ clock: scene().clock });
  const outer = scene().attempt({
    locks,
    work: async () => {
      await Promise.resolve(); // also behind an await
      const inner = await scene().attempt({ locks, waitMs: Infinity, work: () => 'never' }).start();
      return { outcome: inner.outcome, lease: inner.lease, error: inner.error };
    },
  });
  expect(await scene().now(outer.start())).toMatchObject({
    outcome: 'completed', lease: 'released',
    value: { outcome: 'notStarted', lease: 'neverHeld', error: { code: 'NESTED_ATTEMPT' } },
  });
});

test('M08: through another session in between, and from a timer; the message names the holder', async () => {
  const locks = memoryLocks({ clock: scene().clock });
  const outer = scene().attempt({
    locks,
    work: async () => {
      const between = scene().attempt({
        locks, session: 'another',
        work: () => new Promise((resolve, reject) => {
          setTimeout(() => void scene().attempt({ locks, work: () => 1 }).start().then(resolve, reject), 0);
        }),
      });
      return between.start();
    },
  });
  const run = outer.start();
  await until(() => outer.snapshot().state === 'released');
  const report = await run;
  const inner = (report.value as { value?: { error?: Error } } | undefined)?.value;
  expect(inner).toMatchObject({ outcome: 'notStarted', error: { code: 'NESTED_ATTEMPT' } });
  expect(inner?.error?.message).toContain(outer.id);
});

test('M08: in a yield window the lock is not held: an attempt inside it gets it', async () => {
  const locks = memoryLocks({ clock: scene().clock });
  const outer = scene().attempt({
    locks,
    work: async ({ yieldLock }) => {
      const { value } = await yieldLock(() => scene().attempt({ locks, work: () => 'inside' }).start());
      return value.outcome;
    },
  });
  expect(await scene().now(outer.start())).toMatchObject({ outcome: 'completed', value: 'completed' });
});

test('M08: after the work, and on another store, nobody is nested', async () => {
  const locks = memoryLocks({ clock: scene().clock });
  const outer = scene().attempt({
    locks,
    work: async () => {
      const other = memoryLocks({ clock: scene().clock });
      const elsewhere = await scene().attempt({ locks: other, work: () => 1 }).start();
      return { elsewhere: elsewhere.outcome, later: scene().attempt({ locks: other, work: () => 2 }).start() };
    },
  });
  const report = await scene().now(outer.start());
  expect(report).toMatchObject({ outcome: 'completed', value: { elsewhere: 'completed' } });
  const { later } = report.value as { later: Promise<unknown> };
  expect(await scene().now(later)).toMatchObject({ outcome: 'completed' });
});
