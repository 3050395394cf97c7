import { setTimeout as sleep } from 'node:timers/promises';
import { checkRunner, type RunnerPort, type StartRequest } from '../../../src/testing/index.js';

const busy = new Set<string>();

/** The runner: a set of busy sessions, a signal, and the release in `finally`. */
async function run({ session, work }: StartRequest, signal: AbortSignal): Promise<unknown> {
  if (busy.has(session)) throw new Error(`${session} is busy`);
  busy.add(session);
  try {
    return await work(signal); // for as long as the work likes
  } finally {
    busy.delete(session);
  }
}

/** The port. */
function makePort(): RunnerPort {
  return {
    start(request) {
      const controller = new AbortController();
      return {
        ended: run(request, controller.signal),
        abort: (by) => (by === 'user' ? controller.abort(new Error(by)) : 'unsupported'),
      };
    },
    async tryLock(session) {
      if (busy.has(session)) return null;
      busy.add(session);
      return async () => void busy.delete(session);
    },
    bounds: { settleMs: 50, waitMs: 0 },
    close: () => sleep(0),
  };
}

export const result = await checkRunner(makePort, { sequences: 20 });
console.log(result.toText());
// M03  work ignores the abort: BREAKS
//       shortest: START GRANTED RUN ABORT(user) ENDED
