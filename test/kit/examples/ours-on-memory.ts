/** Example 6a: attempt-lifecycle on `memoryLocks`, in told time. */
import {
  createAttempt,
  memoryLocks,
  type AttemptReport,
  type LockStore,
  type WorkContext,
} from '../../../src/index.js';
import type { RunnerPort } from '../../../src/testing/index.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { failingRelease } from './failing-release.js';

const SETTLE_MS = 30;
const WAIT_MS = 60;
const LEASE_MS = 90;

/** An outsider's try is a request of its own to the store. */
export async function outsiderTry(locks: LockStore, session: string): Promise<(() => Promise<void>) | null> {
  const info = { attemptId: 'outsider', pid: 0, host: 'here', state: 'running.working', note: null, labels: {} };
  const owner = `outsider-${Math.random()}`;
  const result = await locks.acquire({
    session,
    owner,
    waitMs: 0,
    signal: new AbortController().signal,
    info,
  });
  if (result.status === 'unknown') throw result.error;
  return result.status === 'granted' ? async () => void (await result.lease.release()) : null;
}

/** What a port tells of a report. */
export const outcomeOf = (report: AttemptReport | undefined) =>
  report && { abortedBy: report.abortedBy ?? undefined, abandoned: report.abandoned };

/** The port. */
export function makePort(): RunnerPort {
  const clock = new VirtualClock();
  const store = memoryLocks({ leaseMs: LEASE_MS, clock });
  const locks = failingRelease(store, clock);
  const contexts = new Map<string, WorkContext>();
  const reports = new Map<string, AttemptReport>();
  const texts: string[] = [];
  return {
    start({ session, attemptId, timeoutMs, work }) {
      const attempt = createAttempt({
        session,
        attemptId,
        locks,
        clock,
        records: 'none',
        settleMs: SETTLE_MS,
        waitMs: WAIT_MS,
        work: (context) => {
          contexts.set(attemptId, context);
          return work(context.signal);
        },
        ...(timeoutMs !== undefined && { timeoutMs }),
      });
      void attempt.done.then((report) => reports.set(attemptId, report));
      return { ended: attempt.start(), abort: (by) => attempt.abort(by, { by }) };
    },
    tryLock: (session) => outsiderTry(store, session),
    async write(_session, attemptId, text) {
      await contexts.get(attemptId)?.guard(async () => {
        await clock.pause(2);
        texts.push(text);
      });
    },
    read: async () => texts,
    outcome: (attemptId) => outcomeOf(reports.get(attemptId)),
    failRelease: (times) => locks.failRelease(times),
    clock,
    bounds: { settleMs: SETTLE_MS, waitMs: WAIT_MS, leaseMs: LEASE_MS },
    close: async () => undefined,
  };
}
