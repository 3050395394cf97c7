/**
 * A random property, held against many cases; a failure says in one line how to run the very same ones again.
 * Owns: the seed of a run and that line. Must not know: what is drawn.
 */
import fc from 'fast-check';

/** A number from the environment: what a replay line sets. */
export const numberFrom = (name: string, usual: number): number => Number(process.env[name] ?? usual);

/** A seed that no earlier run had, unless `TEST_SEED` says which. */
export const testSeed = numberFrom('TEST_SEED', Math.floor(Math.random() * 2 ** 31));

export interface HoldsOptions {
  readonly seed: number;
  readonly runs: number;
  /** The command that runs the same cases again, given seed and number. */
  readonly replay: (seed: number, runs: number) => string;
}

/** The usual command: a file of tests with `TEST_SEED`. */
export const replayOf = (file: string) => (seed: number): string => `TEST_SEED=${seed} npx vitest run --dir test ${file}`;

/** @throws (rejects) what broke, the shortest case, and the line `replay: ...` */
export async function holds<T>(
  property: fc.IRawProperty<T>, { seed, runs, replay }: HoldsOptions,
): Promise<void> {
  const details = await fc.check(property, { seed, numRuns: runs });
  if (!details.failed) return;
  const message = `${fc.defaultReportMessage(details) ?? ''}\n${String(details.errorInstance)}\nreplay: ${replay(seed, runs)}`;
  throw new Error(message, { cause: details.errorInstance });
}

/**
 * For the tests of a suite: a property that a planted bug breaks must print its line, and what the line says must
 * break again.
 * @returns the line
 */
export async function breaksAndReplays<T>(property: () => fc.IRawProperty<T>, options: HoldsOptions): Promise<string> {
  const said = await holds(property(), options).then(() => 'nothing broke', (error: Error) => error.message);
  const line = /^replay: (.+)$/m.exec(said)?.[1];
  if (line === undefined) throw new Error(`no replay line in: ${said}`);
  const numberIn = (name: RegExp, usual: number): number => Number(name.exec(line)?.[1] ?? usual);
  const seed = numberIn(/(?:SEED=|--seed )(\d+)/, NaN);
  if (seed !== options.seed) throw new Error(`the line is about another seed: ${line}`);
  const runs = numberIn(/(?:RUNS=|--sequences )(\d+)/, options.runs);
  const told = await holds(property(), { ...options, seed, runs }).then(() => 'nothing', (error: Error) => error.message);
  const caseIn = (text: string): string | undefined => /^Counterexample: .*$/m.exec(text)?.[0];
  if (caseIn(said) === undefined || caseIn(told) !== caseIn(said)) throw new Error(`the replay told something else:\n${said}\n${told}`);
  return line;
}
