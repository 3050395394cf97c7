/**
 * Asks to end as files, among real processes: who hears them, and who must not.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { contenders, newSession } from './contender.js';

const asksIn = (session: string): string[] => readdirSync(`${session}.attempt`).filter((name) => name.startsWith('ask.'));
const isStop = ({ notice }: Record<string, unknown>): boolean => notice === 'stopped';

describe.concurrent('between processes', { timeout: 30_000 }, () => {
  test('L6: a holder is told who asks and why, once, and nothing is left of the ask', async ({ onTestFinished: cleanup }) => {
    const [holds, asks] = await contenders(2, { cleanup });
    const session = newSession(undefined, cleanup);
    const { token } = await holds.asks('acquire', { session });
    expect(await asks.asks('ask', { session, token, as: 'superseded' })).toMatchObject({ answer: 'asked' });
    expect(await asks.asks('ask', { session, token, as: 'user', reason: 'enough' })).toMatchObject({ answer: 'asked' });
    expect(await holds.says('superseded', ({ notice }) => notice === 'superseded')).toMatchObject({ by: `pid ${asks.pid}` });
    expect(await holds.says('stopped', isStop)).toMatchObject({ by: `pid ${asks.pid}`, reason: 'enough' });
    expect(asksIn(session)).toEqual([]);
    expect(await holds.asks('release', { session })).toMatchObject({ answer: 'released' });
  });

  test('M19: an ask for a grant that has ended is not laid, and the next grant hears nothing', async ({ onTestFinished: cleanup }) => {
    const [holds, asks] = await contenders(2, { cleanup });
    const session = newSession(undefined, cleanup);
    const { token } = await holds.asks('acquire', { session });
    await holds.asks('release', { session });
    expect(await asks.asks('ask', { session, token, as: 'user' })).toMatchObject({ answer: 'notHeld' });
    await holds.asks('acquire', { session });
    expect(await asks.asks('ask', { session, token, as: 'user' })).toMatchObject({ answer: 'notHeld' });
    expect(asksIn(session)).toEqual([]);
  });

  test('M19: asked while it stood still, then taken over: nobody is told, and the ask is cleared', async ({ onTestFinished: cleanup }) => {
    const [stops, asks] = await contenders(2, { cleanup });
    const session = newSession(undefined, cleanup);
    const { token } = await stops.asks('acquire', { session });
    stops.signal('SIGSTOP');
    expect(await asks.asks('ask', { session, token, as: 'user', reason: 'for the first' })).toMatchObject({ answer: 'asked' });
    expect(asksIn(session)).toHaveLength(1);
    expect(await asks.asks('acquire', { session, waitMs: 20_000 })).toMatchObject({ status: 'granted', token: 2 });
    expect(asksIn(session), 'cleared with the grant').toEqual([]);
    stops.signal('SIGCONT');
    await stops.says('that it lost the lock', ({ notice }) => notice === 'lost');
    await expect(asks.asks('query', { session })).resolves.toMatchObject({ status: [{ holder: { token: 2 } }] });
  });

  test('L6: asked while it stood still, and still the holder: told as soon as it goes on', async ({ onTestFinished: cleanup }) => {
    const [stops, asks] = await contenders(2, { cleanup });
    const session = newSession(undefined, cleanup);
    const { token } = await stops.asks('acquire', { session, leaseMs: 20_000 });
    stops.signal('SIGSTOP');
    expect(await asks.asks('ask', { session, token, as: 'user', leaseMs: 20_000 })).toMatchObject({ answer: 'asked' });
    stops.signal('SIGCONT');
    await stops.says('stopped', isStop);
    expect(asksIn(session)).toEqual([]);
  });

  test('L5: an ask that nobody has heard is withdrawn by who laid it', async ({ onTestFinished: cleanup }) => {
    const [stops, asks] = await contenders(2, { cleanup });
    const session = newSession(undefined, cleanup);
    const { token } = await stops.asks('acquire', { session, leaseMs: 20_000 });
    stops.signal('SIGSTOP');
    await asks.asks('ask', { session, token, as: 'superseded', leaseMs: 20_000 });
    expect(asksIn(session)).toHaveLength(1);
    await asks.asks('withdraw');
    expect(asksIn(session)).toEqual([]);
    stops.signal('SIGCONT');
  });

  test('S14: the lock of a dead process, and a plain one, cannot be asked', async ({ onTestFinished: cleanup }) => {
    const [dies, asks] = await contenders(2, { cleanup });
    const [session, plain] = [newSession(undefined, cleanup), newSession(undefined, cleanup)];
    const { token } = await dies.asks('acquire', { session });
    await dies.asks('plainLock', { session: plain });
    expect(await asks.asks('ask', { session: plain, token: null, as: 'user' })).toMatchObject({ answer: 'unknown' });
    dies.signal('SIGKILL');
    await dies.ended;
    if (process.platform !== 'linux') return console.warn('SKIPPED: a death can be proved on Linux alone');
    expect(await asks.asks('ask', { session, token, as: 'user' })).toMatchObject({ answer: 'notHeld' });
    expect(asksIn(session)).toEqual([]);
  });
});
