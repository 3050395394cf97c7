/**
 * M20: "finished" is announced and the lock is still there (openclaw #91802). Whoever has seen `done` gets the
 * lock.
 */
import { describe, expect, test } from 'vitest';
import { attempts, createAttempt, localFileLocks, memoryLocks, type LockStore } from '../../src/index.js';
import { never, until, untilAborted, useScene } from '../support/scene.js';
import { useSessionFiles } from '../support/session-files.js';
import { hasEnded, incident, isFree } from './runner-port.js';

for (const by of [null, 'user', 'timeout'] as const) {
  const title = `M20: observe done (${by ?? 'completed'}), then acquire at once`;
  incident(title, 'says done before it is', async (runner, scene) => {
    const locks = scene.store({ release: (ask) => { scene.clock.setTimeout(() => ask.honestly(), 30); } });
    const running = runner({ scene, locks, work: by ? untilAborted : () => 1 });
    await scene.settled();
    if (by) running.abort(by);
    await scene.clock.advance(29);
    expect(await hasEnded(scene, running), 'S19: not while the release is under way').toBeNull();
    await scene.clock.advance(1);
    expect(await hasEnded(scene, running)).not.toBeNull();
    expect(locks.held).toBe(0);
    locks.script.release = (ask) => ask.honestly();
    expect(await isFree(scene, locks)).toBe(true);
  });
}

const scene = useScene();
const files = useSessionFiles();
const stores: Record<string, () => LockStore> = {
  'in memory': () => memoryLocks({ clock: scene().clock }),
  'in files': () => localFileLocks({ clock: scene().clock }),
};

describe('M20: on real locks, in the very tick of done', () => {
  for (const [name, make] of Object.entries(stores)) {
    test(`M20: ${name}: the next attempt is granted at once, and no register names the last`, async () => {
      const locks = make();
      const session = files.session();
      const { clock } = scene();
      for (const end of ['completes', 'throws', 'user', 'timeout', 'unsettled'] as const) {
        const attempt = createAttempt({
          session, locks, clock, waitMs: 0, settleMs: 10,
          work: ({ signal }) => {
            if (end === 'completes') return 1;
            if (end === 'throws') throw new Error('own');
            return end === 'unsettled' ? never() : untilAborted({ signal });
          },
        });
        const then = attempt.start().then(async () => {
          expect(attempts.active(session)).toEqual([]);
          return createAttempt({ session, locks, clock, waitMs: 0, work: () => 'next' }).start();
        });
        await until(() => !['idle', 'acquiring.waiting', 'locked'].includes(attempt.snapshot().state));
        attempt.abort('x', { by: end === 'timeout' ? 'timeout' : 'user' });
        await clock.advance(10);
        expect(await scene().now(then), end).toMatchObject({
          outcome: 'completed', value: 'next', lease: 'released',
        });
      }
    });
  }
});
