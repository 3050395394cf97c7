/**
 * `attempt check --trace FILE`: says whether a recorded path is one of the machine, and what it breaks if not.
 * Owns: what is printed and the exit status.
 */
import { invariants } from '../../machines/attempt.invariants.js';
import { harmless } from '../text.js';
import { judgeTrace, type JudgedAttempt, type TraceFinding } from '../trace/judge.js';
import { readTrace } from '../trace/read-trace.js';
import { ofOption } from './option-file.js';

export interface CheckTraceOptions {
  readonly json?: boolean;
  /** Default: standard output. */
  readonly stdout?: NodeJS.WritableStream;
}

const WORDS: Readonly<Record<JudgedAttempt['verdict'], string>> = {
  legal: 'a legal path of the machine, whole',
  unfinished: 'legal so far, and not ended',
  illegal: 'NOT a legal path of the machine',
};

function findingLine({ line, invariant, what }: TraceFinding): string {
  const broken = invariants.find(({ id }) => id === invariant);
  return `  line ${line}: ${harmless(what)}${broken ? `\n    breaks ${broken.id}: ${broken.statement}` : ''}`;
}

function textOf({ attemptId, session, verdict, steps, findings }: JudgedAttempt): string {
  const head = `attempt ${harmless(attemptId)} on ${harmless(session)}: ${WORDS[verdict]} (${steps} steps)`;
  return [head, ...findings.map(findingLine)].join('\n');
}

/**
 * Judges a trace file and prints what came of it.
 * @returns the exit status: 0 if no attempt of it left the machine or broke an invariant, else 1
 * @throws AttemptError `CONFIG_INVALID` for what is not a trace, or cannot be read
 */
export function checkTrace(file: string, { json = false, stdout = process.stdout }: CheckTraceOptions = {}): 0 | 1 {
  const attempts = judgeTrace(ofOption('--trace', 'read', () => readTrace(file)));
  const isLegal = attempts.every(({ verdict }) => verdict !== 'illegal');
  stdout.write(json ? `${JSON.stringify({ legal: isLegal, attempts }, null, 2)}\n` : `${attempts.map(textOf).join('\n')}\n`);
  return isLegal ? 0 : 1;
}
