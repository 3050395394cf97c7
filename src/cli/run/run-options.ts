/**
 * What stands behind `attempt run` on the command line, checked and in milliseconds.
 */
import { constants } from 'node:os';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseDuration } from '../duration.js';
import { STORE_OPTION } from '../store-option.js';

export interface RunOptions {
  /** Milliseconds; Infinity without a limit. */
  readonly wait: number;
  readonly nonblock?: boolean;
  /** Milliseconds; 0 without a limit. */
  readonly timeout: number;
  readonly signal: NodeJS.Signals;
  /** Milliseconds from the first signal to KILL; 0 never. */
  readonly killAfter: number;
  readonly conflictExitCode: number;
  readonly command?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly report?: string;
  readonly foreground?: boolean;
  readonly preserveStatus?: boolean;
  /** A file for the trace. */
  readonly trace?: string;
  /** Serve the live page. */
  readonly inspect?: boolean;
  /** Attach to the page that listens on this socket. */
  readonly inspectSocket?: string;
  readonly allowAbort?: boolean;
  readonly store?: string;
  readonly takeOver?: boolean;
  /** False: does not end for another attempt's `takeOver`. */
  readonly supersede: boolean;
}

function parseSignal(text: string): NodeJS.Signals {
  const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}`;
  const byNumber = Object.entries(constants.signals).find(([, number]) => String(number) === text)?.[0];
  const found = name in constants.signals ? name : byNumber;
  if (found === undefined) throw new InvalidArgumentError('Expected the name or number of a signal, such as TERM or 15.');
  if (['SIGSTOP', 'SIGCONT', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'].includes(found)) {
    throw new InvalidArgumentError('Expected a signal that can end a command.');
  }
  return found as NodeJS.Signals;
}

function parseExitCode(text: string): number {
  const code = Number(text);
  if (!/^\d+$/.test(text) || code > 255) throw new InvalidArgumentError('Expected a number from 0 to 255.');
  return code;
}

function parseLabel(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('Expected key=value.');
  return { ...before, [key]: value };
}

const MORE = `
Durations are as in timeout(1): a plain number is seconds; 250ms 1.5s 2m 1h.
Options of attempt stand before the session; -- may follow it.

The lock is given back when the command and everything it started in its process
group has ended. INT, TERM, HUP and QUIT are passed to the group; a second one
kills it; then attempt ends itself by that signal. The group has no terminal of
its own: sudo, ssh and editors want --foreground (Ctrl-C then reaches them from
the terminal itself). The command sees ATTEMPT_ID, ATTEMPT_TOKEN and
ATTEMPT_SESSION and may write fenced records with \`attempt append\`; for that it
sees the URL of --store, its password included, in ATTEMPT_KEPT_IN.

Examples:
  $ attempt run notes.jsonl make report       wait up to a minute, then run
  $ attempt run -n backup.state -- ./backup   skip (exit 75) if still running
  $ attempt run -w 2h -t 30m db.state -- ./migrate
  $ attempt run --take-over site.state -- ./deploy     the newest wins
  $ attempt run -c 'sort in > out && mv out in' in

Exit status: the command's; 75 locked; 124 timed out; 125 attempt failed; 126,
127 command not run; 116, 117 lock lost. All of it: attempt --explain-exit
`;

/** Declares the options of \`run\` on its command. */
export function declareRunOptions(command: Command): Command {
  const duration = (text: string): number => parseDuration(text);
  return command
    .summary('run a command under the lock of a session')
    .description('Run a command under the write lock of a session; however it ends, the lock is\ngiven back.')
    .usage('[options] <session> [--] <command> [args...]\n       attempt run [options] -c <string> <session> [args...]')
    .argument('<session>', 'what is protected: a path; it need not exist')
    .argument('[command...]', 'what to run, and its arguments')
    .addOption(new Option('-n, --nonblock', 'one try: do not wait (same as -w 0)').conflicts('wait'))
    .addOption(new Option('-w, --wait <time>', 'patience; inf: no limit')
      .argParser((text) => parseDuration(text, { inf: Infinity, infinity: Infinity })).default(60_000, '60s'))
    .addOption(new Option('-t, --timeout <time>', 'time limit; 0: none').argParser(duration).default(0, '0'))
    .addOption(new Option('-s, --signal <name>', 'sent when the time limit is over')
      .argParser(parseSignal).default('SIGTERM', 'TERM'))
    .addOption(new Option('-k, --kill-after <time>', 'first signal to KILL; 0: never')
      .argParser(duration).default(10_000, '10s'))
    .addOption(new Option('-E, --conflict-exit-code <n>', 'exit status if it is locked')
      .argParser(parseExitCode).default(75))
    .option('-c, --command <string>', 'run by sh; words that follow are $1 ...')
    .addOption(new Option('-l, --label <key=value>', 'shown to whoever waits; repeatable')
      .argParser(parseLabel))
    .option('--take-over', 'ask whoever holds the lock to end')
    .option('--no-supersede', 'do not end for another one\'s --take-over')
    .option('-q, --quiet', 'say nothing; only why nothing could be run')
    .option('-v, --verbose', 'say what happens')
    .option('--report <file>', 'write the report, as JSON')
    .option('--trace <file>', 'write every step, for attempt check --trace')
    .option('--inspect', 'serve a live page of it, see attempt inspect')
    .option('--inspect-socket <path>', 'show it on the page of attempt inspect --socket')
    .option('--allow-abort', 'the page may stop it')
    .option('--foreground', 'stay in the terminal\'s process group; then only\nthe command itself is signalled and awaited')
    .option('--preserve-status', 'the command\'s status even if it timed out')
    .option(...STORE_OPTION)
    .passThroughOptions()
    .addHelpText('after', MORE);
}
