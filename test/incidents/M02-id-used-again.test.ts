/**
 * M02: an attempt that got no answer has its owner buried, so that no lock can arrive for it later. Whoever gives a later
 * attempt the same id must not be refused for that: it was told LOCK_BUSY of a lock that nobody held.
 */
import { expect, test } from 'vitest';
import { memoryLocks } from '../../src/index.js';
import { useScene } from '../support/scene.js';

const scene = useScene();

test('M02 S14: an id used again, after its first owner was buried, is granted', async () => {
  const { clock } = scene();
  const locks = memoryLocks({ clock });
  const acquire = locks.acquire.bind(locks);
  let failures = 1;
  locks.acquire = async (request) => {
    if (failures-- > 0) throw new Error('down for a moment');
    return acquire(request);
  };
  const run = () =>
    scene().attempt({ attemptId: 'job-7', locks, waitMs: 0, work: () => 'ran' }).start();
  expect(await scene().now(run())).toMatchObject({ outcome: 'notStarted', error: { code: 'LOCK_STORE_FAILED' } });
  expect(await scene().now(run())).toMatchObject({ outcome: 'completed', value: 'ran', lease: 'released' });
});
