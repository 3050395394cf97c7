/**
 * The caller's cleanup: last records under the lock, with a writer of its own that is closed when its time is over.
 * Reports facts, decides nothing.
 */
import type { AttemptContext, AttemptEvent } from '../../machines/attempt.types.js';
import { AbortReason } from '../errors.js';
import type { AttemptSpec } from '../options.js';
import type { TrackedWriter } from '../session/writer.js';
import { adopt } from '../thenable.js';
import { thrownBy } from './thrown.js';
import type { Writing } from './writing.js';

/** What the cleanup needs of the work side. */
export interface CleanupHost {
  dispatch(event: AttemptEvent): void;
  context(): AttemptContext;
}

export class Cleanup {
  readonly #spec: AttemptSpec<unknown>;
  readonly #host: CleanupHost;
  readonly #writing: Writing;
  readonly #over = new AbortController();

  constructor(spec: AttemptSpec<unknown>, host: CleanupHost, writing: Writing) {
    this.#spec = spec;
    this.#host = host;
    this.#writing = writing;
  }

  /** What it writes with. */
  get writer(): TrackedWriter {
    return this.#writing.writer;
  }

  /** Performs `runCleanup`. */
  run(seq: number): void {
    const { abort, work, token } = this.#host.context();
    const writing = this.#writing;
    const ended = (event: AttemptEvent) => async (): Promise<void> => {
      writing.close();
      await writing.writer.idle(); // bounded by the machine's `cleanupMs`
      this.#host.dispatch(event);
    };
    const failed = (error: unknown): Promise<void> =>
      ended({ type: 'cleanup.failed', seq, error: thrownBy('the cleanup', error) })();
    const outcome = abort ? 'aborted' : work === 'returned' ? 'completed' : 'failed';
    let result: unknown;
    try {
      result = this.#spec.cleanup?.({
        session: writing.writer.session, token, signal: this.#over.signal, outcome, abortedBy: abort?.by ?? null,
        settled: work !== 'pending',
      });
    } catch (error) {
      return void failed(error);
    }
    adopt(result).then(ended({ type: 'cleanup.ended', seq }), failed);
  }

  /** Performs `endCleanup`. */
  end(): void {
    this.#writing.close();
    const isLost = this.#host.context().lease === 'lost';
    this.#over.abort(new AbortReason(isLost ? 'leaseLost' : 'timeout', 'the cleanup is over'));
  }
}
