/**
 * Exit codes of the command. The cause decides, not the child. One table: the help prints it and the code uses it.
 */
import { constants } from 'node:os';

export const EXIT = {
  /** `doctor`: something is the matter; `unlock`: it changed nothing; `stop`: nobody can be asked; `check`: it does not hold. */
  matter: 1,
  busy: 75,
  leaseLost: 116,
  superseded: 117,
  timeout: 124,
  failed: 125,
  notExecutable: 126,
  notFound: 127,
} as const;

/** Signals that stop an attempt: a user abort. The command then ends itself by the same signal. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

export const signalNumber = (signal: NodeJS.Signals): number => constants.signals[signal];

/** What a shell would say of a child: its code, or 128 and the number of the signal that ended it. */
export const statusOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (signal ? signalNumber(signal) : 0);

export const EXIT_TABLE = `Exit status of \`attempt run\`. The cause decides, not the command.

  the command's   it ran to its end; 128+n if signal n ended it. Passed through
                  even if it equals one below: --report tells them apart. Also
                  when no release was confirmed, with a line on standard error
  75              the session is locked, or the wait was over (-E: another)
  116             the lock was lost while the command ran
  117             superseded by another attempt
  124             the time limit (-t) was over, also when KILL was needed
                  (--preserve-status: the command's own)
  125             attempt itself failed, or was called wrongly
  126             the command was found but could not be executed
  127             the command was not found
  by the signal   stopped by INT, TERM, HUP or QUIT, or by attempt stop (as by
                  TERM): attempt ends itself by that signal, so that a shell
                  stops its loop (it says 130, 143, 129 or 131)

\`attempt append\`: 0 all written, 116 the attempt has ended, 125 a bad line.
\`attempt status\`: 0 all free, 75 one is held. Any command: 125 called wrongly.
\`attempt doctor\`: 0 nothing is the matter, 1 something is.
\`attempt stop\`: 0 ended, or nobody held it, 75 still held, 1 cannot be asked.
\`attempt unlock\`: 0 taken away, 1 nothing changed, 75 refused without --force.
\`attempt check\`: 0 all holds (of a trace: legal), 1 not.
\`attempt log\`, \`attempt migrate\`: 0 done, 125 not. \`attempt inspect\` ends by a
signal.
`;
