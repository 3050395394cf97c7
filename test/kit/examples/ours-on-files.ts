/** Example 6b: attempt-lifecycle on `localFileLocks` and its own session files, in real time. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  createAttempt,
  localFileLocks,
  readSession,
  systemClock,
  type AttemptReport,
  type WorkContext,
} from '../../../src/index.js';
import type { RunnerPort } from '../../../src/testing/index.js';
import { failingRelease } from './failing-release.js';
import { outcomeOf, outsiderTry } from './ours-on-memory.js';
import { scratchDirectory } from './scratch.js';

const SETTLE_MS = 40;
/**
 * Longer than the disk may take on a busy machine: patience counts the reading of a free session's tokens
 * too.
 */
const WAIT_MS = 600;
const LEASE_MS = 2_000;

/** The port. The outsider has a store of its own, as another program would. */
export function makePort(): RunnerPort {
  const directory = scratchDirectory();
  const fileOf = (session: string): string => join(directory, session);
  const locks = failingRelease(localFileLocks({ leaseMs: LEASE_MS }), systemClock);
  const outsiders = localFileLocks({ leaseMs: LEASE_MS });
  const contexts = new Map<string, WorkContext>();
  const reports = new Map<string, AttemptReport>();
  return {
    start({ session, attemptId, timeoutMs, work }) {
      const attempt = createAttempt({
        session: fileOf(session),
        attemptId,
        locks,
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
    tryLock: (session) => outsiderTry(outsiders, fileOf(session)),
    write: async (_session, attemptId, text) => contexts.get(attemptId)?.session.append({ text }),
    read: async (session) =>
      (await readSession(fileOf(session))).records.map(({ record }) => (record as { text: string }).text),
    outcome: (attemptId) => outcomeOf(reports.get(attemptId)),
    failRelease: (times) => locks.failRelease(times),
    bounds: { settleMs: SETTLE_MS, waitMs: WAIT_MS, leaseMs: LEASE_MS },
    close: async () => rmSync(directory, { recursive: true, force: true }),
  };
}
