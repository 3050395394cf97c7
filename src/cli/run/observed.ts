/**
 * `attempt run` that is looked at: a trace file, a page of its own, a page elsewhere. What cannot be opened is found out
 * before anything runs.
 */
import { attachTo, inspectAttempts } from '../../inspector/index.js';
import { traceTo } from '../../trace/trace-file.js';
import { ofOption } from '../option-file.js';
import type { RunOptions } from './run-options.js';

/** A stop from the page is the signal a person would have sent: the command gets it, and attempt ends by it. */
const STOP = 'SIGTERM';

/**
 * @param run what is looked at
 * @throws what `run` throws; AttemptError `CONFIG_INVALID` where the file cannot be had; the native error where the page or the
 *   socket cannot
 */
export async function observed(session: string, options: RunOptions, run: () => Promise<void>): Promise<void> {
  const { trace, inspect, inspectSocket, allowAbort = false } = options;
  const say = (line: string): void => void process.stderr.write(`attempt: ${line}\n`);
  const closing: (() => unknown)[] = [];
  try {
    if (trace !== undefined) closing.push(ofOption('--trace', 'write', () => traceTo(trace, say)).close);
    if (inspectSocket !== undefined) closing.push(await attachTo(inspectSocket, { allowAbort, reason: STOP }));
    if (inspect) {
      const page = await inspectAttempts({ directories: [session], allowAbort, reason: STOP });
      closing.push(() => page.close());
      say(`live page: ${page.url}`);
    }
    await run();
  } finally {
    for (const close of closing) await close();
  }
}
