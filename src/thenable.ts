/**
 * What callers and stores return may be a promise of any make, a thenable, or neither: one way to tell and adopt.
 */

/** Can it be awaited? Throws only if the value's own `then` getter does. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return typeof (value as { then?: unknown }).then === 'function';
}

/** A native promise of it. Unlike `Promise.resolve` it never throws, and never hands back the foreign promise. */
export function adopt<T>(value: T | PromiseLike<T>): Promise<T> {
  return new Promise((resolve) => resolve(value));
}
