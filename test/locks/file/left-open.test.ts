/**
 * A lock that is given back while another process waits is left open for it: it is nobody's, whose turn it is takes it by
 * one rename, and where nobody comes nothing stays.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { diagnose } from '../../../src/diagnosis/diagnose.js';
import { factsOf } from '../../../src/diagnosis/facts.js';
import { fix } from '../../../src/diagnosis/fix.js';
import { systemClock } from '../../../src/clock.js';
import type { Lease } from '../../../src/locks/lock-store.js';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { processMark } from '../../../src/owner.js';
import { inheritAttempt } from '../../../src/session/inherit.js';
import { failing, hooked } from '../../support/fs-steps.js';
import { ask, granted } from './attempt.js';
import { newSession } from './contender.js';

vi.mock('node:fs', async (original) => (await import('../../support/fs-steps.js')).stepped(await original<typeof import('node:fs')>()));

const lockOf = (session: string): string[] => (existsSync(`${session}.lock`) ? readdirSync(`${session}.lock`) : []);
const isLeftOpen = (session: string): boolean => lockOf(session).some((name) => name.startsWith('owner.0.0.'));
const ticketsOf = (session: string): string[] => readdirSync(`${session}.attempt`).filter((name) => name.startsWith('wait.'));

/** Somebody waits: a ticket of a process that lives, or did. @returns takes it away */
function plantTicket(session: string, mark: object = processMark()): () => void {
  mkdirSync(`${session}.attempt`, { recursive: true });
  const path = join(`${session}.attempt`, `wait.1.${randomUUID()}`);
  writeFileSync(path, JSON.stringify({ since: Date.now(), waiting: [{ attemptId: 'planted', since: Date.now() }], ...mark }));
  return () => rmSync(path, { force: true });
}

/** What is to be done later is not done: what is left open stays so for the length of a test. */
const clock = { ...systemClock, setTimeout: (fn: () => void, ms: number, keep?: 'background') => (keep ? null : systemClock.setTimeout(fn, ms)) };

/** Held, by one who has seen that others wait. */
async function heldBefore(session: string): Promise<Lease> {
  const [holder, waiter] = [localFileLocks(), localFileLocks({ clock })];
  const first = await granted(holder, session);
  const waiting = granted(waiter, session, { waitMs: 20_000 });
  await vi.waitUntil(() => ticketsOf(session).length === 1);
  await first.release();
  return waiting; // it was in line itself when it was granted
}

/** Given back while somebody waits who never comes. */
async function leftOpen(session: string): Promise<() => void> {
  const lease = await heldBefore(session);
  const leave = plantTicket(session);
  expect(await lease.release()).toBe('released');
  expect(isLeftOpen(session)).toBe(true);
  return leave;
}

