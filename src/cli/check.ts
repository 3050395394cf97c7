/**
 * `attempt check`: walks every world of one, two or three attempts in the user's own shell, and says what that proves.
 * Owns: what is printed and the exit status. Must not know: how worlds are walked.
 */
import ora, { type Ora } from 'ora';
import { invariants } from '../../machines/attempt.invariants.js';
import { allVariants, exploreAttempt, twoVariants, type Explored, type Progress } from '../testing/explore/index.js';
import { hasWidth } from './terminal.js';

export interface CheckOptions {
  /** How many attempts share the session: 1, 2 or 3. Default 2. */
  readonly attempts?: 1 | 2 | 3;
  /** Walk all 48 set-ups of an attempt instead of the two that are most unlike. Minutes instead of seconds. */
  readonly allSetUps?: boolean;
  /** Print one JSON object instead of text. */
  readonly json?: boolean;
  /** Where results go. Default: the process's standard output. */
  readonly stdout?: Output;
  /** Where progress goes; a bar if it is a terminal, else one line for each walk. Default: standard error. */
  readonly stderr?: Output;
  /** `NO_COLOR` is obeyed. Default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What walks. For tests. */
  readonly explore?: typeof exploreAttempt;
}
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

const NOT_COVERED = [
  'time: bounds in milliseconds (L1, L2, the "within" of L3) are for the tests of driver and stores',
  'the real driver, stores, files and processes: here are the machine itself, and models of those',
  'a store that breaks its promise (assumption A1), clocks that drift apart (A2), writers that are not ours (A3)',
  'more than three attempts at once, more than one yield window in each, and sessions that depend on each other',
];

const ALL_CAUSES = ['user', 'timeout', 'shutdown', 'superseded'] as const;
const BAR_WIDTH = 24;
const number = (value: number): string => value.toLocaleString('en-US');

/** The end is not known before it is reached: the bar shows how many of the worlds seen so far are done. */
const barOf = ({ what, worlds, done }: Progress): string => {
  const share = worlds === 0 ? 0 : done / worlds;
  const full = Math.round(share * BAR_WIDTH);
  return `${what}  [${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}] ${number(done)} of ${number(worlds)} worlds seen`;
};

/** The walk never lets go of the thread, so nothing here may need a timer or a signal handler: Ctrl-C just ends us. */
const spinnerOn = (stream: Output, env: NonNullable<CheckOptions['env']>): Ora =>
  ora({ stream, color: env['NO_COLOR'] ? false : 'cyan', hideCursor: false, discardStdin: false, isEnabled: true });

const unchecked = (explored: Explored): string[] =>
  invariants.filter(({ id }) => !explored.checked.includes(id)).map(({ id }) => id);

const commandOf = ({ attempts = 2, allSetUps = false, json = false }: CheckOptions): string =>
  `attempt check --attempts ${attempts}${allSetUps ? ' --all-set-ups' : ''}${json ? ' --json' : ''}`;

function textOf(explored: Explored, setUps: number, options: CheckOptions): string {
  const { attempts, worlds, transitions, depth, worldsPerSecond, alone, seconds, violations, isWhole } = explored;
  const holds = violations.length === 0 && isWhole;
  const statements = invariants.filter(({ id }) => explored.checked.includes(id))
    .map(({ id, statement }) => `  ${id.padEnd(4)} ${statement}`);
  return [
    holds ? `Holds in every world of ${attempts === 1 ? 'one attempt' : `${attempts} attempts on one session`}.`
      : violations.length === 0 ? 'NOT WHOLE: a limit was met, so nothing is proved.' : 'VIOLATED.',
    '', ...violations.flatMap(({ story }) => [story, '']),
    `worlds          ${number(worlds)}`, `transitions     ${number(transitions)}`, `depth           ${depth}`,
    `worlds/s        ${number(worldsPerSecond)}   (${seconds.toFixed(1)} s in all)`,
    `set-ups         ${setUps} of ${allVariants.length}`,
    ...(alone ? [`each alone      ${number(alone.worlds)} worlds, which others can tell into ${alone.classes} classes`] : []),
    '', 'Checked in every world, with late, missing, repeated and failing answers, lost leases, aborts at any point'
      + `${attempts === 1 ? '' : ', crashes and zombies'}:`,
    ...statements, '', 'Not covered:', ...NOT_COVERED.map((line) => `  - ${line}`),
    `  - ${unchecked(explored).join(', ')}: decided by other tests`,
    '', `Repeat: ${commandOf(options)}`, '',
  ].join('\n');
}

const jsonOf = (explored: Explored, setUps: number, options: CheckOptions): string => `${JSON.stringify({
  holds: explored.violations.length === 0 && explored.isWhole, ...explored, setUps,
  unchecked: unchecked(explored), notCovered: NOT_COVERED, repeat: commandOf(options),
}, null, 2)}\n`;

/**
 * Walks, and prints what came of it.
 *
 * @param options see each; without any, two attempts in two set-ups, as text
 * @returns the exit status: 0 if everything checked holds in every world, else 1
 * @throws RangeError for a number of attempts that is not 1, 2 or 3
 */
export function check(options: CheckOptions = {}): 0 | 1 {
  const { attempts = 2, allSetUps = false, json = false, stdout = process.stdout, stderr = process.stderr } = options;
  const variants = allSetUps ? allVariants : twoVariants;
  const spinner = stderr.isTTY && hasWidth(stderr) ? spinnerOn(stderr, options.env ?? process.env) : null;
  const explored = (options.explore ?? exploreAttempt)({
    attempts, variants, ...(allSetUps ? { causes: ALL_CAUSES } : {}),
    print: (line) => { if (!spinner) stderr.write(`${line}\n`); },
    onProgress: (progress) => {
      if (!spinner) return;
      spinner.text = barOf(progress);
      spinner.render();
    },
  });
  spinner?.stop();
  spinner?.clear();
  stdout.write((json ? jsonOf : textOf)(explored, variants.length, options));
  return explored.violations.length === 0 && explored.isWhole ? 0 : 1;
}
