/**
 * Each condition a session can be in, on real files: what it is called, when it is free and by which bound, what is
 * advised; that looking changes nothing, and that nothing hostile reaches a terminal.
 */
import { linkSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAttempt } from '../../src/attempt.js';
import { cardOf } from '../../src/diagnosis/card.js';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import type { Condition, Diagnosis } from '../../src/diagnosis/diagnosis.js';
import { shellWord } from '../../src/diagnosis/shell-word.js';
import { localFileLocks } from '../../src/locks/file/local-file-locks.js';
import { identity } from '../../src/owner.js';
import { deadMark, directory, factsAt, LEASE_MS, picture, plant, plantWaiter } from './planted.js';

let dir: string;
let session: string;
beforeEach(() => {
  dir = directory();
  session = join(dir, 's');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Can this system tell whether another process lives? Elsewhere it is unknown, and said to be so. */
const canTell = identity().boot !== null && identity().started !== null;
if (!canTell) console.warn('SKIPPED: whether a process lives cannot be told here');

async function look(): Promise<Diagnosis> {
  const before = picture(dir);
  const [diagnosis] = await diagnose(session);
  expect(picture(dir), 'it reads only').toEqual(before);
  return diagnosis as Diagnosis;
}

/** An empty lock directory of plain proper-lockfile, so old. */
function emptyLock(ageMs: number): void {
  mkdirSync(`${session}.lock`);
  const then = new Date(Date.now() - ageMs);
  utimesSync(`${session}.lock`, then, then);
}

/** An old directory that was never put in place. */
function abandoned(): void {
  const path = join(`${session}.attempt`, 'new.00000000-0000-0000-0000-000000000000');
  mkdirSync(path, { recursive: true });
  const then = new Date(Date.now() - 60_000);
  utimesSync(path, then, then);
}

const now = Date.now;

/** A lease so long that half of it is late for a minute, whatever keeps the test waiting. */
const SLOW = { leaseMs: 120_000 };
const silent = (): { until: number } => ({ until: now() + 60_000 });
type Row = [what: string, make: () => unknown, condition: Condition, sentence: RegExp, next: RegExp];

describe.skipIf(!canTell)('conditions', () => {
  test.each<Row>([
    ['nothing there', () => {}, 'free', /^free$/, /nothing to do/],
    ['a fresh lock of a process that lives', () => plant(session), 'healthy', /^held for .* by attempt planted, token 7 \(running\), in g/, /wait/],
    ['long not renewed', () => plant(session, SLOW, silent()), 'overdue', /late: it renewed its lease .* ago, which is late$/, /end of its lease/],
    [
      'of another machine, long not renewed', () => plant(session, { ...SLOW, host: 'far' }, silent()), 'overdue',
      /late: its lease should have been renewed/, /end of its lease/,
    ],
    [
      'past its own time limit', () => plant(session, { facts: { ...factsAt(now()), stateSince: now() - 90_000 } }), 'overdue',
      /late: its 1 min to run were over .* ago/, /take the lock away/,
    ],
    ['a lease that has ended', () => plant(session, {}, { until: now() - 2_000 }), 'inDoubt', /its lease ended .* ago, and nobody/, /run what you/],
    [
      'ended work that goes on', () => plant(session, {
        state: 'aborting.timeout', facts: { ...factsAt(now()), onUnsettled: 'hold', unsettled: true },
      }), 'unsettled', /which was ended; its work goes on/, /end the process/,
    ],
    ['a process that is gone', () => plant(session, deadMark()), 'dead', /whose process is gone: process \d+ is another one/, /give the lock back/],
    ['one of another boot', () => plant(session, { boot: 'another' }), 'dead', /this machine has been started anew since/, /give the lock back/],
    ['an empty directory', () => emptyLock(0), 'foreign', /by an empty lock directory: plain proper-lockfile/, /ask whoever made it/],
    ['an old empty directory', () => emptyLock(60_000), 'leftovers', /^free; one thing left/, /for you to judge/],
    ['a file in its place', () => writeFileSync(`${session}.lock`, ''), 'foreign', /not one of our locks: a file/, /ask whoever/],
    ['a link in its place', () => symlinkSync(join(dir, 'nowhere'), `${session}.lock`), 'foreign', /of our locks: a symbolic link/, /ask whoever/],
    ['an owner file that is no record', () => writeFileSync(plant(session), 'torn{'), 'corrupt', /the owner file in the lock cannot/, /look at it/],
    ['two owner files', () => {
      const one = plant(session);
      linkSync(one, `${one.slice(0, -1)}${one.endsWith('0') ? '1' : '0'}`);
    }, 'corrupt', /more than one owner file/, /look at it/],
    ['a file for a room', () => writeFileSync(`${session}.attempt`, ''), 'corrupt', /is not a directory: nobody can take/, /look at it/],
    ['reports that are none', () => {
      mkdirSync(`${session}.attempt`);
      writeFileSync(join(`${session}.attempt`, 'reports'), 'x'.repeat(5_000));
    }, 'corrupt', /3 of the kept reports cannot be read/, /look at it/],
    ['somebody in line', () => plantWaiter(session, {}), 'queue', /^free, and being handed over: one waits$/, /handed over/],
    ['the place of a dead waiter', () => plantWaiter(session, deadMark()), 'leftovers', /one thing left/, /can be removed/],
    ['a directory never put in place', () => abandoned(), 'leftovers', /one thing left/, /can be removed/],
  ])('%s', async (_, make, condition, sentence, next) => {
    make();
    const diagnosis = await look();
    expect(diagnosis).toMatchObject({ condition, sentence: expect.stringMatching(sentence) as string });
    expect(diagnosis.next.say).toMatch(next);
    expect(cardOf(diagnosis).split('\n').filter((line) => line.length > 80 && !line.includes(dir))).toEqual([]);
  });
});

test('a holder of another host, or one that does not say, is unknown and never called dead', async () => {
  plant(session, { host: `not-${hostname()}` });
  expect((await look()).liveness).toMatchObject({ verdict: 'unknown', evidence: [expect.stringContaining('only there') as string] });
});

test('a live attempt: its limits set and default, when it is free at the latest and by which bound, who waits', async () => {
  const locks = localFileLocks();
  let end = (): void => {};
  const attempt = createAttempt({
    session, locks, attemptId: 'one', timeoutMs: 60_000, settleMs: 1_000, labels: { job: 'nightly' },
    work: ({ progress }) => {
      progress('half');
      return new Promise<void>((resolve) => { end = resolve; });
    },
  });
  const done = attempt.start();
  const waiter = createAttempt({ session, locks, attemptId: 'two', work: () => 'mine' });
  const waited = waiter.start();
  await new Promise<void>((resolve) => {
    const stop = attempt.subscribe(({ state, note }) => { if (state === 'running.working' && note === 'half') { stop(); resolve(); } });
  });
  // The record tells as of its last renewal: the lock shows the state within half a second.
  let seen: Diagnosis;
  do {
    await new Promise((resolve) => { setTimeout(resolve, 20); });
    [seen] = await diagnose(session) as [Diagnosis];
  } while (seen.holder?.state !== 'running.working');
  expect(seen).toMatchObject({
    condition: 'healthy', also: ['queue'], holder: { attemptId: 'one', note: 'half', labels: { job: 'nightly' } },
    waiting: [{ attemptId: 'two' }], liveness: { verdict: canTell ? 'alive' : 'unknown' },
    freeBy: {
      at: (seen.holder.facts?.stateSince ?? 0) + 60_000 + 1_000 + LEASE_MS,
      bound: expect.stringContaining('1 min to run, 1 s to settle') as string,
    },
  });
  expect(seen.budgets).toContainEqual({ name: 'timeoutMs', ms: 60_000, from: 'set' });
  expect(seen.budgets).toContainEqual({ name: 'openMs', ms: 5_000, from: 'default' });
  expect(seen.budgets).toContainEqual({ name: 'idleTimeoutMs', ms: null, from: 'default' });
  end();
  expect([(await done).outcome, (await waited).outcome]).toEqual(['completed', 'completed']);
  const after = await look();
  expect(after).toMatchObject({ condition: 'free', freeBy: { at: after.at }, reports: [{ attemptId: 'two' }, { attemptId: 'one' }] });
});

test('why ended work does not settle is told, with its last sign of life', async () => {
  plant(session, {
    state: 'aborting.user', facts: { ...factsAt(now()), stateSince: now() - 1_500, progressAt: now() - 30_000, onUnsettled: 'hold' },
  });
  const { unsettledBecause } = await look();
  expect(unsettledBecause).toMatch(/^ended by user .* ago; its work was told and has not ended; its last sign .* ago; the lock is/);
});

test('nothing hostile reaches a terminal: names, labels, notes and reports are shown as text, and no command is offered to copy', async () => {
  const evil = '\u001b]0;owned\u0007\u202e\n';
  session = join(dir, `s${evil}`);
  plant(session, { attemptId: evil, state: evil, note: evil, labels: { [evil]: evil } });
  mkdirSync(`${session}.attempt`, { recursive: true });
  const [diagnosis] = await diagnose(session);
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  expect(cardOf(diagnosis as Diagnosis)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(diagnosis?.next.command).toBeNull();
});

test('a card of what is no diagnosis is refused in words: of the list of diagnose() itself, too', async () => {
  const list = await diagnose(session);
  for (const [given, found] of [[list, 'an array'], [undefined, 'undefined'], [null, 'null'], [{}, 'an object']] as const) {
    expect(() => cardOf(given as unknown as Diagnosis)).toThrow(expect.objectContaining({
      code: 'CONFIG_INVALID', message: `diagnosis: expected one of the list diagnose() resolves to, got ${found}`,
    }) as Error);
  }
});

test('a directory gives each session in it once, with links, files and other directories beside them left alone', async () => {
  plant(join(dir, 'a'));
  mkdirSync(join(dir, 'b.attempt'));
  writeFileSync(join(dir, 'c.attempt'), 'a file of that name may be anything');
  writeFileSync(join(dir, 'd'), '');
  expect((await diagnose(dir)).map((one) => one.session)).toEqual([join(dir, 'a'), join(dir, 'b')]);
  await expect(diagnose(join(dir, 'no', 'where'))).rejects.toMatchObject({ code: 'SESSION_INVALID' });
  await expect(diagnose('')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

test('a word for a shell is one word there, or none', () => {
  expect([shellWord('a/b.jsonl'), shellWord("it's $(here)"), shellWord('a\nb')]).toEqual(['a/b.jsonl', "'it'\\''s $(here)'", null]);
});
