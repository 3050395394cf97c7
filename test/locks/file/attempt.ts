/**
 * Asks of one store, and whole attempts, for tests within this process.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AcquireResult, Lease, LockStore } from '../../../src/locks/lock-store.js';

let asked = 0;

interface More {
  readonly waitMs?: number;
  readonly floor?: () => Promise<number>;
}

export function ask(store: LockStore, session: string, more: More = {}): Promise<AcquireResult> {
  const owner = `owner-${(asked += 1)}`;
  return store.acquire({
    session, owner, waitMs: more.waitMs ?? 0, signal: new AbortController().signal,
    tokenFloor: more.floor ?? (async () => 0),
    info: { attemptId: owner, pid: process.pid, host: 'here', state: 'running.working', note: null, labels: {} },
  });
}

export async function granted(store: LockStore, session: string, more?: More): Promise<Lease> {
  const answer = await ask(store, session, more);
  if (answer.status !== 'granted') throw new Error(`expected a grant, got ${JSON.stringify(answer)}`);
  return answer.lease;
}

/** Everything below a directory: path and inode. To see that nothing was touched. */
export function picture(directory: string): string[] {
  return readdirSync(directory, { recursive: true }).map(String).sort()
    .map((name) => `${name} ${lstatSync(join(directory, name)).ino}`);
}
