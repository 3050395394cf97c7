/**
 * Who asks for a lock from inside the work of an attempt that holds it: it would wait for itself (INCIDENTS M08).
 * Owns: following the work through its promises and timers (Node's async context). Must not know: why a lock is asked.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { resolve } from 'node:path';
import { AttemptError } from '../errors.js';
import type { Lease, LockStore } from '../locks/lock-store.js';

/** An attempt whose work is running, as seen from inside that work. */
export interface Enclosing {
  readonly attemptId: string;
  readonly session: string;
  readonly locks: LockStore;
  readonly outer: Enclosing | null;
  /** The session as the store locked it, where it tells; null while the lock is not held (a window). */
  held(): Pick<Lease, 'session'> | null;
}

const inside = new AsyncLocalStorage<Enclosing | null>();

/** The attempt whose work we are called from, if any. */
export const enclosing = (): Enclosing | null => inside.getStore() ?? null;

/** Calls the work of an attempt so that whatever it starts knows where it comes from; null: from no attempt. */
export const runInside = <T>(attempt: Enclosing | null, fn: () => T): T => inside.run(attempt, fn);

/**
 * Would an attempt started here wait for the very work that starts it? A session spelled by another link is not
 * recognised: it then waits as anybody does, and is told at the end of its patience that its own process holds it.
 * @returns the error to answer with, or null
 */
export function nestedError(session: string, locks: LockStore): AttemptError | null {
  for (let outer = enclosing(); outer; outer = outer.outer) {
    const held = outer.locks === locks ? outer.held() : null;
    if (!held || (outer.session !== session && held.session !== resolve(session))) continue;
    return new AttemptError('NESTED_ATTEMPT', `${session} is locked by attempt ${outer.attemptId}, from whose work this `
      + 'attempt was started: it would wait for itself. Write with the session the work was given, start the attempt '
      + 'after that work, or give the lock up for it with yieldLock().');
  }
  return null;
}
