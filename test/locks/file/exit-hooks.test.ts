/**
 * proper-lockfile listens to signals from the first lock on, and must not end a process that is ending by itself.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import { temporaryDirectory } from '../../support/temporary.js';

const index = new URL('../../../dist/src/index.js', import.meta.url).href;

/** A program that holds a lock until it is stopped. @param listen what it does about a signal */
async function interrupted(listen: string): Promise<{ said: string; ended: number | NodeJS.Signals | null; left: boolean }> {
  const session = join(temporaryDirectory(), 's');
  const program = `import { runAttempt } from ${JSON.stringify(index)};
    const stop = new AbortController();
    process.${listen};
    const work = ({ signal }) => new Promise((_, fail) => {
      setTimeout(fail, 60_000);
      signal.addEventListener('abort', () => setTimeout(fail, 50));
    });
    const { outcome, lease } = await runAttempt({ session: ${JSON.stringify(session)}, signal: stop.signal, work });
    console.log(outcome, lease);
    process.exit(7);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said, ended] = [text(child.stdout), new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal));
  })];
  await vi.waitFor(() => expect(existsSync(`${session}.lock`)).toBe(true), { timeout: 20_000, interval: 10 });
  child.kill('SIGINT');
  return { said: await said, ended: await ended, left: existsSync(`${session}.lock`) };
}

test.each(['once', 'on'])('L6: a listener that was there before the lock (%s) ends it in its own time', async (how) => {
  expect(await interrupted(`${how}('SIGINT', () => stop.abort())`)).toEqual({ said: 'aborted released\n', ended: 7, left: false });
});

test('L6: where nobody listens the signal ends the process, and the lock is given back', async () => {
  expect(await interrupted('title')).toEqual({ said: '', ended: 'SIGINT', left: false });
});
