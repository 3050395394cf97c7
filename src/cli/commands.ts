/**
 * The words of the command: its subcommands, their arguments, options and examples. What they do is loaded when they are
 * used, so that none pays for another. Owns: the words. Must not know: what is done.
 */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { DoctorOptions } from './doctor.js';
import type { InspectCommandOptions } from './inspect.js';
import type { LogOptions } from './log.js';
import type { StatusOptions } from './status.js';
import type { StopCommandOptions } from './stop.js';
import type { UnlockOptions } from './unlock.js';
import { parseDuration } from './duration.js';
import { declareRunOptions, type RunOptions } from './run/run-options.js';
import { STORE_OPTION, type StoreOption } from './store-option.js';
import { showWarnings } from './warnings.js';

/** A whole number; the parser says what it got instead. */
const numberFrom = (least: number, most: number) => (text: string): number => {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new InvalidArgumentError(`Expected a number from ${least} to ${most}.`);
};

function declareRun(program: Command): void {
  declareRunOptions(program.command('run')).action(async (session: string, words: readonly string[], options: RunOptions) => {
    showWarnings(options);
    const { runCommand } = await import('./run/run.js');
    const run = (): Promise<void> => runCommand(session, words, options);
    if (options.trace === undefined && !options.inspect && options.inspectSocket === undefined) return run();
    return (await import('./run/observed.js')).observed(session, options, run);
  });
}

function declareAppend(program: Command): void {
  program.command('append')
    .summary('write records into the session this runs under')
    .description('Write JSON lines from standard input into the session of the attempt this runs\n'
      + 'under, stamped with its token.')
    .addHelpText('after', `
Works only under \`attempt run\`, and only until that attempt has given its lock
back: then it exits 116 and writes nothing. A bad line is named and ends it:
125, with the lines before it written. With a session in an engine it connects
there by itself: \`attempt run\` hands it the URL in ATTEMPT_KEPT_IN.

Examples:
  $ attempt run -c 'echo "{\\"done\\":true}" | attempt append' notes.jsonl
  $ ./produce-json-lines | attempt append
`)
    .action(async () => {
      const { append, appendStatus } = await import('./append.js');
      await append().catch((error: unknown) => {
        process.exitCode = appendStatus(error);
        throw error;
      });
    });
}

function declareStatus(program: Command): void {
  program.command('status')
    .summary('who holds a session, and who waits for it')
    .description('Show who holds a session, and how many wait for it. Exits 0 if all are free (or\n'
      + 'left by a holder that died), 75 if one is held.')
    .argument('<session|dir...>', 'sessions, or directories of sessions')
    .option('-q, --quiet', 'only the exit status')
    .option(...STORE_OPTION)
    .option('--json', 'for programs')
    .option('--watch', 'go on until interrupted: redrawn on a terminal;\npiped, a line for each change')
    .addHelpText('after', `
Examples:
  $ attempt status notes.jsonl
  $ attempt status --watch notes.jsonl
  $ attempt status --json sessions/ | jq '.[] | select(.held)'
  $ attempt status -q notes.jsonl && echo free
`)
    .action(async (paths: readonly string[], options: StatusOptions) => (options.watch
      ? (await import('./watch.js')).watchStatus(paths, options) : (await import('./status.js')).status(paths, options)));
}

