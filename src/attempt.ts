/**
 * The library's front door: make an attempt, run it, look at it, end it.
 */
import { Driver, type AbortAnswer, type AttemptSnapshot } from './driver/driver.js';
import { expectRequester } from './option-checks.js';
import { specOf, type AbortRequester, type AttemptOptions } from './options.js';
import { expectUnused, register, unregister } from './register.js';
import type { AttemptReport } from './report.js';

/** One attempt: one try at work on a session, with one id and one outcome. */
export interface Attempt<T> extends AsyncDisposable {
  readonly id: string;
  /** Starts it, once. @returns `done`. Rejects with `CONFIG_INVALID` if its id has come into use meanwhile. */
  start(): Promise<AttemptReport<T>>;
  /**
   * Asks it to end. The first abort decides; later ones are recorded as `lateAborts`. There is no `stop()`.
   * @param reason becomes `report.reason`, and the `cause` of the signal's reason
   * @param options `by`: `user` (default), `timeout`, `shutdown`, `superseded`; `leaseLost` is a fact and refused
   * @returns whether it was accepted, the state it met, and who did abort the attempt
   * @throws AttemptError `CONFIG_INVALID` for another `by`
   */
  abort(reason?: unknown, options?: { readonly by?: AbortRequester }): AbortAnswer;
  snapshot(): AttemptSnapshot;
  /** Calls `fn` on every transition, note and doubt until the end. @returns what ends that. */
  subscribe(fn: (snapshot: AttemptSnapshot) => void): () => void;
  /** Resolves with the report after the lock is given back, never before. Pending until started or aborted. */
  readonly done: Promise<AttemptReport<T>>;
  /** Aborts as `shutdown` and waits for the end (with `onUnsettled: "hold"` as long as that takes). */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes an attempt without starting it. Nothing is touched.
 * @throws AttemptError `CONFIG_INVALID` naming the option, what was expected and what was found
 */
export function createAttempt<T>(options: AttemptOptions<T>): Attempt<T> {
  const spec = specOf(options);
  expectUnused(spec.attemptId);
  const driver: Driver<T> = new Driver(spec, () => unregister(driver as Driver<unknown>));
  let started = false;
  return {
    id: spec.attemptId,
    done: driver.done,
    async start() {
      if (!started && driver.snapshot().state === 'idle') {
        register(driver as Driver<unknown>);
        started = true;
        try {
          driver.start();
        } catch (error) { // a port that throws before anything was asked: nothing runs, so nothing is at work
          unregister(driver as Driver<unknown>);
          throw error;
        }
      }
      return driver.done;
    },
    abort(reason, { by = 'user' } = {}) {
      expectRequester('by', by);
      return driver.abort(by, reason);
    },
    snapshot: () => driver.snapshot(),
    subscribe: (fn) => driver.subscribe(fn),
    async [Symbol.asyncDispose]() {
      driver.abort('shutdown', undefined);
      await driver.done;
    },
  };
}

/**
 * Runs one attempt: waits for the session's lock, runs the work under it, and gives the lock back however that
 * ends.
 * @returns a report for every outcome; `report.outcome` and `report.lease` are the two axes
 * @throws (rejects) AttemptError `CONFIG_INVALID` for a programmer's error, before anything is touched
 */
export async function runAttempt<T>(options: AttemptOptions<T>): Promise<AttemptReport<T>> {
  return createAttempt(options).start();
}
