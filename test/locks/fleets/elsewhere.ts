/**
 * What another process does to a lock, the same for each engine: the store here learns of it from the engine alone.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  createAttempt, runAttempt, type AskToEnd, type LeaseNotice, type LockStore, type WorkContext,
} from '../../../src/index.js';
import { become } from './bed.js';
import { asking, granted, LEASE_MS } from './faults.js';

/** A renewal at a third of this is later than any test waits for a fact. */
const LONG_MS = 300_000;

/**
 * @param make two stores on one engine, as two processes have them
 * @param hearing how their holders hear what they are asked: rung for, or with a renewal
 */
export function doneElsewhere(
  make: (leaseMs?: number) => Promise<readonly [here: LockStore, elsewhere: LockStore]>, hearing: 'by bell' | 'by renewal' = 'by bell',
): void {
  test('M19: a holder is asked from another process, told once, and the next one is told nothing', async () => {
    const [here, elsewhere] = await make(hearing === 'by bell' ? LONG_MS : LEASE_MS);
    const session = randomUUID();
    const lease = await granted(here, session, 'holder');
    const heard: LeaseNotice[] = [];
    lease.onNotice((notice) => heard.push(notice));
    const whom = (await elsewhere.query(session))[0]?.holder ?? { token: 0, owner: null };
    const ask = async (as: AskToEnd['as'], reason?: string) =>
      elsewhere.askHolder?.(session, whom, { as, by: 'the next', signal: new AbortController().signal, ...(reason && { reason }) });
    expect([await ask('superseded'), await ask('superseded')]).toEqual(['asked', 'asked']);
    await become('told that it is superseded', () => heard.length > 0);
    expect(await ask('user', 'enough')).toBe('asked');
    await become('told to stop', () => heard.length > 1);
    expect(heard).toEqual([{ type: 'superseded', by: 'the next' }, { type: 'stopped', by: 'the next', reason: 'enough' }]);
    expect(await lease.release()).toBe('released');
    const next = await granted(elsewhere, session, 'next');
    expect(await ask('user')).toBe('notHeld');
    next.onNotice((notice) => heard.push(notice));
    expect(heard.length).toBe(2);
    await next.release();
  });

  test('M19 S18: an attempt that takes over ends the holder of another process, and has the lock', async () => {
    const [here, elsewhere] = await make();
    const session = randomUUID();
    const until = (signal: AbortSignal) => new Promise((resolve) => { signal.addEventListener('abort', resolve); });
    const options = { session, records: 'none', work: ({ signal }: WorkContext) => until(signal) } as const;
    const holder = createAttempt({ ...options, locks: here });
    const ended = holder.start();
    await become('it runs', () => holder.snapshot().state === 'running.working');
    const next = await runAttempt({ ...options, locks: elsewhere, takeOver: true, work: () => 'mine' });
    expect(next).toMatchObject({ outcome: 'completed', value: 'mine', token: 2 });
    expect(await ended).toMatchObject({ outcome: 'aborted', abortedBy: 'superseded', lease: 'released' });
  });


  test('S7 M13: a holder that does not know of its loss cannot release its successor\'s lock', async () => {
    const [here, elsewhere] = await make();
    const session = randomUUID();
    const lease = await granted(here, session, 'first');
    expect(await elsewhere.forceRelease(session, { token: lease.token })).toBe('released');
    const next = await granted(elsewhere, session, 'next');
    expect(await lease.release()).toBe('notHeld');
    expect((await elsewhere.query(session))[0]?.holder).toMatchObject({ owner: 'next', token: next.token, sameProcess: true });
    expect(await next.release()).toBe('released');
  });

  test('S11 M02: an owner that was given up elsewhere is granted nothing here', async () => {
    const [here, elsewhere] = await make();
    const session = randomUUID();
    expect(await elsewhere.releaseOwner(session, 'given up')).toBe('notHeld');
    expect((await here.acquire(asking(session, 'given up'))).status).toBe('busy');
    expect((await elsewhere.query(session))[0]?.holder).toBe(null);
    const other = await granted(here, session, 'another');
    expect(await elsewhere.releaseOwner(session, 'another')).toBe('released');
    expect(await elsewhere.releaseOwner(session, 'another')).toBe('released'); // the same question: the same answer
    expect((await granted(elsewhere, session, 'next')).token).toBeGreaterThan(other.token);
  });

  test('S14: an owner that asks again, because its reply was lost, is given the same grant', async () => {
    const [here, elsewhere] = await make();
    const session = randomUUID();
    const first = await granted(here, session, 'owner');
    const again = await granted(elsewhere, session, 'owner');
    expect(again.token).toBe(first.token);
    expect(await again.release()).toBe('released');
  });
}
