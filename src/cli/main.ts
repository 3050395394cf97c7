#!/usr/bin/env node
/**
 * The command `attempt`: finds its subcommand, and says what went wrong. Its words are in `commands.ts`.
 */
import { Command, CommanderError } from 'commander';
import { createRequire } from 'node:module';
import { AttemptError, describe } from '../errors.js';
import { COMMANDS } from './commands.js';
import { EXIT, EXIT_TABLE } from './exits.js';
import { harmless } from '../text.js';

/** By the package's own name: this file is also bundled, and then lies elsewhere. */
const version = (): string =>
  (createRequire(import.meta.url)('attempt-lifecycle/package.json') as { version: string }).version;

/** An option that prints something and ends, wherever it stands. */
function printing(command: Command, option: string, text: () => string): void {
  command.on(`option:${option}`, () => {
    process.stdout.write(text());
    throw new CommanderError(0, `attempt.${option}`, '');
  });
}

function build(): Command {
  const program = new Command('attempt')
    .description('Run commands under the write lock of a session; however they end, the lock is\ngiven back.')
    .option('-V, --version', 'print the version')
    .option('--explain-exit', 'print what each exit status means')
    .helpOption('-h, --help', 'print this')
    .helpCommand('help [command]', 'print the help of a command')
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
  // The command that is named, alone: declaring the others takes as long as parsing. All of them for help and mistakes.
  const named = COMMANDS.get(process.argv[2] ?? '');
  for (const declare of named ? [named] : COMMANDS.values()) declare(program);
  for (const command of program.commands) {
    command.helpOption('-h, --help', 'print this');
    command.configureOutput({ outputError: (text, write) => write(inOurWords(text, command.name())) });
  }
  return program;
}

/** Where an argument is missing: as every command says it of itself. */
const inOurWords = (text: string, command: string): string => text
  .replace(/^error: missing required argument '(.+)'/, `attempt: ${command}: expected <$1>, got none; see attempt ${command} --help`)
  .replace(/^error: /, 'attempt: ');

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
