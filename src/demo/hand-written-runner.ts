/** The runner people write by hand, with the bug of openclaw #88600. Here to be shown, not to be used. */
import { readFileSync, writeFileSync } from 'node:fs';
import lockfile from 'proper-lockfile';

export async function runByHand(
  session: string, name: string, timeoutMs: number, stop: AbortSignal, work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const retries = { retries: 10, minTimeout: 100, maxTimeout: 100 };
  const release = await lockfile.lock(session, { retries }).catch(() => {
    throw new Error(`${session} is locked by ${readFileSync(`${session}.owner`, 'utf8')}`);
  });
  writeFileSync(`${session}.owner`, `${name} (pid ${process.pid})`);
  const run = new AbortController();
  const abortRun = (isTimeout: boolean): void => {
    run.abort();
    if (isTimeout) void release(); // so that a run which hangs cannot keep the session
  };
  const timer = setTimeout(() => abortRun(true), timeoutMs);
  stop.addEventListener('abort', () => abortRun(false));
  try {
    await work(run.signal);
  } finally {
    clearTimeout(timer);
    if (!run.signal.aborted) await release(); // an aborted run has released above. Has it?
  }
}
