/**
 * What is printed. Owns: columns, colour, width. Knows nothing of how it came about.
 */
import type { Counts } from './counts.js';
import type { Bug } from './the-bug.js';
import { isAsPromised, type Check, type Row } from './verdict.js';

/** What the screen needs of an output. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Wider lines are hard to read; narrower ones lose a column. */
const WIDEST = 100;
const PIPED_WIDTH = 100;
const ROOM_FOR_OUTCOME = 94;
const VERDICT_WIDTH = 6;
const LABEL_WIDTH = 15;

type Paint = (text: string) => string;

/** Colour only for a terminal that wants it (no-color.org). */
function paints(output: Output, environment: NodeJS.ProcessEnv): Record<'bold' | 'dim' | 'good' | 'bad', Paint> {
  const wanted = output.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
  const paint = (on: number, off: number): Paint => (text) => (wanted ? `\x1b[${on}m${text}\x1b[${off}m` : text);
  return { bold: paint(1, 22), dim: paint(2, 22), good: paint(32, 39), bad: paint(31, 39) };
}

/** Milliseconds, as exact as they are worth. */
export const inMs = (ms: number): string => `${ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;

/** Breaks prose at blanks so that, with its indentation, it fits. A longer word stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

export class Screen {
  readonly #output: Output;
  readonly #paint;
  readonly #width: number;
  readonly #live: boolean;
  /** Of what stands below a row: as far as lets the longest usual path fit. */
  readonly #indent: number;

  constructor(output: Output, environment: NodeJS.ProcessEnv = process.env) {
    this.#output = output;
    this.#paint = paints(output, environment);
    this.#live = output.isTTY === true && environment['TERM'] !== 'dumb';
    this.#width = Math.max(40, Math.min(output.columns ?? PIPED_WIDTH, WIDEST));
    this.#indent = this.#width < ROOM_FOR_OUTCOME ? 6 : 8;
  }

  start(): void {
    this.#line();
    this.#prose('The bug: a runner written by hand (openclaw #88600)', 0, this.#paint.bold);
    this.#prose('src/demo/hand-written-runner.ts: 25 lines around bare proper-lockfile', 0, this.#paint.dim);
    this.#line();
  }

  bug(bug: Bug): void {
    const { dim, bad } = this.#paint;
    this.#clear();
    this.#fact('timeout', `gives the lock back: the next attempt is granted after ${inMs(bug.timeoutMs)}`);
    this.#fact('user stop', `keeps it: the next attempt, in another process, gives up after ${inMs(bug.refusedMs)}:`);
    this.#prose(`"${bug.refusal}"`, LABEL_WIDTH, bad);
    this.#prose('Nobody is at work any more, but that process lives on and keeps its lock fresh: the session stays '
      + 'refused until somebody restarts it.', LABEL_WIDTH, dim);
    this.#failures(bug.checks);
    this.#line();
  }

  head(): void {
    const { bold, dim } = this.#paint;
    this.#prose('The same session under attempt-lifecycle: however it ends, the lock comes back', 0, bold);
    this.#prose('The next attempt really waits, in another process. [ ] is where the lock is held.', 0, dim);
    this.#line();
    this.#line(dim(this.#columns('', 'how it ends', 'outcome', 'lock', 'next attempt granted')));
  }

  /** A row that is under way; replaced by its result. Only on a terminal. */
  meanwhile(title: string, what: string): void {
    if (!this.#live) return;
    const text = `${' '.repeat(VERDICT_WIDTH)}${title}: ${what} ...`;
    this.#output.write(this.#paint.dim(text.slice(0, this.#width - 1)));
  }

  row(row: Row): void {
    const { good, bad, dim } = this.#paint;
    this.#clear();
    const verdict = isAsPromised(row) ? good('ok') : bad('WRONG');
    const next = row.nextMs === null ? 'never' : `${inMs(row.nextMs).padStart(8)} ${row.since}`;
    this.#line(this.#columns(verdict, row.title, row.outcome, row.lock, next, isAsPromised(row) ? 2 : 5));
    this.#prose(row.path, this.#indent, (line) => this.#path(line));
    for (const note of row.notes) this.#prose(note, this.#indent, dim);
    this.#failures(row.checks);
  }

  counts({ records, discarded, torn, lockFiles, checks }: Counts): void {
    this.#clear();
    this.#line();
    this.#prose(`In the session: ${records} records, ${discarded} left out (the late writer's), ${torn} torn, `
      + `${lockFiles} lock files`, 0);
    this.#failures(checks);
  }

  end(code: 0 | 1, seconds: number, directory: string): void {
    const { bold, good, bad, dim } = this.#paint;
    this.#line();
    this.#line(code === 0
      ? `${good('Everything is as promised.')} ${seconds.toFixed(1)} s; ${directory} is removed.`
      : `${bad('Something is WRONG')}, see above. ${seconds.toFixed(1)} s; look into ${directory}`);
    this.#line();
    const hints: readonly (readonly [string, string, string])[] = [
      ['Next', 'npm test', 'the proof: every state, random schedules, real processes'],
      ['', 'npm run bench', 'what an attempt costs, against a bare lock'],
      ['Look at', 'visualizations/attempt.svg', 'the machine: where the two aborts part, and where they meet'],
      ['', 'machines/attempt.machine.ts', 'the same as code, about a screen'],
      ['', 'README.md', '"In your program", "What is guaranteed, and what is not"'],
    ];
    for (const [label, what, why] of hints) {
      const line = `${bold(label.padEnd(9))}${what.padEnd(29)}`;
      this.#line(38 + why.length <= this.#width ? line + dim(why) : line.trimEnd());
    }
  }

  /** Takes back what `meanwhile` wrote. */
  #clear(): void {
    if (this.#live) this.#output.write('\r\x1b[2K');
  }

  #columns(verdict: string, title: string, outcome: string, lock: string, next: string, verdictWidth = 0): string {
    const middle = this.#width < ROOM_FOR_OUTCOME ? '' : outcome.padEnd(21);
    const first = `${verdict}${' '.repeat(VERDICT_WIDTH - verdictWidth)}${title.padEnd(23)}`;
    return `${first}${middle}${lock.padEnd(12)}${next}`.trimEnd();
  }

  /** Where the lock is held stands out. */
  #path(path: string): string {
    return path.split(/(\[[^\]]*\]?)/).map((part) => (part.startsWith('[') ? part : this.#paint.dim(part))).join('');
  }

  #failures(checks: readonly Check[]): void {
    const { bad } = this.#paint;
    for (const { ok, what, expected, found } of checks) {
      if (ok) continue;
      this.#line(`${' '.repeat(this.#indent)}${bad('WRONG')} ${what}`);
      this.#prose(`expected  ${expected}`, this.#indent + 6);
      this.#prose(`found     ${found}`, this.#indent + 6);
    }
  }

  #fact(label: string, text: string): void {
    const [first = '', ...rest] = wrap(text, this.#width - LABEL_WIDTH);
    this.#line(`  ${label.padEnd(LABEL_WIDTH - 2)}${first}`);
    for (const line of rest) this.#line(`${' '.repeat(LABEL_WIDTH)}${line}`);
  }

  #prose(text: string, indent: number, paint: Paint = (plain) => plain): void {
    for (const line of text ? wrap(text, this.#width - indent) : []) this.#line(`${' '.repeat(indent)}${paint(line)}`);
  }

  #line(text = ''): void {
    this.#output.write(`${text}\n`);
  }
}
