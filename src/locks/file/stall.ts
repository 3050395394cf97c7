/**
 * How long we may be stopped between two calls and still believe that an empty directory is the one we made, or emptied.
 */

/** Nobody takes an empty directory for dead that is younger: plain proper-lockfile's least `stale` is 2 000. */
export const MOST_STALL_MS = 1_500;

/** @returns how long ago that was, milliseconds, by the clock that shows more: a machine may sleep, a wall clock step */
export function stallMeter(): () => number {
  const [began, wall] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - began, Math.abs(Date.now() - wall));
}
