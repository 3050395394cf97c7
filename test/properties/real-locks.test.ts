/**
 * The same on real locks, in memory and in files: after any end of any attempts the next one is granted at once,
 * tokens rise, and no lock file is left.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createAttempt, localFileLocks, memoryLocks, type AttemptReport, type LockStore,
} from '../../src/index.js';
import { holds, numberFrom, testSeed } from '../support/holds.js';
import { never, Scene, until, untilAborted } from '../support/scene.js';
import { leftIn, useSessionFiles } from '../support/session-files.js';

const seed = numberFrom('ATTEMPT_SEED', testSeed);
const replay = (from: number, runs: number): string =>
  `ATTEMPT_SEED=${from} ATTEMPT_RUNS=${runs} npx vitest run --dir test properties/real-locks`;
console.info(`properties on real locks: ATTEMPT_SEED=${seed}`);

const ends = [
  'returns', 'throws', 'stopped', 'timed out', 'stopped while waiting', 'never settles', 'not opened', 'unlocked',
] as const;
const lives = fc.array(fc.record({
  end: fc.constantFrom(...ends), cleanup: fc.boolean(), settleMs: fc.constantFrom(0, 20), writes: fc.boolean(),
}), { minLength: 1, maxLength: 5 });
type Life = typeof lives extends fc.Arbitrary<(infer L)[]> ? L : never;

const files = useSessionFiles();
const stores: Record<string, (scene: Scene) => LockStore> = {
  'in memory': ({ clock }) => memoryLocks({ clock }),
  'in files': ({ clock }) => localFileLocks({ clock }),
};

/** One attempt, ended as its life says; somebody else waits behind it where that is what it is about. */
async function live(scene: Scene, locks: LockStore, session: string, life: Life): Promise<AttemptReport> {
  const { clock } = scene;
  const blocks = life.end === 'stopped while waiting';
  const holder = blocks ? createAttempt({ session, locks, clock, work: untilAborted }) : null;
  const holding = holder?.start();
  if (holder) await until(() => holder.snapshot().state === 'running.working');
  const attempt = createAttempt<unknown>({
    session, locks, clock, settleMs: life.settleMs, timeoutMs: 50,
    ...(life.cleanup && { cleanup: ({ session: writer }) => writer.append({ last: true }) }),
    ...(life.end === 'not opened' && { records: { open: () => { throw new Error('EIO'); } } }),
    work: async ({ signal, session: writer }) => {
      if (life.writes) await writer.append({ a: 1 });
      if (life.end === 'throws') throw new Error('own');
      if (life.end === 'never settles') return never();
      return life.end === 'returns' ? 'v' : untilAborted({ signal });
    },
  });
  const run = attempt.start();
  const reached = [blocks ? 'acquiring.waiting' : 'running.working', 'released'];
  await until(() => reached.includes(attempt.snapshot().state));
  await scene.settled();
  const { token } = attempt.snapshot();
  if (life.end === 'timed out') await clock.advance(50);
  else if (life.end === 'unlocked' && token !== null) await locks.forceRelease(session, { token });
  else attempt.abort('x');
  await clock.advance(life.settleMs);
  const report = await scene.now(run);
  holder?.abort();
  if (holding) await scene.now(holding);
  return report;
}

for (const [name, make] of Object.entries(stores)) {
  describe(`S6: ${name}`, () => {
    test(`S6 S3 M20: ${name}: after any ends the next attempt is granted, with a higher token`, async () => {
      await holds(fc.asyncProperty(lives, async (all) => {
        const scene = new Scene();
        const locks = make(scene);
        const session = files.session();
        let highest = 0;
        for (const life of all) {
          const report = await live(scene, locks, session, life);
          expect(report.lease, life.end).not.toBe('unconfirmed');
          const next = await scene.now(
            createAttempt({ session, locks, clock: scene.clock, waitMs: 0, work: () => 'next' }).start(),
          );
          expect(next, life.end).toMatchObject({ outcome: 'completed', lease: 'released' });
          for (const { token } of [report, next]) {
            if (token === null) continue;
            expect(token, 'S3').toBeGreaterThan(highest);
            highest = token;
          }
          expect(leftIn(files.directory())).toEqual([]);
        }
        await scene.clock.advance(0);
        expect(scene.clock.armed, 'L5').toBe(0);
      }), { seed, runs: numberFrom('ATTEMPT_RUNS', 25), replay });
    }, 120_000);

    test(`S6: ${name}: finds a store that forgets to give back`, async () => {
      const scene = new Scene();
      const locks = make(scene);
      const session = files.session();
      const acquire = locks.acquire.bind(locks);
      const real: (() => Promise<unknown>)[] = [];
      locks.acquire = async (request) => {
        const result = await acquire(request);
        if (result.status !== 'granted') return result;
        const { lease } = result;
        real.push(() => Object.getPrototypeOf(lease).release.call(lease) as Promise<unknown>);
        return { status: 'granted', lease: Object.assign(lease, { release: async () => 'released' as const }) };
      };
      expect(await live(scene, locks, session, { end: 'stopped', cleanup: false, settleMs: 0, writes: false }))
        .toMatchObject({ lease: 'released' });
      const next = await scene.now(
        createAttempt({ session, locks, clock: scene.clock, waitMs: 0, work: () => 1 }).start(),
      );
      expect(next).toMatchObject({ outcome: 'notStarted', error: { code: 'LOCK_BUSY' } });
      for (const release of real) await release();
    });
  });
}
