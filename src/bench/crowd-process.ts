/**
 * One of a crowd that wants one lock: takes it, holds it a moment, gives it back, as often as it is told. Says at the
 * end when it was granted and when it began to give back, on the clock all processes of this machine share.
 */
import { mkdirSync, rmdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { localFileLocks, type HolderInfo } from '../index.js';

/** How each kind takes the lock. @returns what gives it back */
type Take = (session: string, round: number) => Promise<() => unknown>;

const info: HolderInfo = { attemptId: 'bench', pid: process.pid, host: 'here', state: 'running', note: null, labels: {} };
const NEVER = new AbortController().signal;
const POLL_MS = 50;
const locks = localFileLocks();

const takes: Record<string, Take> = {
  async ours(session, round) {
    const owner = `bench ${process.pid} ${round}`;
    const answer = await locks.acquire({ session, owner, waitMs: Infinity, signal: NEVER, info });
    if (answer.status !== 'granted') throw new Error(`the lock of ${session} was ${answer.status}`);
    return () => answer.lease.release();
  },
  'proper-lockfile': (session) => lockfile.lock(session, {
    realpath: false, retries: { forever: true, factor: 1, minTimeout: POLL_MS, maxTimeout: POLL_MS },
  }),
  async polling(session) {
    for (;;) {
      try {
        mkdirSync(`${session}.lock`);
        return () => rmdirSync(`${session}.lock`);
      } catch {
        await pause(POLL_MS);
      }
    }
  },
};

/** When a grant was had, and when it began to be given back. Milliseconds. */
export type Grant = readonly [granted: number, released: number];

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

process.once('message', async ({ kind, session, rounds, holdMs }: {
  kind: string; session: string; rounds: number; holdMs: number;
}) => {
  const grants: Grant[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const giveBack = await takes[kind]?.(session, round);
    const granted = now();
    await pause(holdMs);
    grants.push([granted, now()]);
    await giveBack?.();
  }
  process.send?.(grants, () => process.disconnect());
});
process.send?.('ready');
