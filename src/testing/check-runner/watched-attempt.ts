/**
 * One attempt under test: its scripted work, and what is seen of it from outside.
 * Owns: when the work settles. Must not know: what is right or wrong about what is seen.
 */
import { AsyncResource } from 'node:async_hooks';
import type { AbortKind, PortOutcome, RunnerPort, StartedAttempt } from './port.js';

/** Why an attempt was made to end: a port's `abort`, or its own run budget. */
export type Cause = AbortKind | 'limit';

export type SettleHow = 'ok' | 'err' | 'undefined';

/** What the work rejects with. Recognised again when nobody handles the rejection. */
export class WorkError extends Error {
  constructor(readonly attempt: WatchedAttempt) {
    super(`the work of attempt ${attempt.n} failed, as it was told to`);
    this.name = 'WorkError';
  }
}

/** What the attempt tells the sequence it belongs to, in the tick it happens. */
export interface AttemptObserver {
  called(attempt: WatchedAttempt): void;
  ended(attempt: WatchedAttempt): void;
}

export class WatchedAttempt {
  handle: StartedAttempt | null = null;
  calls = 0;
  signal: AbortSignal | null = null;
  settled = false;
  ended = false;
  /** The first cause that was given before the end. */
  cause: Cause | null = null;
  /** Aborted before its work was called. */
  abortedEarly = false;
  /** `start` threw: refused at once. */
  refusal: unknown = undefined;
  /** The work's rejection was handled by nobody: by default Node ends the process for that. */
  unhandled = false;
  /** What an outsider's try met in the tick of the end; null: not tried, or no answer yet. */
  atEnd: 'free' | 'busy' | null = null;
  probe: Promise<void> | null = null;
  outcomeAtEnd: PortOutcome | undefined = undefined;
  readonly written: {
    readonly text: string;
    readonly late: boolean;
    acknowledged: boolean;
    done: Promise<void>;
  }[] = [];
  #told: SettleHow | null = null;
  #settle: ((how: SettleHow | 'reason') => void) | null = null;
  #inside: (fn: () => void) => void = (fn) => fn();

  constructor(
    readonly n: number,
    readonly attemptId: string,
    readonly how: ReadonlySet<string>,
    readonly observer: AttemptObserver,
  ) {}

  start(port: RunnerPort, session: string, timeoutMs: number | null): void {
    const { attemptId } = this;
    const work = (signal: AbortSignal): Promise<unknown> => this.#work(signal);
    const handle = port.start({ session, attemptId, work, ...(timeoutMs !== null && { timeoutMs }) });
    this.handle = handle;
    const ended = (): void => {
      this.ended = true;
      this.observer.ended(this);
    };
    Promise.resolve(handle.ended).then(ended, ended);
  }

  /** Settles the work now, or as soon as it is called. Later calls change nothing, as with any promise. */
  settle(how: SettleHow): void {
    this.#told ??= how;
    this.#settle?.(this.#told);
  }

  /** Runs `fn` in the async context of the work. */
  inside(fn: () => void): void {
    this.#inside(fn);
  }

  #work(signal: AbortSignal): Promise<unknown> {
    this.calls += 1;
    if (this.calls > 1) {
      this.observer.called(this);
      return Promise.resolve('called twice');
    }
    this.signal = signal;
    this.#inside = AsyncResource.bind((fn: () => void) => fn());
    this.observer.called(this);
    if (this.how.has('throws')) {
      this.settled = true;
      throw new WorkError(this);
    }
    return new Promise((resolve, reject) => {
      this.#settle = (how) => {
        this.settled = true;
        if (how === 'ok') resolve('the value of the work');
        else reject(how === 'err' ? new WorkError(this) : how === 'reason' ? signal.reason : undefined);
      };
      if (this.#told) this.#settle(this.#told);
      const reaction = this.how.has('obeys') ? 'reason' : this.how.has('finishes') ? 'ok' : null;
      if (reaction === null) return;
      if (signal.aborted) this.#settle(reaction);
      else signal.addEventListener('abort', () => this.#settle?.(reaction), { once: true });
    });
  }
}
