/**
 * Ways a lock can come to its end, and ways an attempt can, as scripts: the two axes of every report.
 */
import type { AbortRequester, Attempt, AttemptReport, LeaseOutcome } from '../../src/index.js';
import { never, untilAborted, type Scene } from './scene.js';
import type { Script } from './scripted-store.js';

/** How the lock ends, once release is asked for; in each script the lock really is free at the end. */
export const leaseEndings: Record<Exclude<LeaseOutcome, 'neverHeld'>, () => Script> = {
  released: () => ({}),
  lost: () => ({
    release: (ask) => {
      ask.store.free(ask.owner); // somebody has taken it, and nobody told us
      ask.honestly();
    },
  }),
  unconfirmed: () => {
    let asked = 0;
    return {
      release: (ask) => {
        asked += 1;
        if (asked > 1) return ask.honestly();
        ask.store.free(ask.owner); // it went through, but the answer is lost
        ask.reject(new Error('connection reset'));
      },
    };
  },
  expired: () => ({ release: (ask) => ask.answer('unknown') }),
};

/** The four who can ask, and each kind of timeout, with what makes it happen. */
export interface AbortCase {
  readonly name: string;
  readonly by: AbortRequester;
  readonly kind: 'run' | 'idle' | 'external' | null;
  readonly options: { timeoutMs?: number; idleTimeoutMs?: number };
  readonly reason: unknown;
  cause(attempt: Attempt<unknown>, scene: Scene): unknown;
}

const asked = (by: AbortRequester): AbortCase => ({
  name: by, by, kind: by === 'timeout' ? 'external' : null, options: {}, reason: `because ${by}`,
  cause: (attempt) => attempt.abort(`because ${by}`, { by }),
});

/** Aborts of work that has started. */
export const abortCases: readonly AbortCase[] = [
  asked('user'), asked('shutdown'), asked('superseded'), asked('timeout'),
  {
    name: 'run timeout', by: 'timeout', kind: 'run', options: { timeoutMs: 500 }, reason: undefined,
    cause: (_attempt, scene) => scene.clock.advance(500),
  },
  {
    name: 'idle timeout', by: 'timeout', kind: 'idle', options: { idleTimeoutMs: 500 }, reason: undefined,
    cause: (_attempt, scene) => scene.clock.advance(500),
  },
];

/** Aborts that can be asked for in any state. */
export const askedAborts: readonly AbortCase[] = abortCases.filter(
  ({ options }) => Object.keys(options).length === 0,
);

/** What aborted work can do. */
export const workEndings: readonly {
  readonly name: string;
  readonly settled: boolean;
  readonly value: unknown;
  work(context: { signal: AbortSignal }): unknown;
}[] = [
  { name: 'work throws the abort', settled: true, value: undefined, work: untilAborted },
  {
    name: 'work returns', settled: true, value: 'kept',
    work: (context) => untilAborted(context).catch(() => 'kept'),
  },
  { name: 'work never settles', settled: false, value: undefined, work: never },
];

/** Runs to the end however long that takes on the scene's clock. */
export async function toTheEnd<T>(scene: Scene, done: Promise<AttemptReport<T>>): Promise<AttemptReport<T>> {
  let report: AttemptReport<T> | undefined;
  void done.then((one) => { report = one; });
  await scene.settled();
  while (!report && await scene.clock.toNextTimer()) { /* one timer further */ }
  if (!report) throw new Error('the attempt does not end: nothing is timed any more');
  return report;
}
