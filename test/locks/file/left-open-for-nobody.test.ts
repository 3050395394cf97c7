/**
 * A lock left open for one that waits and does not come is taken away: plain proper-lockfile users, who see nothing but the
 * directory, would never get it. And what they are owed is not lost where a process passes the lock on within itself.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { takeAwayUnlessTaken } from '../../../src/locks/file/left-open.js';
import { localFileLocks } from '../../../src/locks/file/local-file-locks.js';
import { isAwaited } from '../../../src/locks/file/tickets.js';
import { processMark } from '../../../src/owner.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { CountingClock } from '../../support/counting-clock.js';
import { hooked } from '../../support/fs-steps.js';
import { granted } from './attempt.js';
import { contender, newSession } from './contender.js';
import { nameAs, OTHER, setUp } from './own-hold.js';

vi.mock('node:fs', async (original) => (await import('../../support/fs-steps.js')).stepped(await original<typeof import('node:fs')>()));

const ticketsOf = (session: string): string[] => readdirSync(`${session}.attempt`).filter((name) => name.startsWith('wait.'));

describe('L3 M22: left open for one that waits, and', () => {
  test.each(['SIGSTOP', 'SIGKILL'] as const)('gets %s right before: a plain user gets the lock', async (signal) => {
    const [session, waiter] = [newSession(), await contender()];
    const [locks, other] = [localFileLocks(), localFileLocks()];
    const first = await granted(locks, session);
    const second = granted(other, session, { waitMs: 20_000 });
    await vi.waitUntil(() => ticketsOf(session).length === 1);
    await first.release();
    const lease = await second; // it was in line itself, and looks for those behind it
    void waiter.asks('acquire', { session, waitMs: 20_000 }).catch(() => {});
    await vi.waitUntil(() => ticketsOf(session).length === 1);
    await vi.waitUntil(() => isAwaited(`${session}.attempt`)); // found alive: that is believed for a while
    waiter.signal(signal);
    if (signal === 'SIGKILL') await waiter.ended;
    expect(await lease.release()).toBe('released');
    await vi.waitUntil(() => !existsSync(`${session}.lock`));
    await (await lockfile.lock(session, { realpath: false, retries: 0 }))();
  });

  function opened() {
    const { places } = setUp();
    const entry = nameAs(0, 0);
    mkdirSync(places.lock);
    writeFileSync(join(places.lock, entry), '');
    return { lock: places.lock, entry, places, clock: new CountingClock(), before: process.listenerCount('exit') };
  }

  test('does not come: taken away after a while, and nothing waits for that any more', async () => {
    const { places, lock, entry, clock, before } = opened();
    const armed = vi.spyOn(clock, 'setTimeout');
    takeAwayUnlessTaken(places, entry, clock);
    expect(armed, 'keeps no process alive').toHaveBeenCalledWith(expect.any(Function), expect.any(Number), 'background');
    expect([existsSync(lock), clock.armed, process.listenerCount('exit')]).toEqual([true, 1, before + 1]);
    await vi.waitUntil(() => !existsSync(lock));
    expect([clock.armed, process.listenerCount('exit')]).toEqual([0, before]);
  });

  test('does not come before the process ends that left it open: taken away with that', () => {
    const [one, two] = [opened(), opened()];
    for (const { places, entry, clock } of [one, two]) takeAwayUnlessTaken(places, entry, clock);
    expect(process.listenerCount('exit'), 'one for all').toBe(one.before + 1);
    process.listeners('exit').at(-1)?.call(process, 0);
    for (const { lock, clock } of [one, two]) expect([existsSync(lock), clock.armed]).toEqual([false, 0]);
    expect(process.listenerCount('exit')).toBe(one.before);
  });

  test('one is taken away, another one not yet: the end of the process is still waited for', async () => {
    const [one, two] = [opened(), opened()];
    takeAwayUnlessTaken(one.places, one.entry, one.clock);
    takeAwayUnlessTaken(two.places, two.entry, new VirtualClock());
    await vi.waitUntil(() => !existsSync(one.lock));
    expect([existsSync(two.lock), process.listenerCount('exit')]).toEqual([true, one.before + 1]);
    process.listeners('exit').at(-1)?.call(process, 0);
    expect([existsSync(two.lock), process.listenerCount('exit')]).toEqual([false, one.before]);
  });

  test('S7: has come: what is theirs is not touched, held or left open anew', async () => {
    for (const name of [nameAs(3, 5_000, OTHER), nameAs(0, 0, OTHER)]) {
      const { places, lock, entry, clock } = opened();
      renameSync(join(lock, entry), join(lock, name));
      takeAwayUnlessTaken(places, entry, clock);
      await vi.waitUntil(() => clock.armed === 0);
      expect(readdirSync(lock)).toEqual([name]);
    }
  });
});

describe('L4 M22: each eighth grant is owed to plain users', () => {
  /** How often the lock has been taken away. */
  function removals(session: string): () => number {
    let count = 0;
    onTestFinished(hooked((name, _index, [path]) => {
      if (name === 'rmdirSync' && path === `${session}.lock`) count += 1;
    }));
    return () => count;
  }

  test('passed on within the process, past others: by the last of those that it was passed on to', async () => {
    const session = newSession();
    mkdirSync(`${session}.attempt`);
    const ticket = { ...processMark(), since: Date.now(), waiting: [{ attemptId: 'planted', since: Date.now() }] };
    writeFileSync(join(`${session}.attempt`, `wait.1.${randomUUID()}`), JSON.stringify(ticket));
    const locks = localFileLocks();
    for (let token = 1; token < 8; token += 1) await (await granted(locks, session)).release();
    const first = await granted(locks, session);
    const next = granted(locks, session, { waitMs: 20_000 });
    await vi.waitUntil(() => ticketsOf(session).length === 2);
    const count = removals(session);
    await first.release();
    const last = await next;
    expect([first.token, last.token, count()]).toEqual([8, 9, 0]);
    await last.release();
    expect([count(), existsSync(`${session}.lock`)]).toEqual([1, false]);
  });

  test('where nobody waits but in this process: not passed on, but taken away', async () => {
    const session = newSession();
    const locks = localFileLocks();
    for (let token = 1; token < 7; token += 1) await (await granted(locks, session)).release();
    const count = removals(session);
    const seventh = await granted(locks, session);
    const waiting = [granted(locks, session, { waitMs: 20_000 }), granted(locks, session, { waitMs: 20_000 })] as const;
    await vi.waitUntil(() => ticketsOf(session).length === 1);
    await seventh.release();
    const eighth = await waiting[0];
    expect([eighth.token, count()], 'passed on').toEqual([8, 0]);
    await eighth.release();
    expect([(await waiting[1]).token, count()], 'and not').toEqual([9, 1]);
    await (await waiting[1]).release();
  });
});