describe('given back while another process waits', () => {
  test('S1 S2 L4: the next takes the very directory, with a token of its own, and its record', async () => {
    const session = newSession();
    const stores = [localFileLocks(), localFileLocks(), localFileLocks()] as const;
    const first = await granted(stores[0], session);
    const waiting = stores.slice(1).map((store) => granted(store, session, { waitMs: 20_000 }));
    await vi.waitUntil(() => ticketsOf(session).length === 2);
    await first.release();
    const second = await Promise.race(waiting);
    const { ino } = lstatSync(`${session}.lock`);
    expect(await second.release()).toBe('released');
    const third = (await Promise.all(waiting)).find((lease) => lease !== second) as Lease;
    expect(lstatSync(`${session}.lock`).ino, 'nothing was made anew').toBe(ino);
    expect(third.token).toBe(second.token + 1);
    const [status] = await stores[0].query(session);
    expect(status?.holder).toMatchObject({ token: third.token, owner: third.owner });
    expect(await second.release(), 'S7: asked again, it takes nothing from the next').toBe('notHeld');
    expect(await stores[0].releaseOwner(session, second.owner)).toBe('notHeld');
    expect(await third.release()).toBe('released');
    expect(lockOf(session)).toEqual([]);
    expect(existsSync(`${session}.lock`)).toBe(false);
  });

  test('what the one before had staged is gone before the next is granted', async () => {
    const session = newSession();
    const holder = await heldBefore(session);
    const staged = holder.staging?.path() ?? '';
    writeFileSync(staged, '');
    const waiting = granted(localFileLocks(), session, { waitMs: 20_000 });
    await vi.waitUntil(() => ticketsOf(session).length === 1);
    await holder.release();
    const next = await waiting;
    expect([existsSync(staged), holder.staging?.confirm(), next.staging?.confirm()]).toEqual([false, false, true]);
    await next.release();
  });

  test('so it is by whom it was passed on to within a process', async () => {
    const session = newSession();
    const store = localFileLocks();
    const first = await granted(store, session);
    const next = granted(store, session, { waitMs: 20_000 });
    await vi.waitUntil(() => ticketsOf(session).length === 1);
    const leave = plantTicket(session);
    await first.release();
    expect(await (await next).release()).toBe('released');
    expect(isLeftOpen(session)).toBe(true);
    leave();
    await (await granted(store, session)).release();
    expect(lockOf(session)).toEqual([]);
  });

  test('every eighth grant is given back to all: plain proper-lockfile users see no lock then', async () => {
    const session = newSession();
    const leave = plantTicket(session);
    for (let token = 1; token <= 16; token += 1) {
      const lease = await granted(localFileLocks({ clock }), session);
      expect(lease.token).toBe(token);
      await lease.release();
      expect([token, isLeftOpen(session), existsSync(`${session}.lock`)]).toEqual([token, token % 8 !== 0, token % 8 !== 0]);
    }
    leave();
  });

  test('where only a process waits that is gone, nothing is left open', async () => {
    const session = newSession();
    const lease = await heldBefore(session);
    plantTicket(session, { ...processMark(), started: '1' });
    expect(await lease.release()).toBe('released');
    expect([existsSync(`${session}.lock`), ticketsOf(session)]).toEqual([false, []]);
  });

  test('S7 S10: a lock that was lost is not left open: it is another\'s', async () => {
    const session = newSession();
    const lease = await heldBefore(session);
    const leave = plantTicket(session);
    await localFileLocks().forceRelease(session, { token: lease.token });
    const next = await granted(localFileLocks(), session);
    expect(await lease.release()).toBe('notHeld');
    expect(lockOf(session)).toEqual([expect.stringMatching(`^owner\\.${next.token}\\.`)]);
    leave();
    await next.release();
  });

  test('S14: what could not be renamed is told as unknown, and answered when it is asked again', async () => {
    const session = newSession();
    const lease = await heldBefore(session);
    const leave = plantTicket(session);
    const stop = hooked((name, _index, args) => {
      if (name === 'renameSync' && String(args[1]).includes('owner.0.0.')) throw failing('EIO');
    });
    onTestFinished(stop);
    expect(await lease.release()).toBe('unknown');
    stop();
    expect(await lease.release()).toBe('released');
    expect(isLeftOpen(session)).toBe(true);
    leave();
    await (await granted(localFileLocks(), session)).release();
    expect(existsSync(`${session}.lock`)).toBe(false);
  });
});

