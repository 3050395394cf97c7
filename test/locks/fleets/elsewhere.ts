/**
 * What another process does to a lock, the same for each engine: the store here learns of it from the engine alone.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { LockStore } from '../../../src/index.js';
import { asking, granted } from './faults.js';

/** @param make two stores on one engine, as two processes have them */
export function doneElsewhere(make: () => Promise<readonly [here: LockStore, elsewhere: LockStore]>): void {
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
