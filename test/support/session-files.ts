/**
 * Real session files in a directory of their own. After each test nothing but sessions, tokens and boot marks
 * may lie there: no lock, no waiter, nothing staged (L5).
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { properLockfile } from '../../src/locks/file/proper-lockfile.js';

/** What lies in a directory that should not be there when nobody is at work. */
export function leftIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) => {
    const parts = path.split(/[\\/]/);
    const inRoom = parts.length > 1 && parts.at(-2)?.endsWith('.attempt');
    if (inRoom) return !/^(token\.(\d+|first)|boot\..+|reports)$/.test(parts.at(-1) ?? '');
    return !/\.(jsonl|attempt)$/.test(path);
  });
}

/** @returns `session()`: a path nobody has used; `directory()`: where they lie */
export function useSessionFiles(): { session(): string; directory(): string } {
  let directory = '';
  let count = 0;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'attempt-test-'));
    await properLockfile(); // loading it takes real time, which a test clock knows nothing of
  });
  afterEach(() => expect(leftIn(directory), 'no lock file is left').toEqual([]));
  afterAll(() => rmSync(directory, { recursive: true }));
  return {
    session: () => {
      count += 1;
      return join(directory, `session-${count}.jsonl`);
    },
    directory: () => directory,
  };
}
