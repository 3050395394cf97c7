/**
 * Directories of a test: made under the system's temporary one, removed when the test is over.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** What to do when the test is over. Tests that run side by side have to hand over their own `onTestFinished`. */
export type Cleanup = (fn: () => Promise<void> | void) => void;

/** @returns the real path of a new, empty directory */
export function temporaryDirectory(cleanup: Cleanup = onTestFinished): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'attempt-locks-')));
  cleanup(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A directory that is not under the temporary one. Whoever makes it removes it. */
export function makeDirectory(path: string): string {
  mkdirSync(path);
  return path;
}

export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
