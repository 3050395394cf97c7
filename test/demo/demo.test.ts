/**
 * The demonstration as users run it: built, piped, with its real processes. `npm test` has built it before.
 * The three runs go side by side; each has a temp directory, and a process group, of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/src/demo/main.js', import.meta.url));
const LIMIT_MS = 170_000;

interface Run {
  readonly child: ChildProcess;
  readonly scratch: string;
  readonly ended: Promise<[number | null, string | null]>;
  text(): string;
}

/** In a group of its own, so that whoever is left behind can be found. */
async function inScratch(test: (run: Run) => Promise<void>): Promise<void> {
  expect(existsSync(MAIN), 'the demonstration is built (npm run build)').toBe(true);
  const scratch = mkdtempSync(join(tmpdir(), 'demo-test-'));
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, TMPDIR: scratch, TEMP: scratch, TMP: scratch }, detached: true, stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more: string) => { text += more; });
  try {
    await test({ child, scratch, text: () => text, ended: once(child, 'close') as Run['ended'] });
  } finally {
    if (isAnybodyLeft(child)) process.kill(-(child.pid as number), 'SIGKILL');
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Signal 0 to the group: nobody in it, nobody left. */
function isAnybodyLeft({ pid }: ChildProcess): boolean {
  try {
    process.kill(-(pid as number), 0);
    return true;
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ESRCH');
    return false;
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + LIMIT_MS; !holds(); await pause(5)) if (Date.now() > end) throw new Error(`never: ${what}`);
}

const TITLES = [
  'completes', 'throws', 'user stop', 'timeout', 'ignores the stop', 'stopped while waiting', 'waits its turn',
  'kill -9 of the holder', 'a late writer',
];

/** The session of a run under way, as text; empty while there is none. */
function sessionOf(scratch: string): string {
  const [directory] = readdirSync(scratch);
  const session = directory === undefined ? '' : join(scratch, directory, 'session.jsonl');
  return existsSync(session) ? readFileSync(session, 'utf8') : '';
}

describe.skipIf(process.platform === 'win32')('the demonstration', { concurrent: true, timeout: LIMIT_MS }, () => {
  it('shows every row as promised, exits 0, and leaves no process and no file', () => inScratch(async (run) => {
    expect(await run.ended).toEqual([0, null]);
    const text = run.text();
    expect(text.match(/^(ok|WRONG) .*$/gm)?.map((line) => line.slice(0, 28).trim())).toEqual(TITLES.map((title) => `ok    ${title}`));
    expect(text).toMatch(/is locked by stopped-run\s+\(pid \d+\)/);
    expect(text).toContain('25 records, 1 left out (the late writer\'s), 0 torn, 0 lock files');
    expect(text).not.toMatch(new RegExp(`WRONG|Warning|${String.fromCharCode(27)}|\r`));
    expect(isAnybodyLeft(run.child)).toBe(false);
    expect(readdirSync(run.scratch)).toEqual([]);
  }));

  it('M16: Ctrl-C in the middle ends everything and takes everything away', () => inScratch(async (run) => {
    await until('a row', () => run.text().includes('ok    throws'));
    process.kill(-(run.child.pid as number), 'SIGINT'); // as a terminal does: to the whole group
    expect(await run.ended).toEqual([null, 'SIGINT']);
    await until('the group is gone', () => !isAnybodyLeft(run.child));
    expect(readdirSync(run.scratch)).toEqual([]);
  }));

  it('kill -9 of the demonstration leaves no process behind, not even the frozen one', () => inScratch(async (run) => {
    await until('the late writer at work', () => sessionOf(run.scratch).includes('{"$attempt":17,"attempt":"late-writer"'));
    run.child.kill('SIGKILL');
    await run.ended;
    await until('the group is gone', () => !isAnybodyLeft(run.child));
  }));
});
