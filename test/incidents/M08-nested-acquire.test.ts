/**
 * M08: an attempt waits for the lock it holds itself, or any caller of the process shares it (openclaw #88919, #96000).
 * Here another attempt of the same process waits its turn and is told that the holder is this very process. That an
 * attempt started from inside another one's work fails at once (NESTED_ATTEMPT) is to come: see `every-row.test.ts`.
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

test('M08: who asks from inside the holder\'s work is refused in bounded time, and told that it is this process', async () => {
  const locks = memoryLocks({ clock: scene().clock });
  const outer = scene().attempt({
    locks,
    work: async () => {
      const inner = await scene().attempt({ locks, waitMs: 0, work: () => 'never' }).start();
      return inner.outcome === 'notStarted' ? inner.error.holder : inner.outcome;
    },
  });
  expect(await scene().now(outer.start())).toMatchObject({
    outcome: 'completed', value: { attemptId: outer.id, sameProcess: true, state: 'running' }, lease: 'released',
  });
});
