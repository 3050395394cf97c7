/**
 * What tests of an engine's locks stand on: an engine in memory, two stores on it as two processes have them, and a clock
 * that only the test moves.
 */
import { expect } from 'vitest';
import { EngineLocks } from '../../../src/locks/engine/engine-locks.js';
import type { AcquireRequest, HolderInfo, Lease, LeaseNotice } from '../../../src/locks/lock-store.js';
import { microtasksDone, VirtualClock } from '../../../src/testing/virtual-clock.js';
import { MemoryEngine, MemoryServer } from './memory-engine.js';

export type Asked = Partial<Omit<AcquireRequest, 'info'>> & { info?: Partial<HolderInfo> };

/** What is asked for `key` by an owner, who is called the same as an attempt. */
export const asking = (owner: string, { info, ...more }: Asked = {}): AcquireRequest => ({
  session: 'key', owner, waitMs: 0, signal: new AbortController().signal, ...more,
  info: { attemptId: owner, pid: 7, host: 'here', state: 'running.working', note: null, labels: {}, ...info },
});

export function scene({ leaseMs = 6_000 } = {}) {
  const clock = new VirtualClock();
  const server = new MemoryServer(clock);
  const engine = new MemoryEngine(server);
  const store = (on = engine) => new EngineLocks({ engine: on, clock, leaseMs, name: 'a test' });
  return {
    clock, server, engine, store, here: store(), elsewhere: store(new MemoryEngine(server)),
    /** Whose it is, as the engine has it. */
    holder: (session = 'key'): string | null => server.at(session).owner,
    waiting: (session = 'key'): readonly string[] => server.at(session).line.map(({ owner }) => owner),
  };
}

export async function granted(locks: EngineLocks, owner: string, more: Asked = {}): Promise<Lease> {
  const answer = await locks.acquire(asking(owner, more));
  if (answer.status !== 'granted') throw new Error(`${owner}: ${JSON.stringify(answer)}`);
  return answer.lease;
}

export function listen(lease: Lease): LeaseNotice[] {
  const heard: LeaseNotice[] = [];
  lease.onNotice((notice) => heard.push(notice));
  return heard;
}

/** What a promise has come to by now: its value, its error, or `pending`. */
export async function byNow<T>(promise: Promise<T>): Promise<T | 'pending' | Error> {
  let found: T | 'pending' | Error = 'pending';
  promise.then((value) => { found = value; }, (error: Error) => { found = error; });
  await microtasksDone();
  return found;
}

export { microtasksDone };

/** L5: nothing waits any more, and nobody listens. */
export function expectQuiet({ clock, server }: Pick<ReturnType<typeof scene>, 'clock' | 'server'>): void {
  expect([clock.armed, [...server.bells.keys()]], 'timers, listeners').toEqual([0, []]);
}
