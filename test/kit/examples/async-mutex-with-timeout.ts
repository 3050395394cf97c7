/** Example 5: async-mutex, with its timeout for the wait and an AbortController for the work. */
import { Mutex, withTimeout } from 'async-mutex';
import type { RunnerPort, StartRequest } from '../../../src/testing/index.js';

const WAIT_MS = 100;

/** The runner. */
async function run(mutex: Mutex, request: StartRequest, controller: AbortController): Promise<unknown> {
  return withTimeout(mutex, WAIT_MS).runExclusive(async () => {
    const timer =
      request.timeoutMs === undefined
        ? undefined
        : setTimeout(() => controller.abort('timeout'), request.timeoutMs);
    try {
      return await request.work(controller.signal);
    } finally {
      clearTimeout(timer);
    }
  });
}

/** The port. */
export function makePort(): RunnerPort {
  const mutexes = new Map<string, Mutex>();
  const mutexOf = (session: string): Mutex => {
    const mutex = mutexes.get(session) ?? new Mutex();
    mutexes.set(session, mutex);
    return mutex;
  };
  return {
    start(request) {
      const controller = new AbortController();
      return {
        ended: run(mutexOf(request.session), request, controller),
        abort: (by) => controller.abort(by),
      };
    },
    async tryLock(session) {
      const mutex = mutexOf(session);
      if (mutex.isLocked()) return null;
      const release = await mutex.acquire();
      return async () => release();
    },
    bounds: { settleMs: 40, waitMs: WAIT_MS },
    close: async () => undefined,
  };
}
