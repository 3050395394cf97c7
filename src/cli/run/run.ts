/**
 * `attempt run`: a command as the work of an attempt. Owns: what the command line's words mean to the attempt.
 * Must not know: how a lock is kept, how a group is watched.
 */
import { LONGEST_MS } from '../../../machines/attempt.delays.js';
import { createAttempt, type Attempt } from '../../attempt.js';
import { AttemptError, describe, type AbortReason } from '../../errors.js';
import type { WorkContext } from '../../options.js';
import { fileRecords } from '../../session/file-records.js';
import type { SessionRecords } from '../../session/session-records.js';
import { EXIT } from '../exits.js';
import { openStore, type OpenedStore } from '../store.js';
import { inForeground } from '../terminal.js';
import { isStop, verdictOf, type RunExit } from './exit-of.js';
import { expectNotNested, outerEnvironment } from './nested.js';
import { ProcessGroup, type CommandEnd } from './process-group.js';
import { openReport, type ReportFile } from './report-file.js';
import type { RunOptions } from './run-options.js';
import { dieBy, listenToSignals } from './signals.js';
import { showWaiting, type WaitingDisplay } from './waiting-display.js';

/** Time for the group to be gone after KILL, before an attempt shows as unsettled. The lock is held until it is. */
const AFTER_KILL_MS = 2_000;

/** Nothing is written here, but the command's own records carry our token: it must not be below what is there. */
const onlyTheFloor = (records: SessionRecords): SessionRecords => {
  const { tokenFloor } = records;
  return { ...(tokenFloor && { tokenFloor }), open: () => ({ fencing: 'gated', append: () => {}, close: () => {} }) };
};

class Run {
  readonly #session: string;
  readonly #argv: readonly string[];
  readonly #options: RunOptions;
  /** The command is in the terminal's foreground group together with us: the keyboard speaks to both. */
  readonly #shared: boolean;
  #group: ProcessGroup | null = null;
  /** Ended before the command may write, and not by a subscriber: those are told when the command has been started. */
  #display: WaitingDisplay | null = null;

  constructor(session: string, argv: readonly string[], options: RunOptions) {
    this.#session = session;
    this.#argv = argv;
    this.#options = options;
    this.#shared = (options.foreground ?? false) && inForeground();
  }

