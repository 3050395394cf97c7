/**
 * What can happen on the way to an engine, the same for each of them.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'vitest';
import { createAttempt, type AcquireRequest, type Lease, type LockStore } from '../../../src/index.js';
import type { Server } from '../../../src/bench/engine-servers.js';
import { Bed, become, type EngineUnderTest } from './bed.js';

/** Short, for tests in which a lease has to end. */
const SHORT_MS = 1_000;

/** For tests in which a lease has to last on a busy machine, and yet is renewed or doubted soon. */
export const LEASE_MS = 2_400;

/** For who has to keep the lock whatever the machine does meanwhile. */
const LONG_MS = 60_000;

export const asking = (session: string, owner: string, waitMs = 0): AcquireRequest => ({
  session, owner, waitMs, signal: new AbortController().signal,
  info: { attemptId: owner, pid: process.pid, host: 'here', state: 'running.working', note: null, labels: {} },
});

export async function granted(locks: LockStore, session: string, owner: string, waitMs = 0): Promise<Lease> {
  const answer = await locks.acquire(asking(session, owner, waitMs));
  if (answer.status !== 'granted') throw new Error(`${owner}: ${answer.status}: ${JSON.stringify(answer)}`);
  return answer.lease;
}

export function faultsOnTheWay(engine: () => EngineUnderTest): void {
  test('M12 S14: connections that are cut are no loss: it is renewed on new ones', async (context) => {
    const bed = new Bed(engine(), context, LEASE_MS);
    const [way, other] = [await bed.way(), await bed.way()];
    const until = async (): Promise<number> => (await other.locks.query(bed.session))[0]?.holder?.until ?? 0;
    const writing = await bed.write(way, 'holder');
    const before = await until();
    way.proxy.cut();
    await become('renewed twice', async () => await until() > before);
    way.proxy.cut();
    const { written } = writing;
    await become('it writes on', () => writing.written > written + 3);
    context.expect(await writing.end()).toMatchObject({ outcome: 'completed', lease: 'released', lateAborts: [] });
    await bed.judge(other);
  });

  test('S14 R1: replies that are lost with their connection: one grant, one record, one release', async (context) => {
    const { acquire, release, write } = engine().questions;
    const bed = new Bed(engine(), context, LONG_MS);
    const way = await bed.way();
    const warm = await granted(way.locks, `${bed.session} warm`, 'warm'); // the server knows the scripts now
    await warm.release();
    let lost = way.proxy.loseAnswerTo(acquire);
    const started = bed.write(way, 'holder');
    await lost;
    const writing = await started;
    context.expect(writing.token).toBe(1);
    lost = way.proxy.loseAnswerTo(write);
    await lost;
    const { written } = writing;
    await become('it writes on', () => writing.written > written + 1);
    const ending = way.proxy.loseAnswerTo(release);
    const report = await writing.end();
    if (release.source === write.source) void ending; // the last write may have been the one
    else await ending;
    context.expect(report).toMatchObject({ outcome: 'completed', lease: 'released' });
    const next = await granted(way.locks, bed.session, 'next');
    context.expect(next.token).toBe(2);
    await next.release();
    await bed.judge(way);
  });

  test.for<[string, boolean]>([
    ['the answer is lost', true], ['the question is lost', false],
  ])('S4 S15: a write of which %s, and the lock is taken over before it is asked again: told as it is', async ([, arrives], context) => {
    const bed = new Bed(engine(), context, LONG_MS);
    const [way, other] = [await bed.way(), await bed.way()];
    const lease = await granted(way.locks, bed.session, 'first');
    const { token } = lease;
    const opened = await way.records.open({ session: bed.session, lease, token, tokenScope: 'durable', signal: new AbortController().signal });
    await opened.append({ n: 1 }); // the server knows the statement now
    const takeOver = async (): Promise<void> => {
      await other.locks.forceRelease(bed.session, { token });
      await granted(other.locks, bed.session, 'next');
    };
    const lost = arrives ? way.proxy.loseAnswerTo(engine().questions.write, takeOver) : null;
    if (!arrives) way.proxy.silence();
    const writing = Promise.resolve(opened.append({ n: 2 })).then(() => 'written', (error: { code: string }) => error.code);
    if (lost) await lost;
    else await takeOver().then(() => way.proxy.heal());
    context.expect(await writing).toBe(arrives ? 'written' : 'WRITE_FENCED');
    const { records } = await other.records.read(bed.session);
    context.expect(records.map(({ record }) => record)).toEqual(arrives ? [{ n: 1 }, { n: 2 }] : [{ n: 1 }]);
  });

  test('S10 S14: half-open: the writer closes at the end of the lease, doubt shows, and revival opens it', async (context) => {
    const bed = new Bed(engine(), context, LEASE_MS);
    const way = await bed.way();
    const writing = await bed.write(way, 'holder', { answerMs: 20_000 });
    way.proxy.silence();
    await become('in doubt', () => writing.attempt.snapshot().inDoubt);
    context.expect(writing.attempt.snapshot()).toMatchObject({ state: 'running.working', inDoubt: true, abortedBy: null });
    way.proxy.heal();
    await become('out of doubt', () => !writing.attempt.snapshot().inDoubt);
    const { written } = writing;
    await become('it writes on', () => writing.written > written + 3);
    context.expect(await writing.end()).toMatchObject({ outcome: 'completed', lease: 'released' });
    await bed.judge(way);
  });

  test('S2 S12: cut off for longer than a lease and its doubt: lost, and nobody overlaps', async (context) => {
    const bed = new Bed(engine(), context, SHORT_MS);
    const [way, other] = [await bed.way(), await bed.way(LONG_MS)];
    const writing = await bed.write(way, 'cut off', { answerMs: 300, settleMs: 50 });
    const waiting = bed.write(other, 'successor'); // asks while it is held, and takes over when it has ended
    way.proxy.break();
    const report = await writing.report;
    context.expect(report).toMatchObject({ outcome: 'aborted', abortedBy: 'leaseLost', lease: 'lost' });
    const successor = await waiting;
    context.expect(successor.token).toBeGreaterThan(writing.token);
    await successor.end();
    await bed.judge(other);
  });

  test('S4 S7 M09 M13: a zombie wakes after the takeover: write, renewal and release are refused', async (context) => {
    const bed = new Bed(engine(), context, SHORT_MS);
    const [way, other] = [await bed.way(), await bed.way(LONG_MS)];
    const zombie = await granted(way.locks, bed.session, 'zombie');
    const request = { session: bed.session, token: zombie.token, tokenScope: 'durable', signal: new AbortController().signal } as const;
    const writer = await way.records.open({ ...request, lease: zombie });
    await writer.append({ record: 'zombie/1' });
    const notices: string[] = [];
    zombie.onNotice(({ type }) => notices.push(type));
    way.proxy.silence();
    const next = await granted(other.locks, bed.session, 'next', 30_000);
    const successor = await other.records.open({ ...request, token: next.token, lease: next });
    await successor.append({ record: 'next/1' });
    const late = writer.append({ record: 'zombie/2' });
    way.proxy.heal();
    await context.expect(Promise.resolve(late)).rejects.toMatchObject({ code: 'WRITE_FENCED' });
    await become('told of its loss', () => notices.includes('lost'));
    context.expect(await zombie.release()).toBe('notHeld');
    context.expect(await way.locks.releaseOwner(bed.session, 'zombie')).toBe('notHeld');
    context.expect(await way.locks.forceRelease(bed.session, { token: zombie.token })).toBe('notHeld');
    context.expect((await other.locks.query(bed.session))[0]?.holder).toMatchObject({ owner: 'next', token: next.token });
    await successor.append({ record: 'next/2' });
    context.expect(await next.release()).toBe('released');
    const { records } = await other.records.read(bed.session);
    context.expect(records.map(({ record }) => (record as { record: string }).record)).toEqual(['zombie/1', 'next/1', 'next/2']);
  });

  test('S10: a slow way: the deadline is counted from before the question was sent', async (context) => {
    const bed = new Bed(engine(), context, 5_000);
    const way = await bed.way();
    await (await granted(way.locks, `${bed.session} warm`, 'warm')).release(); // connected
    way.proxy.delay(40);
    const asked = performance.now();
    const lease = await granted(way.locks, bed.session, 'holder');
    context.expect(performance.now() - asked).toBeGreaterThan(80);
    context.expect(lease.deadline).toBeLessThanOrEqual(asked + 5_000 + 1);
    context.expect(await lease.release()).toBe('released');
  });

  test('S11 L1: no way at all: the attempt does not start, says so, and nothing of it is held later', async (context) => {
    const bed = new Bed(engine(), context, SHORT_MS);
    const [way, other] = [await bed.way(), await bed.way()];
    way.proxy.break();
    const report = await createAttempt(bed.options(way, { waitMs: 200, answerMs: 300 })).start();
    context.expect(report).toMatchObject({ outcome: 'notStarted', error: { code: 'LOCK_STORE_FAILED' } });
    way.proxy.heal();
    await pause(50); // whatever the client had queued has been sent by now, or never will be
    const next = await granted(other.locks, bed.session, 'next', 30_000);
    await next.release();
  });

  test('L4 M21: a waiter whose way is cut waits on, and is granted in its turn', async (context) => {
    const bed = new Bed(engine(), context, LONG_MS);
    const [way, other] = [await bed.way(), await bed.way()];
    const holder = await granted(other.locks, bed.session, 'holder');
    const first = granted(way.locks, bed.session, 'first', 60_000);
    await become('one waits', async () => (await other.locks.query(bed.session))[0]?.waiting.length === 1);
    const second = granted(other.locks, bed.session, 'second', 60_000);
    await become('two wait', async () => (await other.locks.query(bed.session))[0]?.waiting.length === 2);
    way.proxy.cut();
    context.expect(await holder.release()).toBe('released');
    const served = await first;
    context.expect(served.token).toBe(2);
    context.expect(await served.release()).toBe('released');
    context.expect((await second).token).toBe(3);
    await (await second).release();
  });
}

