/**
 * The store of file locks as one process uses it: its times, its line, and what it does about several sessions at once.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { properLockfile } from '../../../src/locks/file/proper-lockfile.js';
import type { AcquireRequest, HolderInfo, LeaseNotice, LockStore } from '../../../src/locks/lock-store.js';
import { ownerOf, processMark } from '../../../src/owner.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { ask, granted } from './attempt.js';

const newSession = (): string => join(temporaryDirectory(), 's.jsonl');
const ticketsOf = (session: string): string[] => readdirSync(`${session}.attempt`).filter((name) => name.startsWith('wait.'));

function requestOf(session: string, owner: string, info: Partial<HolderInfo> = {}): AcquireRequest {
  return {
    session, owner, waitMs: 0, signal: new AbortController().signal, tokenFloor: async () => 0,
    info: { attemptId: owner, pid: 1, host: 'h', state: 'running.working', note: null, labels: {}, ...info },
  };
}

/** A ticket of a process that lives, and never takes its turn. */
function plantTicket(session: string, number: number): string {
  const name = `wait.${number}.${randomUUID()}`;
  mkdirSync(`${session}.attempt`, { recursive: true });
  writeFileSync(join(`${session}.attempt`, name), JSON.stringify({ ...processMark(), since: Date.now(), waiting: [] }));
  return name;
}

/** Nobody of those who wait has been let run. */
const isHeld = (session: string): boolean =>
  existsSync(`${session}.lock`) && !readdirSync(`${session}.lock`).some((name) => name.startsWith('owner.0.0.'));

async function waiting(locks: LockStore, session: string, count: number): Promise<Promise<Awaited<ReturnType<typeof granted>>>[]> {
  const all = Array.from({ length: count }, () => granted(locks, session, { waitMs: 20_000 }));
  await vi.waitFor(async () => expect((await locks.query(session))[0]?.waiting).toHaveLength(count), { interval: 1 });
  return all;
}

describe('times', () => {
  test.each([[6_000, 1_900, 2_300], [30_000, 2_900, 3_300]])(
    'L3: a lease of %i is renewed at a third of it, and at three seconds at the latest', async (leaseMs, before, after) => {
      await properLockfile();
      const clock = new VirtualClock();
      const lease = await granted(localFileLocks({ leaseMs, clock }), newSession());
      expect(lease.deadline).toBe(leaseMs);
      await clock.advance(before);
      expect(lease.deadline).toBe(leaseMs);
      await clock.advance(after - before);
      expect(lease.deadline).toBeGreaterThan(leaseMs + before);
      await lease.release();
      expect(clock.armed).toBe(0);
    });

  test('S11: an owner that was given up is granted nothing for a lease and an answer', async () => {
    const clock = new VirtualClock();
    const locks = localFileLocks({ leaseMs: 6_000, clock });
    const session = newSession();
    expect(await locks.releaseOwner(session, 'gone')).toBe('notHeld');
    await clock.advance(10_900);
    expect(await locks.acquire(requestOf(session, 'gone'))).toMatchObject({ status: 'busy' });
    await clock.advance(200);
    const answer = await locks.acquire(requestOf(session, 'gone'));
    expect(answer.status).toBe('granted');
    if (answer.status === 'granted') await answer.lease.release();
  });

  test('M22: how long the heart had to wait is told with the facts of a holder', async () => {
    const session = newSession();
    const facts = { stateSince: 5 } as NonNullable<HolderInfo['facts']>;
    const answer = await localFileLocks().acquire(requestOf(session, 'us', { facts }));
    expect((await localFileLocks().query(session))[0]?.holder?.facts).toMatchObject({
      stateSince: 5, loopDelayMs: expect.any(Number) as number,
    });
    if (answer.status === 'granted') await answer.lease.release();
  });
});