  async go(report: ReportFile | null): Promise<RunExit> {
    const { nonblock, wait } = this.#options;
    const waitMs = nonblock ? 0 : wait;
    const store = await openStore(this.#options);
    try {
      return await this.#under(store, waitMs, report);
    } finally {
      await store.close();
    }
  }

  async #under(store: OpenedStore, waitMs: number, report: ReportFile | null): Promise<RunExit> {
    const { locks } = store;
    const { quiet = false } = this.#options;
    await expectNotNested(store, this.#session);
    const attempt = this.#attempt(store, waitMs);
    this.#display = waitMs > 0 ? showWaiting({ locks, session: this.#session, patienceMs: waitMs, quiet }) : null;
    const stopListening = this.#listen(attempt, () => this.#display?.hide());
    let told = '';
    attempt.subscribe(({ state, inDoubt }) => {
      if (state !== 'acquiring.waiting') this.#display?.end();
      const now = `${state}${inDoubt ? ', the lease in doubt' : ''}`;
      if (this.#options.verbose && now !== told) this.#say(`${this.#session}: ${now}`);
      told = now;
    });
    process.on('exit', this.#killOnExit);
    try {
      const ended = await attempt.start();
      this.#display?.end();
      const { exit, says, always } = verdictOf(ended, this.#argv[0] ?? '', this.#options);
      if (always || !quiet) for (const line of says) process.stderr.write(`attempt: ${line}\n`);
      this.#write(report, () => report?.write(ended));
      return exit;
    } finally {
      process.off('exit', this.#killOnExit);
      stopListening();
    }
  }

  #attempt(store: OpenedStore, waitMs: number): Attempt<CommandEnd> {
    const { timeout, killAfter, label = {}, takeOver = false, supersede } = this.#options;
    return createAttempt<CommandEnd>({
      session: this.#session, locks: store.locks, waitMs, takeOver, supersedable: supersede, labels: label, onUnsettled: 'hold',
      records: onlyTheFloor(store.records ?? fileRecords()),
      settleMs: Math.min(killAfter + AFTER_KILL_MS, LONGEST_MS), work: (context) => this.#work(context, store),
      ...(timeout > 0 && { timeoutMs: timeout }),
    });
  }

  #listen(attempt: Attempt<CommandEnd>, pausing: () => void): () => void {
    return listenToSignals({
      pausing,
      shared: this.#shared,
      stopped: (signal, again) => {
        if (again) this.#group?.signal('SIGKILL');
        else if (!attempt.abort(signal, { by: 'user' }).accepted) this.#group?.signal(signal);
      },
      passOn: (signal) => this.#group?.signal(signal),
    });
  }

  async #work({ signal, attemptId, token }: WorkContext, store: OpenedStore): Promise<CommandEnd> {
    this.#display?.end();
    const [command = '', ...args] = this.#argv;
    const env = {
      ...process.env, ...outerEnvironment(attemptId),
      ATTEMPT_ID: attemptId, ATTEMPT_TOKEN: String(token), ATTEMPT_SESSION: store.nameOf(this.#session),
      ATTEMPT_KEPT_IN: store.keptIn,
    };
    const group = new ProcessGroup({ command, args, env, foreground: this.#options.foreground ?? false });
    this.#group = group;
    let kill: NodeJS.Timeout | undefined;
    const stop = (): void => {
      this.#sendFirst(group, signal.reason as AbortReason);
      const { killAfter } = this.#options;
      if (killAfter > 0) kill = setTimeout(() => group.signal('SIGKILL'), killAfter);
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await group.ended();
    } finally {
      clearTimeout(kill);
      signal.removeEventListener('abort', stop);
      this.#group = null;
    }
  }

  /** The user's own signal unchanged; the chosen one on a timeout; TERM when the lock was lost. */
  #sendFirst(group: ProcessGroup, { abortedBy, cause }: AbortReason): void {
    if (abortedBy === 'user' && isStop(cause)) {
      const heardIt = this.#shared && (cause === 'SIGINT' || cause === 'SIGQUIT'); // from the keyboard, as we did
      if (!heardIt) group.signal(cause);
    } else {
      group.signal(abortedBy === 'timeout' ? this.#options.signal : 'SIGTERM');
    }
    group.signal('SIGCONT'); // a stopped command would not hear it
  }

  /**
   * This process ends in the middle of a run, which must never be: a fault of ours. The command at least does not
   * outlive the lock, which proper-lockfile's exit hook gives back.
   */
  readonly #killOnExit = (): void => {
    this.#group?.signal('SIGKILL');
    process.exitCode = EXIT.failed;
  };

  /** A report that cannot be written is told, but does not hide what became of the command. */
  #write(report: ReportFile | null, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#say(`the report could not be written to ${report?.path}: ${describe(error)}`);
    }
  }

  #say(line: string): void {
    if (!this.#options.quiet) process.stderr.write(`attempt: ${line}\n`);
  }
}

/** flock(1) has its -c behind the file. Said before anything is waited for. */
const optionTooLate = (option: string): AttemptError => new AttemptError(
  'CONFIG_INVALID', `${option}: expected a command, got an option; options of attempt stand before the session: `
  + `attempt run ${option} ... <session> (a command of that name: attempt run <session> -- ${option})`,
);

/** The command as a list of words: given as such, or as one string for the shell. */
function argvOf(words: readonly string[], { command }: RunOptions): readonly string[] {
  const given = words[0] === '--' ? words.slice(1) : words;
  if (command === undefined) {
    if (given === words && words[0]?.startsWith('-')) throw optionTooLate(words[0]);
    return given;
  }
  return process.platform === 'win32'
    ? [process.env['ComSpec'] ?? 'cmd.exe', '/d', '/s', '/c', command]
    : ['/bin/sh', '-c', command, 'attempt', ...given];
}

/**
 * Runs a command under a session's lock, and ends this process as the table in `exits.ts` says.
 * @throws AttemptError `CONFIG_INVALID` for a call that cannot work, also if the report cannot be opened
 */
export async function runCommand(session: string, words: readonly string[], options: RunOptions): Promise<void> {
  const argv = argvOf(words, options);
  if (argv.length === 0) {
    const isCommand = process.argv.at(-2) === '--'; // nothing follows the only word: `attempt run -- make`
    throw new AttemptError('CONFIG_INVALID', isCommand
      ? `run: expected <session> before --, got none: attempt run <session> -- ${session}; see attempt run --help`
      : `run: expected a command to run under the lock of ${session}, got none; see attempt run --help`);
  }
  const report = options.report === undefined ? null : openReport(options.report);
  let exit: RunExit;
  try {
    exit = await new Run(session, argv, options).go(report);
  } finally {
    report?.close();
  }
  if ('signal' in exit) dieBy(exit.signal);
  else process.exitCode = exit.status;
}
