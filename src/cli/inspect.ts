/**
 * `attempt inspect`: serves the live page until a signal ends this process.
 */
import { readFileSync } from 'node:fs';
import { inspectAttempts } from '../inspector/index.js';
import { sessionsAt } from '../diagnosis/sessions-at.js';
import { AttemptError } from '../errors.js';
import { readTrace } from '../trace/read-trace.js';
import { ofOption } from './option-file.js';
import type { StoreOption } from './store-option.js';
import { storeWord } from './store-word.js';

export interface InspectCommandOptions extends StoreOption {
  readonly socket?: string;
  readonly allowAbort?: boolean;
  readonly port?: number;
  readonly replay?: string;
}

/**
 * Prints the page's address, alone on standard output, and serves it.
 * @throws AttemptError `SESSION_INVALID` for a path that leads nowhere, `CONFIG_INVALID` for what is not a trace or a port;
 *   or a store that is not of files; the native error where port or socket cannot be had
 */
export async function inspect(directories: readonly string[], options: InspectCommandOptions): Promise<void> {
  const { socket, allowAbort = false, port = 0, replay } = options;
  const key = process.env['ATTEMPT_INSPECT_KEY']; // not an option: those can be read by every user of the machine
  const { kind, directory } = storeWord(options);
  if (kind !== 'files' && directories.length > 0) {
    throw new AttemptError('CONFIG_INVALID', 'inspect: expected locks in files (--store files:<directory>); for those of an engine: '
      + 'attempt status --watch');
  }
  for (const path of directories) sessionsAt(path, directory); // said now rather than on the page
  if (replay !== undefined) ofOption('--replay', 'read', () => readTrace(replay)); // the same
  const page = await inspectAttempts({
    directories, allowAbort, port, keepsProcess: true, ...(key !== undefined && { key }), ...(socket !== undefined && { socket }),
    ...(directory !== undefined && { directory }), ...(replay !== undefined && { replay: readFileSync(replay, 'utf8') }),
  });
  process.stdout.write(`${page.url}\n`);
  if (process.stderr.isTTY) process.stderr.write('attempt: open this address; Ctrl-C ends the page\n');
  // A socket file would otherwise stay behind; the signal then does what it always does.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void page.close().finally(() => process.kill(process.pid, signal)));
  }
}
