/**
 * Holders that die, stop, block or leave: what becomes of their lock, and what they are told.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { contender, contenders, newSession } from './contender.js';

const LEASE_MS = 2_000;

const ownerIn = (session: string): string => readdirSync(`${session}.lock`).join();

describe.concurrent('a holder', { timeout: 30_000 }, () => {
  test('L3 M15: killed: the next one is granted within a lease and a poll', async ({ onTestFinished: cleanup }) => {
    const [dies, next] = await contenders(2, { cleanup });
    const session = newSession(undefined, cleanup);
    await dies.asks('acquire', { session, leaseMs: LEASE_MS });
    const waiting = next.asks('acquire', { session, leaseMs: LEASE_MS, waitMs: 10_000 });
    const diedAt = Date.now();
    dies.signal('SIGKILL');
    const granted = await waiting as { status: string; at: number; token: number };
    expect(granted).toMatchObject({ status: 'granted', token: 2 });
    console.info(`measured: kill -9 to the next grant ${granted.at - diedAt} ms (lease ${LEASE_MS})`);
  });

  test('S7 S12 M13: stopped past its lease: the old one is told, and its release touches nothing', async ({ onTestFinished: cleanup }) => {
    const [stops, next] = await contenders(2, { cleanup });
    const session = newSession(undefined, cleanup);
    await stops.asks('acquire', { session, leaseMs: LEASE_MS });
    stops.signal('SIGSTOP');
    expect(await next.asks('acquire', { session, leaseMs: LEASE_MS, waitMs: 10_000 })).toMatchObject({ status: 'granted' });
    const before = ownerIn(session);
    // Sent while it is stopped, so that it is the first thing it does: by its own clock the lease is over.
    const first = stops.asks('lease', { session });
    stops.signal('SIGCONT');
    expect((await first)['ahead']).toBeLessThan(0);
    await stops.says('that it lost the lock', ({ notice }) => notice === 'lost');
    expect(await stops.asks('release', { session })).toMatchObject({ answer: 'notHeld' });
    expect(ownerIn(session).split('.').at(-1)).toBe(before.split('.').at(-1));
    expect(await next.asks('release', { session })).toMatchObject({ answer: 'released' });
  });

  test('S7: stopped past its lease, another one came and went: nothing of the old one is left', async ({ onTestFinished: cleanup }) => {
    const [stops, next] = await contenders(2, { cleanup });
    const session = newSession(undefined, cleanup);
    await stops.asks('acquire', { session, leaseMs: LEASE_MS });
    stops.signal('SIGSTOP');
    await next.asks('acquire', { session, leaseMs: LEASE_MS, waitMs: 10_000 });
    await next.asks('release', { session });
    stops.signal('SIGCONT');
    await stops.says('that it lost the lock', ({ notice }) => notice === 'lost');
    expect(existsSync(`${session}.lock`)).toBe(false);
  });

  test('M11: blocks its loop past its lease and nobody waits: in doubt, revived, goes on', async ({ onTestFinished: cleanup }) => {
    const blocks = await contender([], { cleanup });
    const session = newSession(undefined, cleanup);
    await blocks.asks('acquire', { session, leaseMs: LEASE_MS });
    const blocked = await blocks.asks('block', { ms: LEASE_MS + 300 });
    expect((blocked['ahead'] as number[])[0]).toBeLessThan(0);
    await blocks.says('that it is in doubt', ({ notice }) => notice === 'inDoubt');
    expect((await blocks.asks('lease', { session }))['ahead']).toBeGreaterThan(0);
    expect(await blocks.asks('release', { session })).toMatchObject({ answer: 'released' });
  });

  test('M11 S12: blocks its loop past its lease and somebody waits: told as soon as it can hear', async ({ onTestFinished: cleanup }) => {
    const [blocks, next] = await contenders(2, { cleanup });
    const session = newSession(undefined, cleanup);
    await blocks.asks('acquire', { session, leaseMs: LEASE_MS });
    const waiting = next.asks('acquire', { session, leaseMs: LEASE_MS, waitMs: 10_000 });
    void blocks.asks('block', { ms: LEASE_MS + 900 });
    expect(await waiting).toMatchObject({ status: 'granted' });
    await blocks.says('that it lost the lock', ({ notice }) => notice === 'lost');
  });

  const ways = ['exit', 'SIGTERM', 'SIGINT', 'SIGHUP'];
  test.for(ways)('M16 L6: ends by %s: its own lock is gone, the others stay', async (how, { onTestFinished: cleanup }) => {
    const [ends, stays] = await contenders(2, { cleanup });
    const [session, other] = [newSession(undefined, cleanup), newSession(undefined, cleanup)];
    await ends.asks('acquire', { session });
    await stays.asks('acquire', { session: other });
    expect(await ends.asks('acquire', { session: other })).toMatchObject({ status: 'busy' });
    if (how === 'exit') void ends.asks('exit', { code: 3 }).catch(() => {});
    else ends.signal(how as NodeJS.Signals);
    expect(await ends.ended).toEqual(how === 'exit' ? { code: 3, signal: null } : { code: null, signal: how });
    expect(existsSync(`${session}.lock`)).toBe(false);
    expect(existsSync(`${other}.lock`)).toBe(true);
  });

  test('S7 M16: one that lost its lock ends: its exit hook leaves the successor\'s', async ({ onTestFinished: cleanup }) => {
    const [stops, next] = await contenders(2, { cleanup });
    const session = newSession(undefined, cleanup);
    await stops.asks('acquire', { session, leaseMs: LEASE_MS });
    stops.signal('SIGSTOP');
    await next.asks('acquire', { session, leaseMs: LEASE_MS, waitMs: 10_000 });
    stops.signal('SIGTERM');
    stops.signal('SIGCONT');
    await stops.ended;
    const record = JSON.parse(readFileSync(join(`${session}.lock`, ownerIn(session)), 'utf8')) as { pid: number };
    expect(record.pid).toBe(next.pid);
  });

  test('M22: names itself to who is refused, and who waits can be seen', async ({ onTestFinished: cleanup }) => {
    const [holds, waits, looks] = await contenders(3, { cleanup });
    const session = newSession(undefined, cleanup);
    await holds.asks('acquire', { session, labels: { job: '7' } });
    void waits.asks('acquire', { session, waitMs: 30_000 }).catch(() => {});
    const seen = async () => {
      const answer = await looks.asks('query', { session }) as { status: { waiting: { pid: number }[] }[] };
      return answer.status[0];
    };
    for (let status = await seen(); status?.waiting[0]?.pid !== waits.pid; status = await seen());
    const status = await seen();
    expect(status).toMatchObject({ holder: { pid: holds.pid, labels: { job: '7' }, token: 1, sameProcess: false } });
    waits.signal('SIGKILL');
    await waits.ended;
    expect((await seen())?.waiting).toEqual([]);
  });
});

test('S3: tokens rise across crashes', async () => {
  const session = newSession();
  for (const expected of [1, 2]) {
    const child = await contender();
    expect(await child.asks('acquire', { session, waitMs: 10_000 })).toMatchObject({ token: expected });
    child.signal('SIGKILL');
    await child.ended;
  }
});

test('S7 S12: taken by force by another process: told with the next renewal, and not before by mistake', async () => {
  const [holds, forces] = await contenders(2);
  const session = newSession();
  await holds.asks('acquire', { session });
  expect(await forces.asks('forceRelease', { session, token: 2 })).toMatchObject({ answer: 'notHeld' });
  expect(await forces.asks('forceRelease', { session, token: 0 })).toMatchObject({ answer: 'notHeld' });
  expect(await forces.asks('forceRelease', { session, token: 1 })).toMatchObject({ answer: 'released' });
  expect(await forces.asks('acquire', { session })).toMatchObject({ status: 'granted', token: 2 });
  await holds.says('that it lost the lock', ({ notice }) => notice === 'lost');
  expect(await holds.asks('release', { session })).toMatchObject({ answer: 'notHeld' });
  expect(await forces.asks('release', { session })).toMatchObject({ answer: 'released' });
});
