/**
 * node:fs with a hand on every call: a test can count the calls, make the nth fail, run something before it, or stop
 * the "process" there as SIGKILL would.
 *
 * To be used as `vi.mock('node:fs', async (original) => (await import('<here>')).stepped(await original()))`.
 * What is imported here is the real one (`test/support` is not mocked while it makes the mock).
 */

/** Called before each call; what it throws is what the call fails with. */
type Hook = (name: string, index: number, args: readonly unknown[]) => void;

interface Steps {
  hook: Hook | null;
  index: number;
}

// On globalThis: the mock and the test may load this module twice.
const steps: Steps = ((globalThis as { attemptFsSteps?: Steps }).attemptFsSteps ??= { hook: null, index: 0 });

/** Calls that change or read the disk, as the locks use them. */
const NAMES = [
  'chmodSync', 'closeSync', 'fchmodSync', 'fstatSync', 'ftruncateSync', 'linkSync', 'lstatSync', 'mkdirSync', 'openSync', 'readSync', 'readdirSync',
  'renameSync', 'rmSync', 'rmdirSync', 'statSync', 'unlinkSync', 'writeFileSync', 'writeSync',
];

export function stepped<T extends object>(real: T): T {
  const wrapped: Record<string, unknown> = { ...(real as Record<string, unknown>) };
  for (const name of NAMES) {
    const call = (real as Record<string, (...args: unknown[]) => unknown>)[name];
    wrapped[name] = (...args: unknown[]) => {
      const { hook } = steps;
      if (hook) hook(name, steps.index++, args);
      return call?.(...args);
    };
  }
  return { ...wrapped, default: wrapped } as unknown as T;
}

/** The process died here: nothing it does from now on reaches the disk. */
export class Killed extends Error {}

/** Runs `fn` with `hook` before each of its calls. @returns how many calls there were, and what came of it */
export function withSteps<R>(hook: Hook, fn: () => R): { calls: number; result: R | null; error: unknown } {
  const before = { ...steps };
  Object.assign(steps, { hook, index: 0 });
  try {
    const result = fn();
    return { calls: steps.index, result, error: null };
  } catch (error) {
    return { calls: steps.index, result: null, error };
  } finally {
    Object.assign(steps, before);
  }
}

/** Runs something of "another process" inside a hook: its calls are not ours. */
export function aside<R>(fn: () => R): R {
  const { hook } = steps;
  steps.hook = null;
  try {
    return fn();
  } finally {
    steps.hook = hook;
  }
}

/** The next calls go through the hook until the returned function is called. For what is asynchronous. */
export function hooked(hook: Hook): () => void {
  Object.assign(steps, { hook, index: 0 });
  return () => { steps.hook = null; };
}

/** A failure as the system reports it. */
export function failing(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
