/**
 * M04: a torn-down attempt takes the lock back (openclaw #113019). After teardown began nothing is acquired,
 * whatever the zombie does.
 */
import { expect } from 'vitest';
import { deferred } from '../support/scene.js';
import { hasEnded, incident, isFree, type WorkTools } from './runner-port.js';

for (const by of ['user', 'timeout'] as const) {
  incident(
    `M04: RUN YIELD ABORT(${by}) TICK(settle) RELEASE LATE REACQUIRE`, 'takes the lock back for a late write',
    async (runner, scene) => {
      const locks = scene.store();
      const yielding = deferred();
      let zombie: WorkTools | undefined;
      const running = runner({
        scene, locks, settleMs: 100,
        work: async (tools) => {
          zombie = tools;
          await tools.write('one');
          await yielding.promise;
          await tools.write('two');
        },
      });
      await scene.settled();
      running.abort(by);
      await scene.clock.advance(100);
      await hasEnded(scene, running);
      yielding.resolve(null); // the work goes on, and writes
      await scene.settled();
      await zombie?.write('three').catch(() => undefined);
      await scene.clock.advance(60_000);
      expect(locks.asks, 'S11: asked once, and never again').toHaveLength(1);
      expect(locks.held, 'S6').toBe(0);
      expect(await isFree(scene, locks)).toBe(true);
    },
  );
}