/** What happens to the server itself. One after another: there is one server. */
export function faultsOfTheServer(engine: () => EngineUnderTest, server: () => Server): void {
  test('S3 S14 M12: the server is killed and started again: the holder goes on, and so does who waits', async (context) => {
    const bed = new Bed(engine(), context, LONG_MS);
    const [way, other] = [await bed.way(), await bed.way()];
    const writing = await bed.write(way, 'holder', { answerMs: 20_000 });
    const waiting = bed.write(other, 'waiter', { answerMs: 20_000 });
    await become('one waits', async () => (await other.locks.query(bed.session))[0]?.waiting.length === 1);
    await server().stop('SIGKILL');
    await server().start();
    const { written } = writing;
    await become('it writes on', () => writing.written > written + 3);
    context.expect(await writing.end()).toMatchObject({ outcome: 'completed', lease: 'released', token: 1 });
    const next = await waiting;
    context.expect(next.token).toBe(2);
    await next.end();
    await bed.judge(other);
  });

  test('S10 S14: the server stands still and goes on: doubt, then revival', async (context) => {
    const bed = new Bed(engine(), context, LEASE_MS);
    const way = await bed.way();
    const writing = await bed.write(way, 'holder', { answerMs: 20_000 });
    server().signal('SIGSTOP');
    await become('in doubt', () => writing.attempt.snapshot().inDoubt);
    server().signal('SIGCONT');
    await become('out of doubt', () => !writing.attempt.snapshot().inDoubt);
    const { written } = writing;
    await become('it writes on', () => writing.written > written + 3);
    context.expect(await writing.end()).toMatchObject({ outcome: 'completed', lease: 'released', token: 1 });
    await bed.judge(way);
  });
}