function declareDoctor(program: Command): void {
  program.command('doctor')
    .summary('what is the matter with a session, and what to do')
    .description('Say of each session: who holds it and whether that process lives, when it is\n'
      + 'free at the latest and by which bound, who waits, what is left, what to do next\n'
      + 'and at which risk, and how the last attempts ended. Reads only, unless --fix.')
    .argument('[session|dir...]', 'sessions, or directories of sessions; in an engine,\nnone: all that are held')
    .option('--fix', 'remove what is proved to serve nobody: the lock of\na dead process, its place in line, its litter')
    .option(...STORE_OPTION)
    .option('--json', 'for programs')
    .addHelpText('after', `
A session is free, healthy, overdue, inDoubt, unsettled, queue (being handed
over), dead, foreign (not our lock), corrupt, or has leftovers. Exits 0 if
nothing is the matter (free, healthy, queue), else 1.

Examples:
  $ attempt doctor notes.jsonl
  $ attempt doctor --json . | jq '.sessions[] | select(.condition == "dead")'
  $ attempt doctor --fix sessions/
  $ ATTEMPT_STORE=postgres://db/app attempt doctor
`)
    .action(async (paths: readonly string[], options: DoctorOptions) =>
      (await import('./doctor.js')).doctor(paths, options));
}

function declareStop(program: Command): void {
  program.command('stop')
    .summary('ask the attempt that holds a session to end')
    .description('Ask the attempt that holds a session to end, as its user would, and wait until\n'
      + 'it has given the lock back. Its cleanup runs; nothing is taken away.')
    .argument('<session>', 'the session')
    .addOption(new Option('-w, --wait <time>', 'for its end; 0: only ask').argParser((text) => parseDuration(text))
      .default(30_000, '30s'))
    .option('--attempt <id>', 'only this one, as attempt status shows it')
    .option('--reason <text>', 'for its report')
    .option(...STORE_OPTION)
    .option('--json', 'for programs')
    .addHelpText('after', `
It is bound to the attempt it meets and never ends the next one. A command under
attempt run gets TERM, and KILL after its -k; attempt then ends by TERM (143).
One that waits without its lock (yieldLock) holds nothing and is not met.

Exits 0 if it has ended or nobody held it, 75 if still held, 1 if held by what
cannot be asked. What does not end: attempt doctor, then attempt unlock.

Examples:
  $ attempt stop notes.jsonl
  $ attempt stop -w 2m --reason "deploy" db.state && ./migrate
  $ attempt stop --attempt 1b7f2c09 notes.jsonl
`)
    .action(async (session: string, options: StopCommandOptions) =>
      (await import('./stop.js')).stop(session, options));
}

function declareUnlock(program: Command): void {
  program.command('unlock')
    .summary('take a lock away from its holder, by its token')
    .description('Take away the very grant that has this token, as a takeover does: if it has been\n'
      + 'given back or taken over meanwhile, nothing is changed. A holder that lives\n'
      + 'learns of the loss, aborts its work and may write no more.')
    .argument('<session>', 'the session')
    .addOption(new Option('--token <n>', 'as attempt doctor shows it').argParser(numberFrom(1, Number.MAX_SAFE_INTEGER)))
    .option('--force', 'also from a holder that may be at work')
    .option(...STORE_OPTION)
    .option('--json', 'for programs')
    .addHelpText('after', `
Exits 0 if it was taken away, 1 if nothing was changed, 75 if refused because
the holder is not known to be gone. Its command, under attempt run, is ended;
attempt exits 116 there.

Examples:
  $ attempt doctor notes.jsonl                  who holds it, with which token
  $ attempt unlock --token 7 notes.jsonl
`)
    .action(async (session: string, options: UnlockOptions) =>
      (await import('./unlock.js')).unlock(session, options));
}

function declareLog(program: Command): void {
  program.command('log')
    .summary('the records of a session, and what was left out')
    .description('Show the records of a session with token and attempt, as readers see them, and\n'
      + 'what they leave out and why: records of attempts that had lost the lock, torn\n'
      + 'lines. The attempt is known for the last 20 that held the lock; else -.')
    .argument('<session>', 'a file of JSON lines; with --store, a key')
    .option('--json', 'for programs: one JSON object a line')
    .option('-f, --follow', 'go on as the session grows')
    .option(...STORE_OPTION)
    .addHelpText('after', `
Examples:
  $ attempt log notes.jsonl
  $ attempt log --json -f notes.jsonl | jq .record
`)
    .action(async (session: string, options: LogOptions) =>
      (await import('./log.js')).log(session, options));
}

