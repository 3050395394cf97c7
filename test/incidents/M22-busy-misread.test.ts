/**
 * M22: a busy lock is treated as a failing model, and messages are dropped (openclaw #66646, #89208). START while held
 * gives a typed answer that a program can read, with the holder in it; the work is never called.
 */
import { expect, test } from 'vitest';
import { createAttempt, localFileLocks, runAttempt } from '../../src/index.js';
import { until, untilAborted } from '../support/scene.js';
import { useSessionFiles } from '../support/session-files.js';

const files = useSessionFiles();

test('M22: START while held: LOCK_BUSY, who, since when, in which state, and when to try again', async () => {
  const session = files.session();
  const locks = localFileLocks({ leaseMs: 2_000 });
  const holder = createAttempt({ session, locks, labels: { job: '7' }, work: untilAborted });
  const run = holder.start();
  await until(() => holder.snapshot().state === 'running.working');
  let called = false;
  const report = await runAttempt({ session, locks, waitMs: 0, work: () => { called = true; } });
  expect(report).toMatchObject({
    outcome: 'notStarted', abortedBy: null, lease: 'neverHeld', settled: null,
    error: {
      code: 'LOCK_BUSY',
      holder: { attemptId: holder.id, pid: process.pid, sameProcess: true, state: 'running.working', labels: { job: '7' } },
    },
  });
  if (report.outcome !== 'notStarted') throw new Error('narrowing');
  expect(report.error.holder?.since).toBeTypeOf('number');
  expect(report.error.retryAfterMs).toBeGreaterThan(0);
  expect(called).toBe(false);
  holder.abort();
  await run;
});
