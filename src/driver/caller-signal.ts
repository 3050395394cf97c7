/**
 * Listens to the callers' signals, with one listener a signal however many attempts share it: a stop button for a
 * hundred attempts is no leak, and Node warns of more than ten listeners.
 */

interface Shared {
  readonly listeners: Set<() => void>;
  readonly fire: () => void;
}

const shared = new WeakMap<AbortSignal, Shared>();

/**
 * Calls `fn` once when the signal fires. `fn` must not throw.
 * @returns what ends the listening; with the last one nothing of ours is left on the signal
 */
export function onAbort(signal: AbortSignal, fn: () => void): () => void {
  let entry = shared.get(signal);
  if (!entry) {
    const listeners = new Set<() => void>();
    entry = { listeners, fire: () => { for (const listener of listeners) listener(); } };
    signal.addEventListener('abort', entry.fire, { once: true });
    shared.set(signal, entry);
  }
  const { listeners, fire } = entry;
  const listener = (): void => fn(); // its own identity: the same `fn` may listen twice
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    signal.removeEventListener('abort', fire);
    shared.delete(signal);
  };
}
