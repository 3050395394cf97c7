/** Example 4: one p-queue of concurrency 1 for each session, with its `timeout` and `signal`. */
import PQueue from 'p-queue';
import type { RunnerPort, StartRequest } from '../../../src/testing/index.js';
import { BufferedTranscript } from './simple-lock.js';

/** The runner. */
class QueueRunner {
  readonly #queues = new Map<string, PQueue>();

  queueOf(session: string): PQueue {
    const queue = this.#queues.get(session) ?? new PQueue({ concurrency: 1 });
    this.#queues.set(session, queue);
    return queue;
  }

  run({ session, work, timeoutMs }: StartRequest, signal: AbortSignal): Promise<unknown> {
    return this.queueOf(session).add(() => work(signal), {
      signal,
      ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    });
  }
}

/** The port. The lock is the queue's one place. */
export function makePort(): RunnerPort {
  const runner = new QueueRunner();
  const transcript = new BufferedTranscript();
  return {
    start(request) {
      const controller = new AbortController();
      return {
        ended: runner.run(request, controller.signal),
        abort: (by) => controller.abort(new Error(by)),
      };
    },
    async tryLock(session) {
      const queue = runner.queueOf(session);
      if (queue.pending > 0 || queue.size > 0) return null;
      let release = (): void => undefined;
      const held = queue.add(
        () =>
          new Promise<void>((resolve) => {
            release = resolve;
          }),
      );
      return async () => {
        release();
        await held;
      };
    },
    write: (_session, _attemptId, text) => transcript.write(text),
    read: async () => transcript.texts,
    bounds: { settleMs: 40, waitMs: Infinity },
    close: async () => undefined,
  };
}
