/**
 * Calls that the disk refuses, for tests whose `node:fs` goes through `support/fs-steps.ts`.
 */
import { onTestFinished } from 'vitest';
import { failing, hooked } from '../../support/fs-steps.js';

/** Calls on owner files, or on the lock's directory, fail so often. */
export function fail(code: string, call: 'unlinkSync' | 'rmdirSync' | 'renameSync', times: number): () => void {
  let left = times;
  const stop = hooked((name, _index, args) => {
    if (name !== call || !/\.lock$|owner\./.test(String(args[0])) || left <= 0) return;
    left -= 1;
    throw failing(code);
  });
  onTestFinished(stop);
  return stop;
}
