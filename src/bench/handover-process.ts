/** One of the two processes between which the lock is handed over. Does as told, says when; ends with its channel. */
import lockfile from 'proper-lockfile';
import { localFileLocks, runAttempt } from '../index.js';

export type Runner = 'attempt' | 'proper-lockfile';
export type Told = { readonly start: string; readonly session: string; readonly as: Runner } | { readonly stop: string };
export interface Said {
  readonly is: 'granted' | 'aborted' | 'ended';
  readonly name: string;
  /** Milliseconds on the clock that all processes of this machine share. */
  readonly at: number;
}

const locks = localFileLocks();
const stops = new Map<string, AbortController>();
const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const say = (said: Said): void => void process.send?.(said);

const runners = { attempt, 'proper-lockfile': plain };

/** A runner that gives its bare lock back when its work has obeyed. */
async function plain(name: string, session: string, { signal }: AbortController): Promise<void> {
  const poll = { forever: true, factor: 1, minTimeout: 50, maxTimeout: 50 };
  const release = await lockfile.lock(session, { realpath: false, retries: poll });
  say({ is: 'granted', name, at: now() });
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await release();
}

async function attempt(name: string, session: string, stop: AbortController): Promise<void> {
  await runAttempt({
    session, locks, attemptId: name, signal: stop.signal,
    work: async ({ signal }) => {
      say({ is: 'granted', name, at: now() });
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
}

async function run({ start: name, session, as }: Extract<Told, { start: string }>): Promise<void> {
  const stop = new AbortController();
  stops.set(name, stop);
  await runners[as](name, session, stop);
  stops.delete(name);
  say({ is: 'ended', name, at: now() });
}

process.on('message', (told: Told) => {
  if ('start' in told) return void run(told);
  const at = now();
  stops.get(told.stop)?.abort();
  say({ is: 'aborted', name: told.stop, at });
});
process.on('disconnect', () => process.exit());
