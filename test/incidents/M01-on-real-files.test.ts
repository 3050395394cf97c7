/**
 * M01 on a real session file: the proof this project began with. For both kinds of abort a cleanup-style acquire
 * (no patience) is refused before the abort, with the holder named, and granted after it; when that is done no
 * lock file is left. Only the timeout of started work marks the run abandoned.
 */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { attempts, createAttempt, localFileLocks } from '../../src/index.js';
import { never, until, useScene } from '../support/scene.js';
import { useSessionFiles } from '../support/session-files.js';
import { handWritten } from './hand-written.js';
import { isFree } from './runner-port.js';

const scene = useScene();
const files = useSessionFiles();

describe('M01: on a real session file', () => {
  for (const by of ['user', 'timeout'] as const) {
    for (const settleMs of [0, undefined]) {
      test(`M01: ${by} abort of work that never settles, settleMs ${settleMs ?? 'by default'}`, async () => {
        const session = files.session();
        const { clock } = scene();
        const locks = localFileLocks({ clock });
        const run = createAttempt({
          attemptId: `run-${by}-${settleMs}`, session, locks, clock, work: never, labels: { job: '7' },
          ...(by === 'timeout' && { timeoutMs: 1_000 }), ...(settleMs !== undefined && { settleMs }),
        });
        const cleanupRun = () => scene().now(createAttempt({
          session, locks, clock, waitMs: 0, work: (context) => context.session.append({ by: 'the cleanup' }),
        }).start());
        const done = run.start();
        await until(() => run.snapshot().state === 'running.working');
        expect(existsSync(`${session}.lock`)).toBe(true);
        expect(await cleanupRun(), 'refused, with the holder named').toMatchObject({
          outcome: 'notStarted', lease: 'neverHeld',
          error: {
            code: 'LOCK_BUSY',
            holder: {
              attemptId: run.id, state: 'running.working', pid: process.pid, labels: { job: '7' }, sameProcess: true,
            },
          },
        });
        if (by === 'user') run.abort('stop');
        else await clock.advance(1_000);
        await clock.advance(settleMs ?? 2_000);
        expect(await done).toMatchObject({
          outcome: 'aborted', abortedBy: by, abandoned: by === 'timeout', settled: false, lease: 'released',
        });
        expect(attempts.abandoned(session).map(({ attemptId }) => attemptId)).toEqual(
          by === 'timeout' ? [run.id] : [],
        );
        expect(existsSync(`${session}.lock`)).toBe(false);
        expect(await cleanupRun(), 'granted').toMatchObject({ outcome: 'completed', lease: 'released' });
        expect(existsSync(`${session}.lock`), 'no lock file is left').toBe(false);
      });
    }
  }

  test('M01: must fail: a runner that releases only after a timeout keeps it after a user abort', async () => {
    const session = files.session();
    const locks = localFileLocks({ clock: scene().clock });
    for (const by of ['timeout', 'user'] as const) {
      let started = false;
      const running = handWritten('releases only after a timeout')({
        scene: scene(), locks, session, settleMs: 0,
        work: () => {
          started = true;
          return never();
        },
      });
      await until(() => started);
      running.abort(by);
      await running.done;
      expect(await isFree(scene(), locks, session)).toBe(by === 'timeout');
    }
    const [status] = await locks.query(session);
    await locks.forceRelease(session, { token: status?.holder?.token ?? 0 });
  });
});
