/**
 * M01: only one kind of abort gave the lock back (openclaw #88600, #86816). Each kind releases once, only a
 * timeout marks the run abandoned, and the next start is granted at once.
 */
import { expect } from 'vitest';
import { never, untilAborted } from '../support/scene.js';
import { hasEnded, incident, isFree } from './runner-port.js';

const kinds = ['user', 'timeout', 'shutdown', 'superseded'] as const;
const works = { 'settles on the abort': untilAborted, 'never settles': never };

for (const [how, work] of Object.entries(works)) {
  incident(
    `M01: START GRANTED RUN ABORT(any kind), work ${how}`,
    ['releases only after a timeout', 'releases only after a user abort', 'marks every abort abandoned'],
    async (runner, scene) => {
      for (const by of kinds) {
        const locks = scene.store();
        const running = runner({ scene, locks, work, settleMs: 100 });
        await scene.settled();
        expect(locks.held).toBe(1);
        running.abort(by);
        await scene.clock.advance(100);
        expect(await hasEnded(scene, running)).toMatchObject({ abortedBy: by, abandoned: by === 'timeout' });
        expect(locks.releases, 'one release').toHaveLength(1);
        expect(locks.held, 'S6').toBe(0);
        expect(await isFree(scene, locks), 'the next START is granted at once').toBe(true);
      }
    },
  );
}