describe('trouble', () => {
  test('S6: a try that meets trouble leaves the line: the next one meets the same, and is served when it is over', async () => {
    const locks = localFileLocks();
    const session = newSession();
    writeFileSync(`${session}.attempt`, 'in the way');
    for (let time = 0; time < 2; time += 1) await expect(ask(locks, session, { waitMs: 20_000 })).rejects.toThrow(/expected a directory/);
    expect([isHeld(session), await locks.query()]).toEqual([false, []]);
    rmSync(`${session}.attempt`);
    await (await granted(locks, session, { waitMs: 20_000 })).release();
  });

  test('S6: without a token to be had the lock is given back, and the error is told', async () => {
    const locks = localFileLocks();
    const session = newSession();
    mkdirSync(`${session}.attempt`);
    writeFileSync(join(`${session}.attempt`, `token.${Number.MAX_SAFE_INTEGER}`), '');
    await expect(ask(locks, session)).rejects.toThrow('no higher safe integer');
    expect([isHeld(session), await locks.query()]).toEqual([false, []]);
  });

  test('S14: of a session that cannot be found nothing of our own is held; of others it is not known', async () => {
    const home = temporaryDirectory();
    writeFileSync(join(home, 'file'), '');
    const session = join(home, 'file', 's.jsonl');
    const locks = localFileLocks();
    expect(await locks.releaseOwner(session, ownerOf('a'))).toBe('notHeld');
    await expect(locks.releaseOwner(session, 'another')).rejects.toThrow('ENOTDIR');
  });
});

describe('several sessions at once', () => {
  async function two() {
    const locks = localFileLocks();
    const sessions = [newSession(), newSession()] as const;
    const heard: Record<string, LeaseNotice[]> = {};
    const leases = [];
    for (const session of sessions) {
      const lease = await granted(locks, session);
      heard[session] = [];
      lease.onNotice((notice) => heard[session]?.push(notice));
      leases.push(lease);
    }
    return { locks, sessions, heard, leases };
  }

  test('S7: force and asks reach the grant of that very session, though tokens are the same', async () => {
    const { locks, sessions: [one, other], heard, leases } = await two();
    expect(leases.map(({ token }) => token)).toEqual([1, 1]);
    const signal = new AbortController().signal;
    expect(await locks.askHolder?.(other, { token: 1, owner: null }, { as: 'user', by: 'us', signal })).toBe('asked');
    expect([heard[one]?.length, heard[other]?.map(({ type }) => type)]).toEqual([0, ['stopped']]);
    expect(await locks.forceRelease(other, { token: 2 })).toBe('notHeld');
    expect(await locks.forceRelease(other, { token: 1 })).toBe('released');
    expect([heard[one]?.length, heard[other]?.map(({ type }) => type)]).toEqual([0, ['stopped', 'lost']]);
    expect([isHeld(one), isHeld(other)]).toEqual([true, false]);
    expect((await locks.query()).map(({ session }) => session)).toEqual([one]);
    expect((await locks.query(other))[0]?.holder).toBeNull();
    expect(await leases[0]?.release()).toBe('released');
  });

  test('M22: each holder is told with its own state', async () => {
    const { locks, sessions: [one], leases } = await two();
    const other = newSession();
    const info = { state: 'cleaning' };
    const answer = await locks.acquire(requestOf(other, 'third', info));
    const told = await Promise.all([one, other].map(async (session) => (await locks.query(session))[0]?.holder));
    expect(told).toMatchObject([{ state: 'running.working', sameProcess: true }, { state: 'cleaning', attemptId: 'third', sameProcess: true }]);
    for (const lease of leases) await lease.release();
    if (answer.status === 'granted') await answer.lease.release();
  });

  test('M19: a grant under way, a refusing holder, and one that is being given back are not ended', async () => {
    const locks = localFileLocks();
    const session = newSession();
    const answer = await locks.acquire(requestOf(session, 'us', { supersedable: false }));
    const signal = new AbortController().signal;
    expect(await locks.askHolder?.(session, { token: 1, owner: null }, { as: 'superseded', by: 'us', signal })).toBe('refused');
    expect(await locks.askHolder?.(session, { token: 0, owner: null }, { as: 'user', by: 'us', signal })).toBe('unknown');
    expect(await locks.forceRelease(session, { token: 0 })).toBe('notHeld');
    if (answer.status === 'granted') await answer.lease.release();
    expect(await locks.askHolder?.(session, { token: 1, owner: null }, { as: 'user', by: 'us', signal })).toBe('notHeld');
  });
});

