/**
 * Together with plain proper-lockfile users: each keeps the other out.
 */
import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { contenders, contender, newSession } from './contender.js';

describe('a plain proper-lockfile user and ours', () => {
  test('S2 M22: plain holds: ours is busy with a remark, waits, and is granted when plain releases', async () => {
    const [plain, ours] = await contenders(2);
    const session = newSession();
    expect(await plain.asks('plainLock', { session })).toMatchObject({ status: 'granted' });
    const busy = await ours.asks('acquire', { session });
    expect(busy).toMatchObject({ status: 'busy', holder: { attemptId: null, token: null, sameProcess: false } });
    expect(JSON.stringify(busy)).toMatch('plain proper-lockfile');
    const waiting = ours.asks('acquire', { session, waitMs: 10_000 });
    const { releasedAt } = await plain.asks('plainRelease', { session }) as { releasedAt: number };
    const granted = await waiting as { status: string; at: number };
    expect(granted.status).toBe('granted');
    console.info(`measured: plain's release to our grant ${granted.at - releasedAt} ms`);
  });

  test('S2 S7: ours holds, also for longer than plain\'s stale: plain is refused, ours stays', async () => {
    const [plain, ours] = await contenders(2);
    const session = newSession();
    await ours.asks('acquire', { session });
    expect(await plain.asks('plainLock', { session })).toMatchObject({ status: 'ELOCKED' });
    // Plain's own `stale` is 2 000 at least; it retries past it, and sees a lock that is always fresh.
    const retries = { retries: 4, minTimeout: 600, maxTimeout: 600, factor: 1 };
    expect(await plain.asks('plainLock', { session, stale: 2_000, retries })).toMatchObject({ status: 'ELOCKED' });
    expect(await ours.asks('release', { session })).toMatchObject({ answer: 'released' });
    expect(await plain.asks('plainLock', { session })).toMatchObject({ status: 'granted' });
    expect(await ours.asks('acquire', { session })).toMatchObject({ status: 'busy' });
  });

  test('M15 L3: the empty directory of a crashed plain user is taken over by its age, and not before', async () => {
    const ours = await contender();
    const session = newSession();
    mkdirSync(`${session}.lock`);
    expect(await ours.asks('acquire', { session })).toMatchObject({ status: 'busy' });
    const old = new Date(Date.now() - 11_000);
    utimesSync(`${session}.lock`, old, old);
    expect(await ours.asks('acquire', { session })).toMatchObject({ status: 'granted' });
    await ours.asks('release', { session });
    expect(existsSync(`${session}.lock`)).toBe(false);
  });

  test('M15: after our crash plain users are refused until one of ours has taken over and given back', async () => {
    const [plain, dead, ours] = await contenders(3);
    const session = newSession();
    await dead.asks('acquire', { session });
    dead.signal('SIGKILL');
    await dead.ended;
    const old = new Date(Date.now() - 11_000);
    utimesSync(`${session}.lock`, old, old); // as if much later
    expect(await plain.asks('plainLock', { session })).toMatchObject({ status: 'ENOTEMPTY' });
    expect(await ours.asks('acquire', { session, waitMs: 10_000 })).toMatchObject({ status: 'granted' });
    await ours.asks('release', { session });
    expect(await plain.asks('plainLock', { session })).toMatchObject({ status: 'granted' });
  });
});
