/**
 * proper-lockfile, loaded with the first lock and not before: it puts exit hooks on the process.
 */
import type lockfile from 'proper-lockfile';

let loading: Promise<typeof lockfile> | undefined;

export function properLockfile(): Promise<typeof lockfile> {
  return (loading ??= loaded().catch((error: unknown) => {
    loading = undefined; // no descriptor to be had, perhaps: the next one tries again
    throw error;
  }));
}

const signals = (): NodeJS.Signals[] => process.eventNames().filter((name) => String(name).startsWith('SIG')) as NodeJS.Signals[];

/**
 * Its hooks (signal-exit) end the process by a signal that nobody else listens to, which they find out when they are
 * called. A listener that was put there before by `once` has then been called and is gone: the process would be ended
 * that has just begun to end by itself. So they are called first.
 */
async function loaded(): Promise<typeof lockfile> {
  const before = new Set(signals().flatMap((signal) => process.rawListeners(signal)));
  const { default: plain } = await import('proper-lockfile');
  for (const signal of signals()) {
    const all = process.rawListeners(signal) as NodeJS.SignalsListener[];
    const theirs = all.find((listener) => listener.name === 'listener' && !before.has(listener)); // as signal-exit calls it
    if (all.length === 1 || !theirs) continue;
    process.off(signal, theirs);
    process.prependListener(signal, theirs);
  }
  return plain;
}