describe('a lock that was left open', () => {
  test('is free for whoever makes one try, for nobody else than one, and is not a plain user\'s', async () => {
    const session = newSession();
    const leave = await leftOpen(session);
    await expect(lockfile.lock(session, { realpath: false, retries: 0 })).rejects.toMatchObject({ code: 'ELOCKED' });
    const answers = await Promise.all([localFileLocks(), localFileLocks(), localFileLocks()].map((store) => ask(store, session)));
    expect(answers.map(({ status }) => status).sort()).toEqual(['busy', 'busy', 'granted']);
    leave();
    for (const answer of answers) if (answer.status === 'granted') await answer.lease.release();
    expect(existsSync(`${session}.lock`)).toBe(false);
  });

  test('is nobody\'s: it is told as free, forced from nobody, and its attempt\'s children have ended', async () => {
    const session = newSession();
    const holder = await heldBefore(session);
    const env = { ATTEMPT_ID: 'a', ATTEMPT_TOKEN: String(holder.token), ATTEMPT_SESSION: session };
    const child = inheritAttempt(env);
    const leave = plantTicket(session);
    await holder.release();
    await expect(child.session.append({ late: true })).rejects.toMatchObject({ code: 'WRITE_FENCED' });
    child.close();
    const locks = localFileLocks();
    expect((await locks.query(session))[0]).toMatchObject({ holder: null, waiting: [{ attemptId: 'planted' }] });
    expect(await locks.forceRelease(session, { token: holder.token })).toBe('notHeld');
    expect(await diagnose(session)).toMatchObject([{ condition: 'queue', holder: null, damage: [] }]);
    expect(isLeftOpen(session)).toBe(true);
    leave();
    await (await granted(locks, session)).release();
  });

  test('goes with the last one that leaves the line without it', async () => {
    const session = newSession();
    const first = await granted(localFileLocks(), session);
    const left = new AbortController();
    const info = { attemptId: 'leaver', pid: 1, host: 'h', state: 'acquiring.waiting', note: null, labels: {} };
    const leave = plantTicket(session); // it stays in front, and never comes
    const store = localFileLocks();
    const elsewhere = await granted(store, newSession());
    const leaver = store.acquire({ session, owner: 'leaver', waitMs: 20_000, signal: left.signal, info });
    await vi.waitUntil(() => ticketsOf(session).length === 2);
    const [entry] = lockOf(session) as [string];
    renameSync(join(`${session}.lock`, entry), join(`${session}.lock`, `owner.0.0.${randomUUID()}`)); // given back just now
    leave();
    left.abort();
    const answer = await leaver;
    if (answer.status === 'granted') await answer.lease.release(); // it was quicker than our abort
    await vi.waitUntil(() => !existsSync(`${session}.lock`));
    expect(ticketsOf(session)).toEqual([]);
    expect([await first.release(), await elsewhere.release()]).toEqual(['notHeld', 'released']);
  });

  test('by somebody killed in between is called a leftover, and fixed: nobody waits for it', async () => {
    const session = newSession();
    const leave = await leftOpen(session);
    leave();
    expect(await diagnose(session)).toMatchObject([{ condition: 'leftovers', holder: null, leftovers: [{ kind: 'lock', proved: true }] }]);
    expect(fix(await factsOf(session, undefined))).toMatchObject([{ changed: true }]);
    expect(existsSync(`${session}.lock`)).toBe(false);
    expect(await diagnose(session)).toMatchObject([{ condition: 'free' }]);
  });

  test('and taken over while the doctor looked stays with who took it', async () => {
    const session = newSession();
    (await leftOpen(session))();
    const facts = await factsOf(session, undefined);
    const lease = await granted(localFileLocks(), session);
    expect(fix(facts)).toMatchObject([{ changed: false }]);
    expect(await lease.release()).toBe('released');
  });
});

test('S7: a lock is not passed on beside what a holder before staged and the disk does not let go', async () => {
  const session = newSession();
  const locks = localFileLocks();
  const first = await granted(locks, session);
  const next = granted(locks, session, { waitMs: 20_000 });
  await vi.waitFor(async () => expect((await locks.query(session))[0]?.waiting).toHaveLength(1), { interval: 1 });
  writeFileSync(first.staging?.path() ?? '', '');
  const isHeld = (): boolean => readdirSync(`${session}.lock`).some((name) => name.startsWith('owner.'));
  const stop = hooked((name, _index, [path]) => {
    if (name === 'unlinkSync' && String(path).includes('staged.')) throw failing('EIO');
  });
  onTestFinished(stop);
  expect([await first.release(), isHeld()]).toEqual(['unknown', false]);
  stop();
  expect(await first.release()).toBe('released');
  expect(await (await next).release()).toBe('released');
  expect(existsSync(`${session}.lock`)).toBe(false);
});
