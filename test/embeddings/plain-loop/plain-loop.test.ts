/**
 * The loop of `loop.ts` with real child processes on real files: steps that fail, a stop button, a time limit, children
 * that do not obey, a process that shuts down.
 */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { attempts, createAttempt, readSession, runAttempt } from '../../../src/index.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { useSessionFiles } from '../../support/session-files.js';
import { runSteps, type Step } from './loop.js';

const CHILD = fileURLToPath(new URL('./fixtures/child.mjs', import.meta.url));

const files = useSessionFiles();
afterEach(() => expect(attempts.active(), 'L5: no attempt is at work').toEqual([]));

const step = (session: string, ...args: string[]): Step => ({ session, command: process.execPath, args: [CHILD, ...args] });

async function until<T>(fact: () => T | null | undefined | false): Promise<T> {
  for (;;) {
    const found = fact();
    if (found) return found;
    await pause(5);
  }
}

/** The pid of the child that has said that it is ready: its last line is the attempt's note. */
const ready = (session: string): Promise<number> =>
  until(() => Number(/^ready (\d+)$/.exec(attempts.active(session)[0]?.note ?? '')?.[1]));

/** Has it ended, and been reaped by us? */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

const recordsOf = async (session: string): Promise<unknown[]> => (await readSession(session)).records.map(({ record }) => record);

async function expectFree(session: string): Promise<void> {
  const next = await createAttempt({ session, waitMs: 0, work: () => 'next' }).start();
  expect(next, 'S6').toMatchObject({ outcome: 'completed', lease: 'released' });
}

test('M07: steps in order; one that fails gives its lock back like any other, and the loop goes on', async () => {
  const session = files.session();
  const reports = await runSteps([
    step(session, 'writes', 'a'), step(session, 'fails'), { session, command: '/no/such/program', args: [] },
    step(session, 'writes', 'b'),
  ]);
  expect(reports).toMatchObject([
    { outcome: 'completed', value: 0, token: 1 }, { outcome: 'failed', token: 2 },
    { outcome: 'failed', error: { code: 'ENOENT' }, token: 3 }, { outcome: 'completed', token: 4 },
  ]);
  expect(reports.map(({ lease }) => lease)).toEqual(['released', 'released', 'released', 'released']);
  expect((await readSession(session)).records).toEqual([
    { record: { wrote: 'a' }, token: 1 }, { record: { wrote: 'b' }, token: 4 },
  ]);
  await expectFree(session);
});

test('M01: the stop button ends the child, then the lock is given back, and no further step begins', async () => {
  const session = files.session();
  const stop = new AbortController();
  const run = runSteps([step(session, 'obeys'), step(session, 'writes', 'never')], { signal: stop.signal });
  const pid = await ready(session);
  stop.abort('stop button');
  const reports = await run;
  expect(reports).toMatchObject([{ outcome: 'aborted', abortedBy: 'user', reason: 'stop button', settled: true, lease: 'released' }]);
  expect(isGone(pid)).toBe(true);
  expect(await recordsOf(session)).toEqual([{ interrupted: 'user' }]);
  await expectFree(session);
});

test('M03: a child that ignores TERM is killed, and the lock is kept until it is gone', async () => {
  const session = files.session();
  const stop = new AbortController();
  const run = runSteps([step(session, 'ignores', `${session}.never`)], { signal: stop.signal, killAfterMs: 50, settleMs: 30_000 });
  const pid = await ready(session);
  let goneAtRelease: boolean | null = null;
  stop.abort();
  await until(() => {
    const state = attempts.active(session)[0]?.state ?? 'released';
    if (!/^(running|aborting)/.test(state)) goneAtRelease ??= isGone(pid);
    return state === 'released';
  });
  expect(goneAtRelease).toBe(true);
  expect(await run).toMatchObject([{ abortedBy: 'user', settled: true, lease: 'released' }]);
  expect((await recordsOf(session)).at(-1)).toEqual({ interrupted: 'user' });
  await expectFree(session);
});

test('M09: a child that is not waited for: the lock is given back at the bound, and what it still writes is refused', async () => {
  const session = files.session();
  const told = `${temporaryDirectory()}/told`;
  const stop = new AbortController();
  const run = runSteps([step(session, 'ignores', told)], { signal: stop.signal, killAfterMs: 30_000, settleMs: 0 });
  const pid = await ready(session);
  stop.abort();
  expect(await run).toMatchObject([{ abortedBy: 'user', settled: false, lease: 'released' }]);
  const next = await runAttempt({ session, waitMs: 0, work: (context) => context.session.append({ next: true }) });
  expect(next, 'S6').toMatchObject({ outcome: 'completed', token: 2 });
  await until(() => existsSync(told) && readFileSync(told, 'utf8') !== '');
  expect(readFileSync(told, 'utf8')).toBe('WRITE_FENCED');
  const records = await recordsOf(session);
  expect(records.at(-1), 'S4: nothing of the child comes after the next attempt\'s').toEqual({ next: true });
  expect(records).toContainEqual({ interrupted: 'user' });
  process.kill(pid, 'SIGKILL'); // what the loop would do in half a minute
  await until(() => isGone(pid));
});

test('M01: a step over its time limit is ended and marked, and the next one runs', async () => {
  const session = files.session();
  const [one, two] = await runSteps([step(session, 'obeys'), { session, command: 'true', args: [] }], { timeoutMs: 400 });
  expect(one).toMatchObject({ outcome: 'aborted', abortedBy: 'timeout', abandoned: true, settled: true, lease: 'released' });
  expect(two?.lease).toBe('released');
  await expectFree(session);
});

test('L6: a process that shuts down ends its steps by abortAll, within its time', async () => {
  const session = files.session();
  const run = runSteps([step(session, 'obeys'), step(session, 'writes', 'never')]);
  const pid = await ready(session);
  expect(await attempts.abortAll('shutdown', { withinMs: 30_000 })).toMatchObject([{ result: 'ended', state: 'released' }]);
  expect(isGone(pid)).toBe(true);
  expect(await run).toMatchObject([{ abortedBy: 'shutdown', lease: 'released' }]);
  expect(await recordsOf(session)).toEqual([{ interrupted: 'shutdown' }]);
});
