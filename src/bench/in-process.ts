/**
 * A crowd in one process: from the release of one attempt's lock to the grant of the next, in the order of asking.
 */
import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import lockfile from 'proper-lockfile';
import { localFileLocks, type HolderInfo } from '../index.js';

export interface InProcessResult {
  /** Microseconds from before the release to the next grant. */
  readonly handovers: readonly number[];
  /** Grants out of the order of asking. */
  readonly inversions: number;
}

const info: HolderInfo = { attemptId: 'bench', pid: process.pid, host: 'here', state: 'running', note: null, labels: {} };
const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER);

type Take = (session: string, number: number) => Promise<() => unknown>;

/** @returns how one asks for the lock of ours, and of what is compared: a FIFO in front of proper-lockfile */
export function takers(): Readonly<Record<'ours' | 'FIFO + proper-lockfile', Take>> {
  const locks = localFileLocks();
  let last: Promise<unknown> = Promise.resolve();
  return {
    async ours(session, number) {
      const answer = await locks.acquire({ session, owner: `o ${number}`, waitMs: Infinity, signal: NEVER, info });
      if (answer.status !== 'granted') throw new Error(`the lock of ${session} was ${answer.status}`);
      return () => answer.lease.release();
    },
    async 'FIFO + proper-lockfile'(session) {
      const turn = last;
      let leave = (): void => {};
      last = new Promise<void>((resolve) => { leave = resolve; });
      await turn;
      const release = await lockfile.lock(session);
      return async () => {
        await release();
        leave();
      };
    },
  };
}

/** @param waiters how many wait at any time; whoever is served asks again, until `grants` have been had */
export async function inProcess(take: Take, session: string, waiters: number, grants: number): Promise<InProcessResult> {
  writeFileSync(session, '');
  const handovers: number[] = [];
  let [asked, served, inversions, releasedAt] = [0, 0, 0, 0];
  const one = async (): Promise<void> => {
    while (asked < grants) {
      const number = (asked += 1);
      const giveBack = await take(session, number);
      const now = performance.now();
      if (releasedAt > 0) handovers.push((now - releasedAt) * 1_000);
      if (number !== (served += 1)) inversions += 1;
      await new Promise(setImmediate); // the others get to ask
      releasedAt = performance.now();
      await giveBack();
    }
  };
  await Promise.all(Array.from({ length: waiters + 1 }, one));
  return { handovers: handovers.slice(waiters + 1), inversions };
}
