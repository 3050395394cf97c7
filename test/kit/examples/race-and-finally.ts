/** Example 1: `Promise.race` of the work against its abort, and the release in `finally`. */
import type { RunnerPort, StartRequest } from '../../../src/testing/index.js';
import { BufferedTranscript, SimpleLock } from './simple-lock.js';

const WAIT_MS = 100;

/** The runner. */
async function run(lock: SimpleLock, request: StartRequest, controller: AbortController): Promise<unknown> {
  const release = await lock.take(request.session, WAIT_MS);
  const { signal } = controller;
  const timer =
    request.timeoutMs === undefined
      ? undefined
      : setTimeout(() => controller.abort('timeout'), request.timeoutMs);
  try {
    const aborted = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    return await Promise.race([(async () => request.work(signal))(), aborted]);
  } finally {
    clearTimeout(timer);
    release();
  }
}

/** The port. */
export function makePort(): RunnerPort {
  const lock = new SimpleLock();
  const transcript = new BufferedTranscript();
  const outcomes = new Map<string, { abortedBy?: string }>();
  return {
    start(request) {
      const controller = new AbortController();
      const ended = run(lock, request, controller).finally(() => {
        const { aborted, reason } = controller.signal;
        outcomes.set(request.attemptId, aborted ? { abortedBy: String(reason) } : {});
      });
      return { ended, abort: (by) => controller.abort(by) };
    },
    async tryLock(session) {
      const release = lock.tryTake(session);
      return release && (async () => release());
    },
    write: (_session, _attemptId, text) => transcript.write(text),
    read: async () => transcript.texts,
    outcome: (attemptId) => outcomes.get(attemptId),
    bounds: { settleMs: 40, waitMs: WAIT_MS },
    close: async () => undefined,
  };
}
