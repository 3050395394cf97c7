/**
 * The last reports of a session, kept beside its lock: 20, bounded in bytes, whatever they say and whatever lies there.
 */
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runAttempt } from '../../../src/attempt.js';
import type { KeptReport } from '../../../src/kept-report.js';
import { keepReport, lastReports } from '../../../src/locks/file/last-reports.js';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';

let room: string;
let session: string;
const file = (): string => join(room, 'reports');

beforeEach(() => {
  session = join(mkdtempSync(join(tmpdir(), 'attempt-reports-')), 's');
  room = `${session}.attempt`;
});
afterEach(() => rmSync(join(room, '..'), { recursive: true, force: true }));

const KEPT: KeptReport = {
  token: 1, attemptId: 'one', pid: 1, host: 'here', outcome: 'completed', abortedBy: null, timeoutKind: null,
  lateAborts: [], lease: 'released', settled: true, abandoned: false, fencing: 'stamped', endedAt: 1,
  timings: { waitedMs: 0, heldMs: 1, ranMs: 1, abortToReleaseMs: null }, labels: {}, error: null, path: [],
};

test('of 25 attempts the last 20 are kept, the newest first, with their facts and without what they returned', async () => {
  const locks = localFileLocks();
  for (let n = 1; n <= 25; n += 1) {
    await runAttempt({ session, locks, attemptId: `n${n}`, labels: { n: String(n) }, work: () => ({ secret: 'of the session' }) });
  }
  const { reports, damaged, problem } = lastReports(room);
  expect({ damaged, problem }).toEqual({ damaged: 0, problem: null });
  expect(reports.map(({ attemptId }) => attemptId)).toEqual(Array.from({ length: 20 }, (_, n) => `n${25 - n}`));
  expect(reports[0]).toMatchObject({
    token: 25, outcome: 'completed', lease: 'released', settled: true, labels: { n: '25' }, error: null, pid: process.pid,
  });
  expect(reports[0]?.path.map(({ to }) => to.split('.')[0])).toEqual(['acquiring', 'locked', 'running', 'releasing', 'released']);
  expect(readFileSync(file(), 'utf8')).not.toContain('secret');
  expect(statSync(file()).size).toBe(20 * 2_048);
});

test('how it ended is kept: a throw, an abort, a timeout; who was refused the lock pushes nobody out', async () => {
  const locks = localFileLocks();
  await runAttempt({ session, locks, work: () => { throw Object.assign(new TypeError('no'), { code: 'E_NO' }); } });
  const stop = new AbortController();
  await runAttempt({ session, locks, signal: stop.signal, settleMs: 0, work: () => { stop.abort(); return new Promise(() => {}); } });
  await runAttempt({
    session, locks, timeoutMs: 1, settleMs: 0,
    work: async () => {
      const refused = await runAttempt({ session, locks, waitMs: 0, work: () => 0 });
      expect(refused.outcome).toBe('notStarted');
      return new Promise(() => {});
    },
  });
  expect(lastReports(room).reports).toMatchObject([
    { token: 3, outcome: 'aborted', abortedBy: 'timeout', timeoutKind: 'run', settled: false, abandoned: true },
    { token: 2, outcome: 'aborted', abortedBy: 'user', settled: false, error: { name: 'AbortError', code: 'ABORT_ERR' } },
    { token: 1, outcome: 'failed', error: { name: 'TypeError', code: 'E_NO', message: 'no' } },
  ]);
});

test('a report of any length fits its slot: what explains least goes first', () => {
  mkdirSync(room);
  const labels = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`\u{1f512}${n}`, '\u{1f512}'.repeat(128)]));
  const message = '\u{1f512}'.repeat(150);
  keepReport(room, { ...KEPT, attemptId: 'x'.repeat(200), labels, error: { name: 'Error', code: null, message } });
  expect(lastReports(room)).toMatchObject({ damaged: 0, reports: [{ attemptId: 'x'.repeat(200), labels: {}, outcome: 'completed' }] });
  expect(statSync(file()).size).toBeLessThanOrEqual(20 * 2_048);
});

test('a report that comes 20 grants too late does not push out the later one', () => {
  mkdirSync(room);
  keepReport(room, { ...KEPT, token: 21, attemptId: 'later' });
  keepReport(room, KEPT);
  expect(lastReports(room).reports).toMatchObject([{ token: 21, attemptId: 'later' }]);
});

