/**
 * What an attempt is compared with: its lock alone, the bare lock that people use today, and the least a lock
 * directory can cost.
 */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { localFileLocks, memoryLocks, runAttempt, type HolderInfo } from '../index.js';
import type { Case } from './interleaved.js';

export const BARE = 'proper-lockfile, its defaults';
export const FLOOR = 'mkdirSync + rmdirSync';

const info: HolderInfo = {
  attemptId: 'bench', pid: process.pid, host: 'here', state: 'running', note: null, labels: {},
};
const NEVER = new AbortController().signal;

/** @param directory every case gets a session of its own in it */
export function casesIn(directory: string): readonly Case[] {
  const sessionFor = (name: string): string => {
    const session = join(directory, `${name}.jsonl`);
    writeFileSync(session, '{"role":"user","text":"hello"}\n'); // bare proper-lockfile needs one that exists
    return session;
  };
  const [quiet, written, alone] = [sessionFor('quiet'), sessionFor('written'), sessionFor('alone')];
  const [bare, unresolved] = [sessionFor('bare'), sessionFor('unresolved')];
  const [inMemory, files] = [memoryLocks(), localFileLocks()];
  const reply = { role: 'assistant', text: 'hi' };
  let count = 0;
  return [
    {
      name: 'attempt, memoryLocks',
      run: () => runAttempt({ session: 'key', locks: inMemory, records: 'none', work: () => {} }),
    },
    { name: 'attempt, localFileLocks', run: () => runAttempt({ session: quiet, locks: files, work: () => {} }) },
    {
      name: 'attempt, localFileLocks, one append',
      run: () => runAttempt({ session: written, locks: files, work: ({ session }) => session.append(reply) }),
    },
    {
      name: 'localFileLocks, acquire + release',
      async run() {
        const owner = `bench ${count += 1}`;
        const result = await files.acquire({ session: alone, owner, waitMs: 0, signal: NEVER, info });
        if (result.status !== 'granted') throw new Error(`the lock of ${alone} was ${result.status}`);
        await result.lease.release();
      },
    },
    { name: BARE, run: async () => (await lockfile.lock(bare))() },
    {
      name: 'proper-lockfile, realpath off',
      run: async () => (await lockfile.lock(unresolved, { realpath: false }))(),
    },
    {
      name: FLOOR,
      run() {
        mkdirSync(join(directory, 'floor.lock'));
        rmdirSync(join(directory, 'floor.lock'));
      },
    },
  ];
}