function declareCheck(program: Command): void {
  program.command('check')
    .summary('walk every world of the machine, and say what that proves')
    .description('Walk every world of one, two or three attempts on one session, with a store,\n'
      + 'work and crashes that do their worst, and say what holds. Exits 0 if all does,\n1 if not.')
    .addOption(new Option('--attempts <number>', 'how many share the session, 1 to 3')
      .argParser(numberFrom(1, 3)).default(2))
    .option('--all-set-ups', 'all 48 set-ups of an attempt, not only the two most\nunlike: minutes')
    .option('--trace <file>', 'instead, judge a recorded trace: is it a path of the\nmachine, and which invariant it breaks if not')
    .option('--json', 'for programs')
    .addHelpText('after', `
Examples:
  $ attempt check
  $ attempt check --trace run.ndjson           as attempt run --trace wrote it
  $ attempt check --attempts 3 --json > proof.json
`)
    .action(async ({ attempts, trace, ...options }: { attempts: 1 | 2 | 3; trace?: string; allSetUps?: boolean; json?: boolean }) => {
      process.exitCode = trace === undefined
        ? (await import('./check.js')).check({ ...options, attempts })
        : (await import('./check-trace.js')).checkTrace(trace, options);
    });
}

function declareInspect(program: Command): void {
  program.command('inspect')
    .summary('a live page of attempts and locks, on this machine')
    .description('Serve a page on 127.0.0.1 that shows the locks of directories, and the attempts\n'
      + 'of runners that attach: what they do, what runs out next, who waits for whom.\n'
      + 'The printed address holds its key: whoever has it sees what you see. Nothing is\n'
      + 'sent anywhere. With --port, ATTEMPT_INSPECT_KEY keeps the address over\na restart.')
    .argument('[dir...]', 'sessions, or directories of sessions; none: only\nattached runners')
    .option('--socket <path>', 'let runners attach here: attempt run --inspect-socket,\nattachTo() of attempt-lifecycle/inspector')
    .option('--allow-abort', 'show a stop button')
    .addOption(new Option('--port <n>', 'default: one the system chooses').argParser(numberFrom(0, 65_535)))
    .option('--replay <file>', 'play a recorded trace')
    .option('--store <where>', 'files:<dir>: the locks of those sessions lie there')
    .addHelpText('after', `
Examples:
  $ attempt inspect sessions/
  $ attempt inspect --socket /tmp/page.sock --allow-abort sessions/
  $ attempt run --inspect-socket /tmp/page.sock --allow-abort notes.jsonl make
  $ attempt inspect --replay run.ndjson
`)
    .action(async (directories: readonly string[], options: InspectCommandOptions) =>
      (await import('./inspect.js')).inspect(directories, options));
}

function declareMigrate(program: Command): void {
  program.command('migrate')
    .summary('make the tables of locks in PostgreSQL')
    .description('Make the tables that locks in PostgreSQL need, where they are missing, or print\nthe SQL that makes them.')
    .option('--store <url>', 'postgres://...; default: $ATTEMPT_STORE')
    .option('--print', 'print the SQL, and touch nothing')
    .addHelpText('after', `
Examples:
  $ attempt migrate --print > attempt.sql
  $ ATTEMPT_STORE=postgres://db/app attempt migrate
`)
    .action(async (options: StoreOption & { print?: boolean }) => (await import('./store.js')).migrateStore(options));
}

/** Each subcommand by its name. */
export const COMMANDS = new Map([
  ['run', declareRun], ['append', declareAppend], ['status', declareStatus], ['doctor', declareDoctor],
  ['stop', declareStop], ['unlock', declareUnlock], ['log', declareLog],
  ['inspect', declareInspect], ['check', declareCheck], ['migrate', declareMigrate],
]);