test('each has the slot of its token, filled to its end: one line, and nothing of what was there before', () => {
  mkdirSync(room);
  keepReport(room, { ...KEPT, token: 22, attemptId: 'x'.repeat(200), labels: { long: 'y'.repeat(200) } });
  keepReport(room, { ...KEPT, token: 22, attemptId: 'again' });
  const bytes = readFileSync(file());
  expect(bytes.length).toBe(3 * 2_048);
  expect(bytes.subarray(0, 2 * 2_048).every((byte) => byte === 0)).toBe(true);
  expect(bytes.subarray(2 * 2_048).toString()).toMatch(/^\{"token":22,.*\} *\n$/);
  expect(lastReports(room)).toEqual({ reports: [{ ...KEPT, token: 22, attemptId: 'again' }], damaged: 0, problem: null });
});

test('a report that just fits its slot, or just does not, is whole when it is read', () => {
  mkdirSync(room);
  for (let more = 1_600; more < 1_800; more += 1) {
    keepReport(room, { ...KEPT, attemptId: 'with  spaces in it', labels: { long: 'x'.repeat(more) } });
    expect(lastReports(room), `${more}`).toMatchObject({ damaged: 0, reports: [{ attemptId: 'with  spaces in it' }] });
  }
});

test('what only looks like a later report, or stands in another one\'s slot, is not believed and is written over', () => {
  mkdirSync(room);
  keepReport(room, { ...KEPT, token: 3, attemptId: 'a later one' });
  const bytes = Buffer.concat([readFileSync(file()), Buffer.alloc(20 * 2_048)]);
  bytes.write('{"token":21,"torn', 2_048);
  bytes.copy(bytes, 5 * 2_048, 3 * 2_048, 4 * 2_048);
  bytes.write(`x${JSON.stringify({ ...KEPT, token: 26 })}`, 6 * 2_048);
  writeFileSync(file(), bytes);
  expect(lastReports(room)).toMatchObject({ reports: [{ token: 3 }], damaged: 3 });
  keepReport(room, KEPT);
  keepReport(room, { ...KEPT, token: 6 });
  expect(lastReports(room)).toMatchObject({ reports: [{ token: 6 }, { token: 3 }, { token: 1 }], damaged: 1 });
});

test('a room that is not there, or no room, is no problem to tell: there are no reports', () => {
  const none = { reports: [], damaged: 0, problem: null };
  expect(lastReports(room)).toEqual(none);
  writeFileSync(room, '');
  expect(lastReports(room)).toEqual(none);
  expect(() => keepReport(room, KEPT)).toThrow('ENOTDIR');
});

test('what is torn, foreign or far too long is counted, and the rest is shown', () => {
  mkdirSync(room);
  keepReport(room, { ...KEPT, token: 5 });
  const bytes = Buffer.concat([readFileSync(file()), Buffer.alloc(1_000_000, 'x')]);
  bytes.write('{"token":0,"torn', 0);
  bytes.write(JSON.stringify({ ...KEPT, token: 7, attemptId: {} }), 7 * 2_048);
  writeFileSync(file(), bytes);
  const { reports, damaged } = lastReports(room);
  expect(reports).toMatchObject([{ token: 5 }]);
  expect(damaged).toBe(15);
});

test('text that could act on a terminal is kept as text, of bounded length', () => {
  mkdirSync(room);
  keepReport(room, { ...KEPT, error: { name: '\u001b[31m', code: null, message: 'a\nb\u001b]0;c\u0007' } });
  expect(readFileSync(file(), 'utf8')).not.toMatch(/\u001b|\u0007/); // eslint-disable-line no-control-regex -- looked for
  expect(lastReports(room).reports[0]?.error?.name).toBe('\u001b[31m');
});

test.each<[string, () => void]>([
  ['a link to another file', () => symlinkSync(session, file())],
  ['a second name of another file', () => { writeFileSync(`${room}/victim`, ''); linkSync(`${room}/victim`, file()); }],
  ['a directory', () => mkdirSync(file())],
  ['a pipe', () => void execFileSync('mkfifo', [file()])],
])('%s in its place is neither written, nor waited for, nor removed; the attempt ends well, with one warning', async (_, plant) => {
  mkdirSync(room);
  writeFileSync(session, 'as it was\n');
  plant();
  const warned: string[] = [];
  const listen = (warning: Error & { code?: string }): void => void warned.push(warning.code ?? '');
  process.on('warning', listen);
  const report = await runAttempt({ session, locks: localFileLocks(), work: () => 'ran' });
  await new Promise((resolve) => { setImmediate(resolve); });
  process.off('warning', listen);
  expect(report).toMatchObject({ outcome: 'completed', lease: 'released', value: 'ran' });
  expect(warned).toEqual(['ATTEMPT_REPORT_NOT_KEPT']);
  expect(readFileSync(session, 'utf8')).toBe('as it was\n');
  expect(lastReports(room)).toMatchObject({ reports: [], problem: expect.any(String) as string });
});
