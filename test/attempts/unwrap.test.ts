/**
 * `unwrap`: the value, or the very thing that ended the attempt.
 */
import { describe, expect, test } from 'vitest';
import { memoryLocks, unwrap, type AttemptReport } from '../../src/index.js';
import { never, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();
const thrownBy = (report: AttemptReport): unknown => {
  try {
    unwrap(report);
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

describe('unwrap', () => {
  test('S8: gives the value of a completed attempt, even undefined', async () => {
    expect(unwrap(await scene().attempt({ work: () => 5 }).start())).toBe(5);
    expect(unwrap(await scene().attempt({ work: () => undefined }).start())).toBeUndefined();
  });

  test("S8: throws the work's own error, untouched", async () => {
    const own = new TypeError('own');
    expect(thrownBy(await scene().attempt({ work: () => { throw own; } }).start())).toBe(own);
  });

  test("M18: throws the caller's own signal.reason, whatever it is, before and after the start", async () => {
    for (const reason of [new Error('mine'), 'text', 0, null]) {
      const before = await scene().attempt({ signal: AbortSignal.abort(reason), work: never }).start();
      expect(thrownBy(before)).toBe(reason);
      const controller = scene().controller();
      const run = scene().attempt({ signal: controller.signal, work: untilAborted }).start();
      await scene().settled();
      controller.abort(reason);
      expect(thrownBy(await run)).toBe(reason);
    }
  });

  test('M18: throws an AbortError when somebody else was first, even if the signal fires later', async () => {
    const controller = scene().controller();
    const attempt = scene().attempt({ signal: controller.signal, work: untilAborted });
    const run = attempt.start();
    await scene().settled();
    attempt.abort('mine', { by: 'shutdown' });
    controller.abort('late');
    const report = await run;
    expect(thrownBy(report)).toBe(report.error);
    expect(report).toMatchObject({ abortedBy: 'shutdown', lateAborts: ['user'], error: { name: 'AbortError' } });
  });

  test('M22: throws LOCK_BUSY with the holder and retryAfterMs', async () => {
    const locks = memoryLocks({ clock: scene().clock });
    const first = scene().attempt({ locks, attemptId: 'first', labels: { job: '7' }, work: untilAborted });
    const run = first.start();
    await scene().settled();
    const second = scene().attempt({ locks, waitMs: 0, work: never }).start();
    await scene().clock.advance(0);
    expect(thrownBy(await second)).toMatchObject({
      code: 'LOCK_BUSY', retryAfterMs: null,
      holder: { attemptId: 'first', state: 'running.working', labels: { job: '7' }, sameProcess: true, pid: process.pid },
    });
    first.abort();
    await run;
  });
});
