/**
 * Waiting inside a store: for a turn or an event, until patience is over or nobody wants the lock any more.
 */
import type { Clock } from '../clock.js';
import type { AcquireRequest } from './lock-store.js';

/** How a wait ended. */
export type Woken = 'event' | 'time' | 'cancelled';

/** Has nobody cancelled the request? */
export const isStillWanted = (request: Pick<AcquireRequest, 'signal' | 'isWanted'>): boolean =>
  request.isWanted?.() ?? !request.signal.aborted;

/**
 * Waits for an event.
 * @param ms at most this long; Infinity waits without a limit
 * @param signal ends the wait when it fires
 * @param arm is given the function that reports the event; returns what disarms it
 * @returns what ended the wait; nothing is left armed then
 */
export function waitFor(clock: Clock, ms: number, signal: AbortSignal, arm: (woken: () => void) => () => void): Promise<Woken> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve('cancelled');
    let timer: unknown = null;
    let disarm: () => void = () => {};
    let ended = false;
    const end = (how: Woken): void => {
      if (ended) return;
      ended = true;
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', cancelled);
      disarm();
      resolve(how);
    };
    const cancelled = (): void => end('cancelled');
    signal.addEventListener('abort', cancelled);
    if (ms < 2 ** 31) timer = clock.setTimeout(() => end('time'), Math.max(0, ms));
    try {
      disarm = arm(() => end('event'));
    } catch (error) {
      reject(error); // first, because `end` would resolve
      return end('event');
    }
    if (ended) disarm();
  });
}
