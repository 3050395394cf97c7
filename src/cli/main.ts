#!/usr/bin/env node
/**
 * The command `attempt`. Owns: its words. What they do is loaded when they are used, so that none pays for another.
 */
import { Command, CommanderError, Option } from 'commander';
import { readFileSync } from 'node:fs';
import { AttemptError, describe } from '../errors.js';
import { EXIT, EXIT_TABLE } from './exits.js';
import type { LogOptions } from './log.js';
import { declareRunOptions, type RunOptions } from './run/run-options.js';
import type { StatusOptions } from './status.js';
import { STORE_OPTION, type StoreOption } from './store-option.js';
import { harmless } from '../text.js';
import { showWarnings } from './warnings.js';

function version(): string {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** An option that prints something and ends, wherever it stands. */
function printing(command: Command, option: string, text: () => string): void {
  command.on(`option:${option}`, () => {
    process.stdout.write(text());
    throw new CommanderError(0, `attempt.${option}`, '');
  });
}

function declareRun(program: Command): void {
  const run = declareRunOptions(program.command('run'));
  run.action(async (session: string, words: readonly string[], options: RunOptions) => {
    showWarnings(options);
    await (await import('./run/run.js')).runCommand(session, words, options);
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
125, with the lines before it written.

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
    .addHelpText('after', `
Examples:
  $ attempt status notes.jsonl
  $ attempt status --json sessions/ | jq '.[] | select(.held)'
  $ attempt status -q notes.jsonl && echo free
`)
    .action(async (paths: readonly string[], options: StatusOptions) =>
      (await import('./status.js')).status(paths, options));
}

function declareLog(program: Command): void {
  program.command('log')
    .summary('the records of a session, and what was left out')
    .description('Show the records of a session with their tokens, as readers see them, and what\n'
      + 'they leave out and why: records of attempts that had lost the lock, torn lines.')
    .argument('<session>', 'a file of JSON lines')
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
    .description('Walk every world of one, two or three attempts on one session, with a store, work\n'
      + 'and crashes that do their worst, and say what holds. Exits 0 if all does, 1 if not.')
    .addOption(new Option('--attempts <number>', 'how many attempts share the session').choices(['1', '2', '3']).default('2'))
    .option('--all-set-ups', 'all 48 set-ups of an attempt, not only the two most unlike: minutes')
    .option('--json', 'for programs')
    .addHelpText('after', `
Examples:
  $ attempt check
  $ attempt check --attempts 3 --json > proof.json
`)
    .action(async ({ attempts, ...options }: { attempts: string; allSetUps?: boolean; json?: boolean }) => {
      process.exitCode = (await import('./check.js')).check({ ...options, attempts: Number(attempts) as 1 | 2 | 3 });
    });
}

function declareMigrate(program: Command): void {
  program.command('migrate')
    .summary('make the tables of locks in PostgreSQL')
    .description('Make the tables that locks in PostgreSQL need, where they are missing, or print\nthe SQL that makes them.')
    .option(...STORE_OPTION)
    .option('--print', 'print the SQL, and touch nothing')
    .addHelpText('after', `
Examples:
  $ attempt migrate --print > attempt.sql
  $ ATTEMPT_STORE=postgres://db/app attempt migrate
`)
    .action(async (options: StoreOption & { print?: boolean }) => (await import('./store.js')).migrateStore(options));
}

function build(): Command {
  const program = new Command('attempt')
    .description('Run commands under the write lock of a session; however they end, the lock is\ngiven back.')
    .option('-V, --version', 'print the version')
    .option('--explain-exit', 'print what each exit status means')
    .helpOption('-h, --help', 'print this')
    .helpCommand(false)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'attempt: ')) })
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride()
    .addHelpText('after', `
Each has examples: attempt run --help

Examples:
  $ attempt run -n backup.state -- ./backup     skip if it is still running
  $ attempt status .                            who holds what here
`);
  printing(program, 'version', () => `${version()}\n`);
  printing(program, 'explain-exit', () => EXIT_TABLE);
  for (const declare of [declareRun, declareAppend, declareStatus, declareLog, declareCheck, declareMigrate]) declare(program);
  for (const command of program.commands) command.helpOption('-h, --help', 'print this');
  return program;
}

async function main(): Promise<void> {
  // Whoever read our output has gone; what is left to do (a lock to give back) is done without saying so.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    await build().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : EXIT.failed; // it has said what was wrong
      return;
    }
    process.stderr.write(`attempt: ${harmless(error instanceof AttemptError ? error.message : describe(error))}\n`);
    process.exitCode ||= EXIT.failed;
  }
}

void main();
