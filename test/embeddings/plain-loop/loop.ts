/**
 * A plain loop: step after step, each a child process under its session's lock. No framework, no machine of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { resolve as resolvePath } from 'node:path';
import { createInterface } from 'node:readline';
import { runAttempt, type AttemptReport, type WorkContext } from '../../../src/index.js';

export interface Step {
  readonly session: string;
  readonly command: string;
  readonly args: readonly string[];
}

export interface LoopOptions {
  /** The stop button of the whole loop. */
  readonly signal?: AbortSignal;
  /** For each step. Default: none. */
  readonly timeoutMs?: number;
  /** From TERM to KILL. Default: 2 000. */
  readonly killAfterMs?: number;
  /** How long the lock is kept for a child that has been told to end. Default: a second longer than that takes. */
  readonly settleMs?: number;
  /** Told of each step that ended, however it did. */
  readonly onReport?: (report: AttemptReport<number>, step: Step) => void;
}

/** Runs the steps in order. A step that fails or times out does not end the loop; a stop or a shutdown does. */
export async function runSteps(steps: readonly Step[], options: LoopOptions = {}): Promise<readonly AttemptReport<number>[]> {
  const { signal, timeoutMs, killAfterMs = 2_000, settleMs = killAfterMs + 1_000, onReport } = options;
  const reports: AttemptReport<number>[] = [];
  for (const step of steps) {
    const report = await runAttempt<number>({
      session: step.session, settleMs, ...(signal && { signal }), ...(timeoutMs && { timeoutMs }),
      labels: { command: step.command },
      work: (context) => runChild(step, context, killAfterMs),
      // Last words, under the lock: whoever comes next finds out why there is no more.
      cleanup: ({ session, outcome, abortedBy }) =>
        (outcome === 'aborted' ? session.append({ interrupted: abortedBy }) : undefined),
    });
    reports.push(report);
    onReport?.(report, step);
    if (report.abortedBy === 'user' || report.abortedBy === 'shutdown') break;
  }
  return reports;
}

/**
 * Settles when the child has really ended, never before: the lock must not be given back under it.
 * @returns 0; throws for another exit code, and the signal's reason where the child was told to end
 */
async function runChild(
  { session, command, args }: Step, { signal, attemptId, token, progress }: WorkContext, killAfterMs: number,
): Promise<number> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    // With these the child may write records of its own, for as long as we hold the lock: `inheritAttempt()`.
    env: { ...process.env, ATTEMPT_ID: attemptId, ATTEMPT_TOKEN: String(token), ATTEMPT_SESSION: resolvePath(session) },
  });
  createInterface({ input: child.stdout }).on('line', (line) => progress(line)); // a sign of life, shown to whoever waits
  const stop = (): void => endSoon(child, killAfterMs);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await ended(child);
    if (signal.aborted) throw signal.reason;
    if (code !== 0) throw new Error(`${command} ended with ${code}`);
    return code;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const ended = (child: ChildProcess): Promise<number | NodeJS.Signals | null> => new Promise((resolve, reject) => {
  child.once('error', reject); // it could not be started
  child.once('close', (code, signal) => resolve(code ?? signal));
});

/** Asks it to end, and ends it. */
function endSoon(child: ChildProcess, killAfterMs: number): void {
  const kill = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  child.once('close', () => clearTimeout(kill));
  child.kill('SIGTERM');
}
