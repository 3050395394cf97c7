/**
 * What the kit finds in each example, and why that is right. The tests hold it against real runs; the
 * table in `test/kit/README.md` is made from it.
 */
import { MODE_IDS, MODES, type ModeId } from '../../../src/testing/index.js';

export interface Expectation {
  /** File name in this folder, without its end. */
  readonly name: string;
  readonly title: string;
  readonly breaks: readonly ModeId[];
  /** Beyond M14 to M17, which no port can show. */
  readonly notExercised: readonly ModeId[];
  /** The fault everybody knows of it, and what else follows from its few lines. */
  readonly why: string;
}

/** Sentences over several lines, as one. */
const said = (lines: TemplateStringsArray): string => lines.join('').trim().replaceAll(/\s+/g, ' ');

/** M14 to M17. */
export const NEVER: readonly ModeId[] = MODE_IDS.filter((id) => MODES[id].never !== undefined);

export const EXPECTED: readonly Expectation[] = [
  {
    name: 'race-and-finally',
    title: '`Promise.race` + `finally`',
    breaks: ['M02', 'M05', 'M09', 'M21'],
    notExercised: ['M06', 'M11', 'M12'],
    why: said`
      The race is over while the work goes on: it still writes (M09), and what it had begun to write lands under
      the next holder's lock (M05). Nobody looks at the signal after waiting (M02). A raw timer makes 1 ms of a
      budget of 25 days (M21).`,
  },
  {
    name: 'release-on-timeout-only',
    title: 'releases on timeout only',
    breaks: ['M01', 'M21'],
    notExercised: ['M06', 'M09', 'M10', 'M11', 'M12', 'M18'],
    why: said`
      The seed bug: after a user's abort or a shutdown the lock is never given back (M01). M21 as above.`,
  },
  {
    name: 'bare-proper-lockfile',
    title: 'bare `proper-lockfile` loop',
    breaks: ['M02', 'M03', 'M05', 'M06', 'M09', 'M11', 'M21'],
    notExercised: ['M18'],
    why: said`
      The loop does not look at the abort while it waits (M02) and waits for its work without a bound (M03). A
      release that fails once has been forgotten by the library (M06). A holder that stood still for longer than
      stale has lost the lock and writes on (M11); nothing is fenced (M05, M09). M21 as above.`,
  },
  {
    name: 'p-queue-with-timeout',
    title: '`p-queue` with `timeout`',
    breaks: ['M02', 'M05', 'M08', 'M09', 'M21'],
    notExercised: ['M06', 'M11', 'M12', 'M18', 'M22'],
    why: said`
      A timeout or an abort frees the place and leaves the task running (M05, M09). There is no patience: a task
      that adds another and waits for it waits for ever (M08), and one that is aborted in the queue is told when
      its turn comes (M02; not so in p-queue 9). M21 as above.`,
  },
  {
    name: 'async-mutex-with-timeout',
    title: '`async-mutex` with `withTimeout`',
    breaks: ['M02', 'M03', 'M21'],
    notExercised: ['M06', 'M09', 'M10', 'M11', 'M12', 'M18'],
    why: said`
      The timeout bounds the wait only: the mutex is held for as long as the work likes (M03), and work that was
      aborted while waiting is run all the same (M02). M21 as above.`,
  },
  {
    name: 'ours-on-memory',
    title: 'ours, `memoryLocks`',
    breaks: [],
    notExercised: ['M11'],
    why: 'In told time, which cannot stand still (M11).',
  },
  {
    name: 'ours-on-files',
    title: 'ours, `localFileLocks`',
    breaks: [],
    notExercised: [],
    why: 'In real time, on real files.',
  },
];

/** The table of runners and modes, as markdown. */
export function table(): string {
  const cell = ({ breaks, notExercised }: Expectation, id: ModeId): string =>
    breaks.includes(id) ? '**breaks**' : [...notExercised, ...NEVER].includes(id) ? '–' : 'holds';
  return [
    `| mode | ${EXPECTED.map(({ title }) => title).join(' | ')} |`,
    `|---|${EXPECTED.map(() => '---').join('|')}|`,
    ...MODE_IDS.map(
      (id) => `| ${id} ${MODES[id].title} | ${EXPECTED.map((one) => cell(one, id)).join(' | ')} |`,
    ),
  ].join('\n');
}

/** Why each of them is as it is, as markdown. */
export const reasons = (): string =>
  EXPECTED.map(({ title, name, why }) => `- [${title}](examples/${name}.ts): ${why}`).join('\n');
