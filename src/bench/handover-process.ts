/** One of the two processes between which the lock is handed over. Does as told, says when; ends with its channel. */
import { localFileLocks, runAttempt } from '../index.js';

export type Told = { readonly start: string; readonly session: string } | { readonly stop: string };
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

async function attempt(name: string, session: string): Promise<void> {
  const stop = new AbortController();
  stops.set(name, stop);
  await runAttempt({
    session, locks, attemptId: name, signal: stop.signal,
    work: async ({ signal }) => {
      say({ is: 'granted', name, at: now() });
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  stops.delete(name);
  say({ is: 'ended', name, at: now() });
}

process.on('message', (told: Told) => {
  if ('start' in told) return void attempt(told.start, told.session);
  const at = now();
  stops.get(told.stop)?.abort();
  say({ is: 'aborted', name: told.stop, at });
});
process.on('disconnect', () => process.exit());