describe('the line of one process', () => {
  test('L4: passed on past others eight times in a row, then given back to all, and those of ours go behind', async () => {
    const session = newSession();
    const locks = localFileLocks();
    let lease = await granted(locks, session);
    const all = await waiting(locks, session, 10);
    const other = plantTicket(session, 7);
    const held: boolean[] = [];
    for (const next of all) {
      await lease.release();
      held.push(isHeld(session)); // in the tick of the release
      if (!held.at(-1)) expect(ticketsOf(session).sort()[0]).toBe(other);
      lease = await next;
    }
    expect(held).toEqual([true, true, true, true, true, true, true, true, false, true]);
    await lease.release();
    expect(ticketsOf(session)).toEqual([other]);
  });

  test('L4: one of ours is served while others of ours wait: those go behind who waits elsewhere', async () => {
    const session = newSession();
    const first = await granted(localFileLocks(), session);
    const locks = localFileLocks();
    const all = [granted(locks, session, { waitMs: 20_000 }), granted(locks, session, { waitMs: 20_000 })];
    await vi.waitFor(() => expect(ticketsOf(session)).toHaveLength(1), { interval: 1 });
    const other = plantTicket(session, 7);
    await first.release();
    const second = await all[0];
    expect(ticketsOf(session).sort()).toEqual([other, expect.stringMatching(/^wait\.8\./)]);
    await second?.release();
    await (await all[1])?.release();
    expect(ticketsOf(session)).toEqual([other]);
  });

  test('S3: tokens of another boot are not passed on: the session is asked first', async () => {
    const session = newSession();
    const locks = localFileLocks();
    const lease = await granted(locks, session);
    const next = granted(locks, session, { waitMs: 20_000, floor: async () => 100 });
    await vi.waitFor(() => expect(ticketsOf(session)).toHaveLength(1), { interval: 1 });
    for (const name of readdirSync(`${session}.attempt`)) if (name.startsWith('boot.')) rmSync(join(`${session}.attempt`, name));
    await lease.release();
    const { token, release } = await next.then((one) => ({ token: one.token, release: () => one.release() }));
    expect(token).toBe(101);
    await release();
  });

  test('M19 S17: what was asked of a grant is cleared when the lock is passed on', async () => {
    const session = newSession();
    const locks = localFileLocks();
    const lease = await granted(locks, session);
    const [next] = await waiting(locks, session, 1);
    const asked = join(`${session}.attempt`, `ask.${lease.token}.user.${randomUUID()}`);
    writeFileSync(asked, '{}');
    await lease.release();
    expect([existsSync(asked), isHeld(session)]).toEqual([false, true]);
    await (await next)?.release();
  });

  test('S6 S11: who leaves while another store holds the lock is forgotten: no ticket, no line', async () => {
    const session = newSession();
    const lease = await granted(localFileLocks(), session);
    const locks = localFileLocks();
    const stop = new AbortController();
    const leaving = locks.acquire({ ...requestOf(session, 'leaver'), waitMs: 20_000, signal: stop.signal });
    await vi.waitFor(() => expect(ticketsOf(session)).toHaveLength(1), { interval: 1 });
    expect((await locks.query()).map((one) => one.session)).toEqual([session]);
    stop.abort();
    expect(await leaving).toMatchObject({ status: 'busy', holder: { sameProcess: false } });
    expect([ticketsOf(session), await locks.query()]).toEqual([[], []]);
    expect(await ask(locks, session, { waitMs: 1 })).toMatchObject({ status: 'busy' });
    expect(ticketsOf(session)).toEqual([]);
    await lease.release();
    expect(readdirSync(dirname(session))).toEqual(['s.jsonl.attempt']);
  });
});
