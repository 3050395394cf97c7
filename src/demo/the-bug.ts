/**
 * The bug, first: a runner written by hand gives its lock back after a timeout and keeps it after a user's stop.
 */
import type { Stage } from './stage.js';
import { same, within, type Check } from './verdict.js';

export interface Bug {
  /** Until the next attempt was granted after a timeout, milliseconds. */
  readonly timeoutMs: number;
  /** What the next attempt was told after a user's stop, and how long after it, milliseconds. */
  readonly refusal: string;
  readonly refusedMs: number;
  readonly checks: readonly Check[];
}

/** A polling waiter (100 ms) on a busy machine. */
const MOST_POLLED_MS = 1_000;

export async function showBug(stage: Stage): Promise<Bug> {
  const { session } = stage;
  const [runner, other] = await stage.cast.company();

  runner.tell({ do: 'byHand', name: 'timed-out-run', session, play: 'obeys', timeoutMs: 300 });
  await runner.when('granted', 'timed-out-run');
  other.tell({ do: 'byHand', name: 'next-1', session, play: 'returns' });
  const { at: timedOutAt } = await runner.when('aborted', 'timed-out-run');
  const { at: grantedAt } = await other.when('granted', 'next-1');
  await other.when('endedByHand', 'next-1');

  runner.tell({ do: 'byHand', name: 'stopped-run', session, play: 'obeys' });
  await runner.when('granted', 'stopped-run');
  runner.tell({ do: 'stop', name: 'stopped-run' });
  const { at: endedAt } = await runner.when('endedByHand', 'stopped-run');
  other.tell({ do: 'byHand', name: 'next-2', session, play: 'returns' });
  const refused = await other.when('endedByHand', 'next-2');
  const refusal = refused.error ?? 'was not refused';

  await runner.leave(); // the one way to have the session back: the process that keeps it has to go
  const holder = `stopped-run (pid ${runner.pid})`;
  return {
    timeoutMs: grantedAt - timedOutAt, refusal, refusedMs: refused.at - endedAt,
    checks: [
      within('by hand, timeout: next granted', 0, MOST_POLLED_MS, grantedAt - timedOutAt),
      same('by hand, user stop: the next one is', `${session} is locked by ${holder}`, refusal),
      same('by hand: lock left when its process is gone', 0, stage.lockFiles().length),
    ],
  };
}
