/** What is made only when somebody reads it is as if it had been there from the start. */
import { describe, expect, test } from 'vitest';
import { attempts, memoryLocks, runAttempt, type LockStore, type WorkContext } from '../../src/index.js';

describe('a signal that is first read late', () => {
  test('S9: work that asks for its signal only after the abort finds it fired, with the reason of that abort', async () => {
    const locks = memoryLocks();
    const report = await runAttempt({
      session: 'late', locks, records: 'none', attemptId: 'reads-late',
      work: async (context) => {
        attempts.abort('reads-late', 'enough');
        await Promise.resolve();
        const { signal } = context;
        return { aborted: signal.aborted, same: signal === context.signal, reason: signal.reason as unknown };
      },
    });
    expect(report).toMatchObject({ outcome: 'aborted', abortedBy: 'user', settled: true });
    expect(report.value).toMatchObject({
      aborted: true, same: true, reason: { name: 'AbortError', code: 'ABORT_ERR', abortedBy: 'user', cause: 'enough' },
    });
  });

  test('one read before the abort fires with it, once', async () => {
    let fired = 0;
    await runAttempt({
      session: 'early', locks: memoryLocks(), records: 'none', attemptId: 'reads-early',
      work: ({ signal }) => {
        signal.addEventListener('abort', () => { fired += 1; });
        attempts.abort('reads-early');
        attempts.abort('reads-early');
      },
    });
    expect(fired).toBe(1);
  });
});

describe('a copy has what the original had', () => {
  test('of the work\'s context: signal and token are in it', async () => {
    const report = await runAttempt({
      session: 'copied', locks: memoryLocks(), records: 'none',
      work: (context: WorkContext) => ({ keys: Object.keys(context).sort(), ...context }),
    });
    expect(report.value).toMatchObject({ token: 1, attemptId: report.attemptId });
    expect(report.value?.signal).toBeInstanceOf(AbortSignal);
    expect(report.value?.keys).toEqual(expect.arrayContaining(['attemptId', 'signal', 'token']));
  });

  test('M02 S11: of a request, by a store that wraps another: a waiter that is aborted leaves its place', async () => {
    const inner = memoryLocks();
    const locks: LockStore = {
      capabilities: inner.capabilities, releaseOwner: (...all) => inner.releaseOwner(...all),
      query: (session) => inner.query(session), forceRelease: (...all) => inner.forceRelease(...all),
      acquire: (request) => inner.acquire({ ...request }),
    };
    const stop = new AbortController();
    const holder = runAttempt({
      session: 'k', locks, records: 'none',
      work: async () => {
        const waiter = runAttempt({ session: 'k', locks: { ...locks }, records: 'none', signal: stop.signal, work: () => {} });
        while ((await locks.query('k'))[0]?.waiting.length !== 1) await Promise.resolve();
        stop.abort();
        expect(await waiter).toMatchObject({ outcome: 'aborted', abortedBy: 'user', lease: 'neverHeld' });
        expect((await locks.query('k'))[0]?.waiting).toEqual([]);
      },
    });
    expect(await holder).toMatchObject({ outcome: 'completed', lease: 'released' });
  });
});
