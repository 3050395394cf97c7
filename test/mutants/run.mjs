/**
 * Mutation testing: Stryker changes the code in every small way it knows, one at a time, and the tests must notice.
 * `npm run mutants -- <folder or file> ...` runs a part and renews its section of REPORT.md. Too slow for `npm test`.
 * Owns: a copy of the tree, in which alone is mutated. Must not know: which tests judge what (parts.mjs).
 */
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isShared, LEFT_OUT, PARTS } from './parts.mjs';
import { mergedReport, sectionOf } from './report.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What was found before: while a file is unchanged only its survivors are tried again (`--again`: all;
 * `--known`: none; `--tests <glob>`: by these tests alone, where they are new). Not in git. */
const known = join(root, 'node_modules/.cache/mutants');
const report = join(root, 'test/mutants/REPORT.md');

const { values: options, positionals: asked } = parseArgs({ allowPositionals: true, options: {
  again: { type: 'boolean', default: false }, known: { type: 'boolean', default: false }, tests: { type: 'string', multiple: true },
} });
if (asked.length === 0) {
  console.error('Expected a folder or files of machines or src, e.g. npm run mutants -- src/driver');
  process.exit(1);
}
const posix = (path) => relative(root, path).replaceAll('\\', '/');
const filesIn = (path) => (statSync(path).isDirectory()
  ? readdirSync(path, { withFileTypes: true }).flatMap((entry) => filesIn(join(path, entry.name)))
  : [path]);
const isLeftOut = (file) => LEFT_OUT.some(({ path }) => file === path || file.startsWith(`${path}/`));
const files = asked.flatMap((one) => filesIn(join(root, one)).map(posix)).filter((file) => file.endsWith('.ts') && !isLeftOut(file));

const byPart = new Map();
for (const file of files) {
  const part = PARTS.find(({ of }) => file.startsWith(of));
  if (!part) throw new Error(`${file}: no tests are named for it in parts.mjs`);
  byPart.set(part, [...(byPart.get(part) ?? []), file]);
}

const home = realpathSync(mkdtempSync(join(tmpdir(), 'mutants-')));
chmodSync(home, 0o755); // some tests start processes of another user
let under = null;
process.on('exit', () => {
  try {
    if (under) process.kill(-under.pid, 'SIGKILL');
  } catch { /* it has ended */ }
  rmSync(home, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

// Children of tests run what is built and unchanged: they are the others.
for (const name of ['machines', 'src', 'test', 'dist', 'package.json', 'tsconfig.json']) cpSync(join(root, name), join(home, name), { recursive: true });
symlinkSync(realpathSync(join(root, 'node_modules')), join(home, 'node_modules'), 'junction');
mkdirSync(known, { recursive: true });

/** One run of Stryker. @param mutate files, or places in files @returns by file, its mutants with what became of them */
async function stryker({ of, isolate = false, testMs = 6_000 }, tests, mutate) {
  const result = join(home, 'mutation.json');
  const config = {
    testRunner: 'vitest-loading', ignorers: ['messages'], plugins: ['runner', 'messages'].map((name) => join(home, `test/mutants/${name}.mjs`)),
    vitest: { configFile: 'test/mutants/vitest.config.mjs', related: false }, checkers: [],
    mutate, inPlace: true, coverageAnalysis: 'perTest', concurrency: 1, ignoreStatic: !isolate,
    timeoutMS: 6_000, timeoutFactor: 3, dryRunTimeoutMinutes: 10, allowEmpty: true, warnings: { slow: false },
    reporters: [process.stdout.isTTY ? 'progress' : 'progress-append-only', 'json'], jsonReporter: { fileName: result }, logLevel: process.env.MUTANTS_LOG ?? 'warn', tempDirName: 'stryker-tmp',
  };
  rmSync(result, { force: true });
  writeFileSync(join(home, 'stryker.config.json'), JSON.stringify(config));
  under = spawn(process.execPath, [join(root, 'node_modules/@stryker-mutator/core/bin/stryker.js'), 'run', 'stryker.config.json'], {
    cwd: home, stdio: ['ignore', 'inherit', 'inherit'], detached: true,
    // Not by its option `testFiles`: what is worked out at load would then be changed too late to be noticed.
    env: { ...process.env, ATTEMPT_MUTANTS: JSON.stringify({ tests, isolate, testMs }) },
  });
  await new Promise((resolve) => under.on('exit', resolve));
  under = null;
  if (!existsSync(result)) throw new Error(`${of}: Stryker ended without a result`);
  return JSON.parse(readFileSync(result, 'utf8')).files;
}

const lives = ({ status }) => status === 'Survived' || status === 'NoCoverage';
/** What is met by no test of this run may have been by one of another. */
const better = (one, fresh) => (fresh && lives(one) && !(fresh.status === 'NoCoverage' && one.status === 'Survived') ? fresh : one);
const idOf = ({ location: { start, end }, mutatorName, replacement }) =>
  `${start.line}:${start.column}-${end.line}:${end.column} ${mutatorName} ${replacement}`;
const rangeOf = (file, { location: { start, end } }) => `${file}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`;
const cacheOf = (file) => join(known, `${file.replaceAll('/', '-')}.json`);

/** What is known of these files: found before on the same text, or nothing yet. */
function remembered(mutate) {
  const all = new Map();
  for (const file of mutate) {
    if (options.again || !existsSync(cacheOf(file))) continue;
    const before = JSON.parse(readFileSync(cacheOf(file), 'utf8'));
    if (before.source === readFileSync(join(root, file), 'utf8')) all.set(file, before);
  }
  return all;
}

/** What shares a worker and what does not, one after the other: in one run Stryker loses what covers what. */
const apart = (tests) => [tests.filter(isShared), tests.filter((test) => !isShared(test))].filter((some) => some.length > 0);

/** All mutants meet the cheap tests; those that live meet the dear ones. */
async function judged(part, mutate) {
  const all = remembered(mutate);
  for (const tests of (options.tests ? [options.tests] : part.tests).flatMap(apart)) {
    const places = mutate.flatMap((file) => {
      const before = all.get(file);
      return before ? [...new Set(before.mutants.filter(lives).map((one) => rangeOf(file, one)))] : [file];
    });
    if (places.length === 0) break;
    const found = await stryker(part, tests, places);
    for (const [file, { source, mutants }] of Object.entries(found)) {
      const fresh = new Map(mutants.map((one) => [idOf(one), one]));
      const before = all.get(file);
      const merged = before ? before.mutants.map((one) => better(one, fresh.get(idOf(one)))) : mutants;
      all.set(file, { source, mutants: merged });
      writeFileSync(cacheOf(file), JSON.stringify(all.get(file)));
    }
  }
  return all;
}

let unexplained = 0;
for (const [part, mutate] of byPart) {
  const found = options.known ? remembered(mutate) : await judged(part, mutate);
  const sections = [...found].map(([file, one]) => sectionOf(file, one));
  for (const section of sections) {
    unexplained += section.unexplained.length;
    console.log(`${section.heading}${section.unexplained.map((one) => `\n  ${one}`).join('')}`);
  }
  writeFileSync(report, mergedReport(existsSync(report) ? readFileSync(report, 'utf8') : '', sections));
}
if (unexplained > 0) console.log(`${unexplained} survivors are neither killed nor explained (test/mutants/accepted.mjs)`);
process.exitCode = unexplained > 0 ? 1 : 0;
