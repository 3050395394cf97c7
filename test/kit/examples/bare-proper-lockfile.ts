/** Example 3: a loop around proper-lockfile, the work, and the release. */
import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock, lockSync, type LockOptions } from 'proper-lockfile';
import type { RunnerPort, StartRequest } from '../../../src/testing/index.js';
import { scratchDirectory } from './scratch.js';

const WAIT_MS = 150;
const STALE_MS = 2_000;

/** The runner. */
async function run(
  file: string,
  options: LockOptions,
  request: StartRequest,
  controller: AbortController,
): Promise<unknown> {
  let release: (() => Promise<void>) | undefined;
  for (const until = Date.now() + WAIT_MS; release === undefined; await sleep(10)) {
    try {
      release = await lock(file, options);
      break;
    } catch (error) {
      if (Date.now() >= until) throw error;
    }
  }
  const timer =
    request.timeoutMs === undefined
      ? undefined
      : setTimeout(() => controller.abort('timeout'), request.timeoutMs);
  try {
    return await request.work(controller.signal);
  } finally {
    clearTimeout(timer);
    await release();
  }
}

/** The port. */
export function makePort(): RunnerPort {
  const directory = scratchDirectory();
  const fileOf = (session: string): string => join(directory, session);
  let failing = 0;
  const rmdir = (path: string, done: (error: Error | null) => void): void => {
    if (failing <= 0) return fs.rmdir(path, done);
    failing -= 1;
    return done(Object.assign(new Error('EIO: seeded'), { code: 'EIO' }));
  };
  // Without a handler a lost lock throws from a timer, which ends the process.
  const base = { stale: STALE_MS, realpath: false, onCompromised: () => undefined };
  return {
    start(request) {
      const controller = new AbortController();
      const options = { ...base, fs: { ...fs, rmdir } };
      return {
        ended: run(fileOf(request.session), options, request, controller),
        abort: (by) => controller.abort(by),
      };
    },
    async tryLock(session) {
      try {
        // in one go, so that no timer of the holder comes between
        const release = lockSync(fileOf(session), base);
        return async () => release();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return null;
        throw error;
      }
    },
    async write(session, _attemptId, text) {
      await sleep(20); // buffered
      await fs.promises.appendFile(fileOf(session), `${text}\n`);
    },
    read: async (session) =>
      fs.existsSync(fileOf(session)) ? fs.readFileSync(fileOf(session), 'utf8').trim().split('\n') : [],
    failRelease: (times) => {
      failing = times;
    },
    bounds: { settleMs: 40, waitMs: WAIT_MS, leaseMs: STALE_MS },
    close: async () => fs.rmSync(directory, { recursive: true, force: true }),
  };
}
