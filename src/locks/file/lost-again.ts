/**
 * A lock that was taken, and was no longer ours when the grant was to be told: its taker was stopped in between, and
 * somebody else came. Owns: that who has patience left goes on waiting. Must not know: how a lock is taken.
 */
import type { Clock } from '../../clock.js';
import type { AcquireResult } from '../lock-store.js';

/** Taken, and not ours any more. */
export const LOST_AGAIN = Symbol('lost again');

/**
 * Takes, and takes again while that was lost again and there is patience.
 *
 * @param take tries for so many milliseconds
 * @param isWanted does anybody still want the lock?
 */
export async function takeWithin(
  clock: Clock, waitMs: number, isWanted: () => boolean,
  take: (waitMs: number) => Promise<AcquireResult | typeof LOST_AGAIN>,
): Promise<AcquireResult> {
  const until = clock.now() + waitMs;
  for (let left = waitMs; ; left = until - clock.now()) {
    const result = await take(left);
    if (result !== LOST_AGAIN) return result;
    if (!isWanted() || clock.now() >= until) return { status: 'busy', holder: null };
  }
}
