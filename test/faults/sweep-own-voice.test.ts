/**
 * The sweep blames the lock for what the lock did, not for a fault that met what its victim is told and tells: on a slower
 * machine the nth write of a thread was one of those (`append write#2 ENOSPC: the first never reported`).
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canRun } from './stepping-clock.js';
import type { ToldChild } from './told-child.js';

interface Case { readonly operation: string; readonly fault: string; readonly call: string; readonly nth: number }
interface Result { readonly hit: unknown; readonly violations: readonly string[]; readonly happened: string }
interface OneCase {
  prepareSessions(root: string): Promise<void>;
  startRival(): ToldChild;
  runCase(root: string, rival: ToldChild, what: Case): Promise<Result>;
}

const { prepareSessions, startRival, runCase } = (await import(new URL('sweep/one-case.mjs', import.meta.url).href)) as OneCase;

test('a fault that meets the victim\'s own voice is no case; one that meets the session is', async ({ onTestFinished, skip }) => {
  canRun('strace', ['-o', '/dev/null', '-e', 'inject=chdir:error=EIO:when=1', 'true'], skip);
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'attempt-sweep-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  await prepareSessions(root);
  const rival = startRival();
  onTestFinished(async () => void await rival.kill());
  const failing = (call: string, nth: number): Promise<Result> => runCase(root, rival, { operation: 'append', fault: 'ENOSPC', call, nth });
  expect(await failing('read', 1)).toMatchObject({ hit: false, violations: [], happened: 'it could not tell' });
  // The first write of its thread after it was told to go on says what it is about to write, the second one writes it; where
  // a thread was woken first, each is one later.
  const outcomes = [await failing('write', 1), await failing('write', 2), await failing('write', 3)];
  expect(outcomes.flatMap(({ violations }) => violations)).toEqual([]);
  expect(outcomes.map(({ happened }) => happened)).toContain('completed, write WRITE_FAILED');
  expect(outcomes.map(({ happened }) => happened)).toContain('it could not tell');
});
