/**
 * Example 2: the bug this project began with (openclaw #88600). A timeout gives the lock back, a user's
 * abort does not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunnerPort, StartRequest } from '../../../src/testing/index.js';
import { SimpleLock } from './simple-lock.js';

const WAIT_MS = 100;
const SETTLE_MS = 30;

/** Rejects when the signal has fired and the work has had its time to settle. */
function settleBound(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => void sleep(SETTLE_MS).then(() => reject(signal.reason)), {
      once: true,
    });
  });
}

/** The runner. */
async function run(lock: SimpleLock, request: StartRequest, controller: AbortController): Promise<unknown> {
  const release = await lock.take(request.session, WAIT_MS);
  const { signal } = controller;
  if (signal.aborted) {
    release();
    throw signal.reason;
  }
  const timer =
    request.timeoutMs === undefined
      ? undefined
      : setTimeout(() => controller.abort('timeout'), request.timeoutMs);
  try {
    const value = await Promise.race([request.work(signal), settleBound(signal)]);
    release();
    return value;
  } catch (error) {
    if (!signal.aborted || signal.reason === 'timeout') release();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The port. */
export function makePort(): RunnerPort {
  const lock = new SimpleLock();
  return {
    start(request) {
      const controller = new AbortController();
      return { ended: run(lock, request, controller), abort: (by) => controller.abort(by) };
    },
    async tryLock(session) {
      const release = lock.tryTake(session);
      return release && (async () => release());
    },
    bounds: { settleMs: SETTLE_MS, waitMs: WAIT_MS },
    close: async () => undefined,
  };
}
