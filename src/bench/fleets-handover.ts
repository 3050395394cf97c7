/**
 * From the release of a lock to the next grant, in another of several processes that wait for it.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import type { Hold, Task, Way } from './fleets-handover-process.js';

const SCRIPT = fileURLToPath(new URL('./fleets-handover-process.js', import.meta.url));
export const WAYS: readonly Way[] = ['postgresLocks', 'bare advisory lock', 'redisLocks', 'bare BLPOP'];

const hear = <T>(child: ChildProcess): Promise<T> => new Promise((resolve, reject) => {
  const fail = (): void => reject(new Error('a process has ended'));
  child.once('exit', fail);
  child.once('message', (said) => {
    child.off('exit', fail);
    resolve(said as T);
  });
});

/**
 * @param blocks each way is measured so many times, in turns
 * @returns milliseconds, by way
 */
export async function handoversAmong(
  { processes, rounds, blocks }: { processes: number; rounds: number; blocks: number },
  ports: { postgres: number; redis: number }, redis: Redis,
): Promise<Readonly<Record<Way, number[]>>> {
  const children = Array.from({ length: processes }, () => fork(SCRIPT, [JSON.stringify(ports)], { execArgv: [] }));
  const samples = Object.fromEntries(WAYS.map((way) => [way, []])) as unknown as Record<Way, number[]>;
  try {
    await Promise.all(children.map((child) => hear(child)));
    for (let block = 0; block < blocks; block += 1) {
      for (const way of WAYS) {
        const task: Task = { way, key: `handover ${randomUUID()}`, rounds };
        if (way === 'bare BLPOP') await redis.rpush(task.key, '1'); // the element is the lock
        const holds = (await Promise.all(children.map((child) => {
          const heard = hear<Hold[]>(child);
          child.send(task);
          return heard;
        }))).flat().sort((a, b) => a.granted - b.granted);
        // Of the first and the last ones not everybody waits.
        const middle = holds.slice(processes, -processes);
        middle.slice(1).forEach((hold, at) => samples[way].push(hold.granted - (middle[at] as Hold).releasing));
      }
    }
    return samples;
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}
