/**
 * Gives back a grant that no machine is there to care for: asks, asks again, and stops when the lease has ended.
 */
import type { Clock } from '../clock.js';
import { lateGrantChannel } from '../trace/channels.js';
import type { Lease, ReleaseAnswer } from '../locks/lock-store.js';

/** Grants that arrived after their attempt had ended, since the process began. All of them were given back. */
export const lateGrants = { count: 0 };

const FIRST_RETRY_MS = 50;

/**
 * @param lease what nobody wants
 * @param leaseMs how long it can live without us; no ask is made after that
 */
export function giveBack(lease: Lease, leaseMs: number, clock: Clock): void {
  lateGrants.count += 1;
  if (lateGrantChannel.hasSubscribers) lateGrantChannel.publish({ count: lateGrants.count });
  const until = clock.now() + leaseMs;
  const ask = async (pause: number): Promise<void> => {
    let answer: ReleaseAnswer = 'unknown'; // ... and so it stays if the store throws or rejects
    try {
      answer = await lease.release();
    } catch { /* unknown: asked again below */ }
    if (answer !== 'unknown' || clock.now() + pause > until) return;
    clock.setTimeout(() => void ask(pause * 2), pause);
  };
  void ask(FIRST_RETRY_MS);
}
