/** `attempt check`: what it prints, where, and the exit status. The walks themselves: test/machine. */
import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { check, type CheckOptions } from '../../src/cli/check.js';
import { exploreAttempt, living, twoVariants, type Faults, type Variant } from '../../src/testing/explore/index.js';

// The colours' library looks at the process once, as it is loaded, and not at the stream it is given.
vi.hoisted(() => { process.env['FORCE_COLOR'] = '1'; });

const plain = (variant: Variant): Variant => living(variant, { windows: false, sections: false });

/** Most of these are about what is printed: a walk with one cause of abort, in the smaller set-up, is enough. */
const quickly = (faults: Faults = {}): typeof exploreAttempt => (options) =>
  exploreAttempt({ ...options, faults, variants: [plain(twoVariants[1]!)], causes: ['user'], lateAborts: 0, mostFound: 1 });

interface Ran { readonly status: 0 | 1; readonly out: string; readonly err: string }

function run(options: CheckOptions, isTTY = false, columns = 200): Ran {
  const [stdout, stderr] = [new PassThrough(), Object.assign(new PassThrough(), {
    isTTY, columns, clearLine: () => true, cursorTo: () => true, moveCursor: () => true,
  })];
  const status = check({ stdout, stderr, env: {}, ...options });
  const read = (stream: PassThrough): string => String(stream.read() ?? '');
  return { status, out: read(stdout), err: read(stderr) };
}

test('two attempts hold: status 0, counts, what was checked, what was not, and how to repeat it', () => {
  const { status, out, err } = run({
    attempts: 2, explore: (options) => exploreAttempt({
      ...options, variants: twoVariants.map(plain), causes: ['user'], lateAborts: 0,
    }),
  });
  expect(status).toBe(0);
  expect(out).toMatch(/^Holds in every world of 2 attempts on one session\.\n/);
  for (const fact of [/worlds +14,919\n/, /transitions +[\d,]+\n/, /depth +\d+\n/, /worlds\/s +[\d,]+ /]) {
    expect(out).toMatch(fact);
  }
  for (const id of ['S1', 'S2', 'S4', 'S7', 'S13', 'L3', 'L7']) expect(out).toMatch(new RegExp(`^  ${id} +\\S`, 'm'));
  expect(out).toMatch(/Not covered:\n(  - .*\n)+/);
  expect(out).toMatch(/  - S16, S17, S19, L1, .*: decided by other tests\n/);
  expect(out).toMatch(/\nRepeat: attempt check --attempts 2\n$/);
  expect(err.trimEnd().split('\n')).toHaveLength(3); // One line a walk: two of one attempt, one of two.
  expect(err).not.toContain('\u001B');
}, 60_000);

test('a violation: status 1, and the story first', () => {
  const { status, out } = run({ attempts: 2, explore: quickly({ rules: { accepts: () => true } }) });
  expect(status).toBe(1);
  expect(out).toMatch(/^VIOLATED\.\n\nS4 violated: a record with token 1 is accepted after one with 2\n/);
}, 60_000);

test('as JSON: one object, the counts as numbers', () => {
  const { status, out } = run({ attempts: 1, json: true, explore: quickly() });
  const told = JSON.parse(out) as Record<string, unknown>;
  expect(status).toBe(0);
  expect(told).toMatchObject({
    holds: true, attempts: 1, isWhole: true, violations: [], setUps: 2, repeat: 'attempt check --attempts 1 --json',
  });
  expect(told['worlds']).toBeGreaterThan(1_000);
  expect(told['checked']).toContain('S9');
  expect(told['unchecked']).toContain('S1');
}, 60_000);

test('on a terminal a bar moves; NO_COLOR takes its colour', () => {
  const { err } = run({ attempts: 1, explore: quickly() }, true);
  const shown = err.match(/one attempt: hold, [^[]*\[[#-]{24}\] [\d,]+ of [\d,]+ worlds seen/g) ?? [];
  expect(new Set(shown).size, 'within one set-up, too').toBeGreaterThan(5);
  expect(new Set(shown.map((line) => /#*/.exec(line.split('[')[1]!)?.[0].length)).size, 'the bar itself').toBeGreaterThan(2);
  expect(err).toContain('\u001B[36m');
  expect(run({ attempts: 1, explore: quickly(), env: { NO_COLOR: '1' } }, true).err).not.toContain('\u001B[36m');
}, 60_000);

test('a terminal without a width, as `script` makes one in a pipeline, gets lines: ora would clear lines for ever', () => {
  const { status, err } = run({ attempts: 1, explore: quickly() }, true, 0);
  expect(status).toBe(0);
  expect(err).toMatch(/^hold, no cleanup, .* worlds\/s\n$/);
}, 60_000);
