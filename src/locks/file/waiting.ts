/**
 * What wakes one that waits for a file lock: watching the place where something will change, with a slow poll behind.
 * Who is first in line watches the lock; everybody else the ticket in front of theirs: a release wakes one process.
 */
import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import { waitFor } from '../patience.js';
import { codeOf } from './errno.js';
import type { Places } from './session-path.js';

/** Poll behind the watcher; alone, where watching is not possible (too many watches), it polls faster. */
const SLOW_POLL_MS = 500;
const FAST_POLL_MS = 50;

/** Watches what lies there. `gone`: nothing does. Null if watching is not possible. */
function watched(path: string, woken: () => void): FSWatcher | 'gone' | null {
  try {
    const watcher = watch(path, woken);
    watcher.on('error', woken); // it is closed by whoever armed it; the poll goes on
    return watcher;
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'gone' : null; // no watch to be had: the caller polls
  }
}

/** What is waited for. */
export interface Awaited {
  readonly places: Places;
  /** The ticket in front of ours; null if it is our turn. */
  readonly front: string | null;
  /**
   * When to look again at the latest, in milliseconds, if nothing wakes us. Asked after the watch is armed: what
   * changed before is seen here, what changes later wakes us.
   */
  readonly lookAgainIn: () => number;
}

/** Until something changes, or it is time to look again, at most `ms`; or until the signal fires. */
export async function untilChanged(
  { places, front, lookAgainIn }: Awaited, clock: Clock, ms: number, signal: AbortSignal,
): Promise<void> {
  const path = front === null ? places.lock : join(places.room, front);
  await waitFor(clock, ms, signal, (woken) => {
    const watcher = watched(path, woken);
    const poll = watcher === 'gone' ? 0 : watcher ? SLOW_POLL_MS : FAST_POLL_MS;
    const timer = clock.setTimeout(woken, Math.max(0, Math.min(poll, lookAgainIn())));
    return () => {
      if (watcher !== 'gone') watcher?.close();
      clock.clearTimeout(timer);
    };
  });
}
