/**
 * From the abort of an attempt whose work obeys to the next grant, in another process that waits for it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { localFileLocks } from '../index.js';
import type { Runner, Said, Told } from './handover-process.js';

const SCRIPT = fileURLToPath(new URL('./handover-process.js', import.meta.url));

/** Nothing here takes this long, milliseconds. */
const MOST_MS = 10_000;

function hear(child: ChildProcess, is: Said['is'], name: string): Promise<Said> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      child.off('message', listen);
      child.off('exit', fail);
    };
    const fail = (): void => {
      end();
      reject(new Error(`"${is}" of ${name} never came`));
    };
    const timer = setTimeout(fail, MOST_MS);
    const listen = (said: unknown): void => {
      const one = said as Said;
      if (one.is !== is || one.name !== name) return;
      end();
      resolve(one);
    };
    child.on('message', listen);
    child.once('exit', fail);
  });
}

/**
 * @param rounds handovers that are measured; `warmUp` come before them
 * @returns milliseconds
 */
export async function handovers(
  session: string, { warmUp, rounds }: { warmUp: number; rounds: number }, as: Runner,
): Promise<readonly number[]> {
  const locks = localFileLocks();
  const start = (): ChildProcess => fork(SCRIPT, [], { execArgv: [] });
  let [holder, waiter] = [start(), start()];
  const samples: number[] = [];
  const tell = (child: ChildProcess, told: Told): boolean => child.send(told);
  try {
    let heard = hear(holder, 'granted', 'round-0');
    tell(holder, { start: 'round-0', session, as });
    await heard;
    for (let round = 1; round <= warmUp + rounds; round += 1) {
      const [present, next] = [`round-${round - 1}`, `round-${round}`];
      heard = hear(waiter, 'granted', next);
      tell(waiter, { start: next, session, as });
      if (as === 'proper-lockfile') await pause(10 + Math.random() * 50); // its polls are not in step with the abort
      else while (!(await locks.query(session))[0]?.waiting.some(({ attemptId }) => attemptId === next)) await pause(1);
      const [aborted, ended] = [hear(holder, 'aborted', present), hear(holder, 'ended', present)];
      tell(holder, { stop: present });
      const [{ at: from }, { at: to }] = await Promise.all([aborted, heard, ended]);
      if (round > warmUp) samples.push(to - from);
      [holder, waiter] = [waiter, holder];
    }
    return samples;
  } finally {
    for (const child of [holder, waiter]) child.kill('SIGKILL');
  }
}
