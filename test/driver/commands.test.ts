/**
 * A part of ours that throws where it must not: the attempt ends all the same, and the lock is given back. No part is
 * known to; each is made to here.
 */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LockSide } from '../../src/driver/lock-side.js';
import { WorkSide } from '../../src/driver/work-side.js';
import { never, untilAborted, useScene } from '../support/scene.js';

const scene = useScene();
const broken = new Error('a mistake of ours');
const breaks = (): never => { throw broken; };
afterEach(() => void vi.restoreAllMocks());

describe('S6: whatever command cannot be performed, the lock is given back', () => {
  test('the request: it counts as one whose answer is not known', async () => {
    vi.spyOn(LockSide.prototype, 'request').mockImplementationOnce(breaks);
    const report = await scene().now(scene().attempt({ work: () => 1 }).start());
    expect(report).toMatchObject({ outcome: 'notStarted', lease: 'neverHeld', error: { code: 'LOCK_STORE_FAILED', cause: broken } });
  });

  test('opening the session: it counts as not opened', async () => {
    vi.spyOn(WorkSide.prototype, 'open').mockImplementationOnce(breaks);
    const report = await scene().now(scene().attempt({ openMs: 1_000, work: () => 1 }).start());
    expect(report).toMatchObject({ outcome: 'notStarted', lease: 'released', error: { code: 'SESSION_OPEN_FAILED', cause: broken } });
  });

  test('starting the work: it counts as work that threw', async () => {
    vi.spyOn(WorkSide.prototype, 'start').mockImplementationOnce(breaks);
    const report = await scene().now(scene().attempt({ work: () => 1 }).start());
    expect(report).toMatchObject({ outcome: 'failed', lease: 'released', error: broken });
    expect(await scene().warned()).toEqual([]); // what was not begun can be ended
  });

  test('the cleanup: it counts as one that failed', async () => {
    vi.spyOn(WorkSide.prototype, 'runCleanup').mockImplementationOnce(breaks);
    const report = await scene().now(scene().attempt({ work: () => 1, cleanup: () => {}, cleanupMs: 1_000 }).start());
    expect(report).toMatchObject({ outcome: 'completed', lease: 'released', cleanupError: broken });
    expect(await scene().warned()).toEqual([]);
  });

  test('the release: it is asked for again', async () => {
    vi.spyOn(LockSide.prototype, 'release').mockImplementationOnce(breaks);
    const run = scene().attempt({ work: () => 1, answerMs: 60_000 }).start();
    await scene().clock.advance(1_000); // sooner than an answer would be given up
    expect(await scene().now(run)).toMatchObject({ outcome: 'completed', lease: 'released', releaseError: broken });
  });

  test('telling the work: it is complained about, and the work is not waited for longer than is allowed', async () => {
    vi.spyOn(WorkSide.prototype, 'tell').mockImplementationOnce(breaks);
    const attempt = scene().attempt({ work: never, settleMs: 50 });
    const run = attempt.start();
    await scene().settled();
    attempt.abort();
    await scene().clock.advance(50);
    expect(await scene().now(run)).toMatchObject({ outcome: 'aborted', abortedBy: 'user', lease: 'released', settled: false });
    expect(await scene().warned()).toEqual(['ATTEMPT_CALLBACK_THREW']);
    expect(scene().warnings[0]?.message).toContain('a mistake of ours');
  });

  test('and after it the next is performed: nothing waits for the one that threw', async () => {
    vi.spyOn(WorkSide.prototype, 'closeWriter').mockImplementation(breaks);
    const attempt = scene().attempt({ work: untilAborted });
    const run = attempt.start();
    await scene().settled();
    attempt.abort('enough');
    expect(await scene().now(run)).toMatchObject({ outcome: 'aborted', reason: 'enough', settled: true, lease: 'released' });
    expect(await scene().warned()).toEqual(['ATTEMPT_CALLBACK_THREW']);
  });
});
