/**
 * How long we may be stopped between two calls and still believe that an empty directory is the one we made, or emptied.
 */

import { systemClock, type Clock } from '../../clock.js';

/** Nobody takes an empty directory for dead that is younger: plain proper-lockfile's least `stale` is 2 000. */
export const MOST_STALL_MS = 1_500;

/** @returns how long ago that was, milliseconds, by the clock that shows more: a machine may sleep, a wall clock step */
export function stallMeter(clock: Pick<Clock, 'now' | 'wallNow'> = systemClock): () => number {
  const [began, wall] = [clock.now(), clock.wallNow()];
  return () => Math.max(clock.now() - began, Math.abs(clock.wallNow() - wall));
}
