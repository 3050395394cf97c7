/** The checks of the demonstration can fail: each promise, broken alone, is WRONG, says so and leads to exit 1. */
import { describe, expect, it } from 'vitest';
import { Screen } from '../../src/demo/screen.js';
import {
  brokenRow, checkEnding, exitCodeOf, isAsPromised, same, showPath, within, type Check, type Promised, type Row,
} from '../../src/demo/verdict.js';

const ESC = String.fromCharCode(27);
const ESCAPES = new RegExp(`[${ESC}\r]`);
const COLOUR = new RegExp(`${ESC}\\[\\d+m`);

const promised: Promised = {
  outcome: 'aborted', abortedBy: 'user', abandoned: false, lease: 'released',
  path: ['acquiring.waiting', 'locked', 'running.working', 'aborting.user', 'releasing.asking', 'released'],
};

const rowWith = (...checks: Check[]): Row => ({
  title: 'user stop', outcome: 'aborted by user', lock: 'released', path: showPath(promised.path), nextMs: 3.14,
  since: 'after the stop', notes: ['a note'], checks,
});

function printed(show: (screen: Screen) => void, output: { isTTY?: boolean; columns?: number } = {}, environment = {}): string {
  let text = '';
  show(new Screen({ ...output, write: (more) => { text += more; } }, environment));
  return text;
}

describe('a promise that is kept', () => {
  const row = rowWith(...checkEnding(promised, { ...promised }), within('next granted', 0, 50, 3.14));

  it('is ok and leads to exit 0', () => {
    expect(isAsPromised(row)).toBe(true);
    expect(exitCodeOf([row], [same('torn lines', 0, 0)])).toBe(0);
    expect(printed((screen) => screen.row(row))).toBe([
      'ok    user stop              aborted by user      released      3.1 ms after the stop',
      '        acquiring → [locked → running → aborting.user → releasing] → released',
      '        a note', '',
    ].join('\n'));
  });
});

describe('a promise that is broken', () => {
  const lies: readonly (readonly [string, Partial<Promised>, string, string])[] = [
    ['outcome', { outcome: 'completed' }, 'aborted', 'completed'],
    ['aborted by', { abortedBy: 'timeout' }, 'user', 'timeout'],
    ['run marked abandoned', { abandoned: true }, 'false', 'true'],
    ['lock', { lease: 'expired' }, 'released', 'expired'],
    ['path', { path: ['acquiring.waiting', 'released'] }, showPath(promised.path), 'acquiring → released'],
  ];

  it.each(lies)('%s', (what, lie, expected, found) => {
    const row = rowWith(...checkEnding(promised, { ...promised, ...lie }));
    expect(exitCodeOf([row], [])).toBe(1);
    expect(row.checks.filter(({ ok }) => !ok)).toEqual([{ ok: false, what, expected, found }]);
    const text = printed((screen) => screen.row(row));
    expect(text).toMatch(/^WRONG user stop/);
    expect(text).toContain(`WRONG ${what}\n              expected  ${expected}\n              found     ${found}\n`);
  });

  it.each([
    ['too late', within('next granted', 0, 50, 50.1), 'within 50 ms', '50.1 ms'],
    ['too early', within('next granted', 300, 400, 12), '300 to 400 ms', '12.0 ms'],
    ['never', within('next granted', 0, 50, null), 'within 50 ms', 'never'],
    ['not a number', within('next granted', 0, 50, Number.NaN), 'within 50 ms', 'NaN ms'],
    ['another count', same('lock files left', 0, 1), '0', '1'],
  ])('%s', (_name, check, expected, found) => {
    expect(check).toMatchObject({ ok: false, expected, found });
    expect(exitCodeOf([rowWith(check)], [])).toBe(1);
  });

  it('outside the rows leads to exit 1 as well', () => {
    expect(exitCodeOf([rowWith(same('lock', 'released', 'released'))], [same('torn lines', 0, 1)])).toBe(1);
  });

  it('a row that broke off, a row that promises nothing, and no rows at all are not as promised', () => {
    const broken = brokenRow('timeout', new Error('"granted" of next never came: waited 5000 ms'), 'the lock is free');
    expect(exitCodeOf([broken], [])).toBe(1);
    expect(printed((screen) => screen.row(broken))).toContain('found     "granted" of next never came');
    expect(exitCodeOf([rowWith()], [])).toBe(1);
    expect(exitCodeOf([], [])).toBe(1);
  });
});

describe('the path', () => {
  it('shows where the lock is held: to the end, to a loss, to a crash, or nowhere', () => {
    expect(showPath(['acquiring.waiting', 'locked', 'releasing.asking', 'releasing.pausing', 'released']))
      .toBe('acquiring → [locked → releasing → releasing.pausing] → released');
    expect(showPath(['locked', 'running.working', 'aborting.leaseLost', 'released'])).toBe('[locked → running] → aborting.leaseLost → released');
    expect(showPath(['acquiring.waiting', 'locked', 'running.working'])).toBe('acquiring → [locked → running');
    expect(showPath(['acquiring.waiting', 'acquiring.cancelling', 'released'])).toBe('acquiring → acquiring.cancelling → released');
  });
});

describe('the screen', () => {
  const row = rowWith(...checkEnding(promised, promised));
  const wrong = rowWith(same('lock', 'released', 'expired'));
  const everything = (screen: Screen): void => {
    screen.start();
    screen.meanwhile('by hand', 'the next attempt tries for a second and then some more');
    screen.bug({ timeoutMs: 9, refusal: 'session.jsonl is locked by stopped-run (pid 4711)', refusedMs: 1_008, checks: [] });
    screen.head();
    screen.row(row);
    screen.row(wrong);
    screen.counts({ records: 25, discarded: 1, torn: 0, lockFiles: 0, checks: [] });
    screen.end(0, 8.6, 'attempt-demo-x');
    screen.end(1, 8.6, 'attempt-demo-x');
  };

  it.each([100, 80])('fits %i columns, and has no escapes in a pipe', (columns) => {
    const text = printed(everything, { columns });
    expect(text).not.toMatch(ESCAPES);
    expect(text.split('\n').filter((line) => line.length > columns)).toEqual([]);
  });

  it('keeps both axes where there is room, and the lock where there is not', () => {
    expect(printed(everything, { columns: 100 })).toContain('aborted by user');
    const narrow = printed(everything, { columns: 80 });
    expect(narrow).not.toContain('aborted by user');
    expect(narrow).toContain('released');
  });

  it('is coloured on a terminal only, and not where NO_COLOR or a dumb terminal says no', () => {
    const tty = { isTTY: true, columns: 100 };
    expect(printed(everything, tty)).toContain('\x1b[31mWRONG\x1b[39m');
    expect(printed(everything, tty, { NO_COLOR: '1' })).not.toMatch(COLOUR);
    expect(printed(everything, tty, { TERM: 'dumb' })).not.toMatch(ESCAPES);
  });
});
