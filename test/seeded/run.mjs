/**
 * Puts each seeded bug into a copy of the code, one at a time, and runs the tests that should notice it.
 * `--only id[,id]` these alone (REPORT.md then keeps the rows of the others), `--list` what there is.
 * Owns: the copy, the verdict, REPORT.md. Must not know: what a bug is about.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { mergedReport, reportOf } from './report.mjs';

/** For the tests of one bug together. What takes longer was killed by no assertion, and is said to survive. */
const LIMIT_MS = 180_000;
/** For one test, on a machine with other work; and where it is known that the bug is a hang. */
const TEST_LIMIT_MS = 30_000;
const HANG_LIMIT_MS = 10_000;

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values: options } = parseArgs({ options: { only: { type: 'string' }, list: { type: 'boolean' } } });
const home = realpathSync(mkdtempSync(join(tmpdir(), 'bitten-')));
const at = (...parts) => join(home, ...parts);
/** The tests under way and all they have started. */
let under = null;
const killUnder = () => {
  try {
    if (under !== null) process.kill(-under, 'SIGKILL');
  } catch { /* they have all ended */ }
};
process.on('exit', () => {
  killUnder();
  rmSync(home, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const tool = (path) => join(root, 'node_modules', path);
const tsc = (...args) => spawnSync(process.execPath, [tool('typescript/bin/tsc'), ...args], { cwd: home });
const build = () => {
  tsc('-p', home); // a bug may offend the types, and is built all the same
  const { status, stderr } = spawnSync(process.execPath, [at('.ci/bundle.mjs')], { cwd: home });
  if (status !== 0 || !existsSync(at('dist/src/index.js'))) throw new Error(`nothing was built: ${stderr}`);
};

function copyTree() {
  for (const name of ['.ci', 'machines', 'src', 'test', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, name), at(name), { recursive: true });
  }
  symlinkSync(realpathSync(join(root, 'node_modules')), at('node_modules'), 'junction');
}

async function bugs() {
  const out = at('bugs');
  mkdirSync(out);
  const { status, stdout } = tsc('--ignoreConfig', '--outDir', out, '--rootDir', at('test/seeded'),
    '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', at('test/seeded/bugs/index.ts'));
  if (status !== 0) throw new Error(`the list of bugs does not compile:\n${stdout}`);
  const { BUGS } = await import(pathToFileURL(join(out, 'bugs/index.js')).href);
  const all = BUGS.map(({ id }) => id);
  if (!options.only) return { all, chosen: BUGS };
  const wanted = options.only.split(',');
  const unknown = wanted.filter((id) => !BUGS.some((bug) => bug.id === id));
  if (unknown.length > 0) throw new Error(`there is no bug ${unknown.join(', ')}; see --list`);
  return { all, chosen: BUGS.filter(({ id }) => wanted.includes(id)) };
}

/** Runs tests, one file after the other. Resolves to what failed first, null if nothing did. */
function runTests(filters, { bail, testMs = TEST_LIMIT_MS }) {
  const result = at('result.json');
  rmSync(result, { force: true });
  const child = spawn(process.execPath, [
    tool('vitest/vitest.mjs'), 'run', '--dir', 'test', '--bail', bail, '--no-file-parallelism',
    '--testTimeout', String(testMs), '--hookTimeout', String(testMs),
    '--reporter', 'json', '--outputFile', result, ...filters,
  ], { cwd: home, stdio: 'ignore', detached: true });
  return new Promise((resolve) => {
    under = child.pid;
    const limit = setTimeout(killUnder, LIMIT_MS * (bail === '0' ? 5 : 1));
    child.once('exit', (code, signal) => {
      clearTimeout(limit);
      killUnder(); // a failed test may leave processes behind
      under = null;
      if (signal) return resolve({ what: 'limit', says: `still running after ${LIMIT_MS / 1_000} s` });
      if (!existsSync(result)) return resolve({ what: 'broken', says: 'no result' });
      resolve(firstFailure(JSON.parse(readFileSync(result, 'utf8')), code));
    });
  });
}

/** With what it is described under, unless it says that itself; without data, which may be this machine's. */
function titleOf({ ancestorTitles, title }) {
  const above = ancestorTitles.filter((one) => one && !title.startsWith(one));
  return [...above, title].join(' > ').replaceAll(/\{.*\}/gs, '{...}');
}

function firstFailure({ testResults, numPassedTests }, code) {
  for (const { name, assertionResults, message } of testResults) {
    const file = relative(at('test'), name).replaceAll('\\', '/');
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed) {
      const says = (failed.failureMessages[0] ?? '').split('\n')[0];
      const what = /\b(Test|Hook) timed out in \d/.test(says) ? 'time' : 'assertion';
      return { what, file, title: titleOf(failed), says };
    }
    if (message) return { what: 'broken', file, says: message.split('\n')[0] };
  }
  if (numPassedTests === 0) return { what: 'broken', says: 'no test ran' };
  return code === 0 ? null : { what: 'broken', says: `the tests ended with ${code}, and none failed` };
}

async function biteOf(bug) {
  const path = at(bug.file);
  const right = readFileSync(path, 'utf8');
  let wrong = right;
  for (const { find, replace } of [bug, ...(bug.also ? [bug.also] : [])]) {
    if (right.split(find).length !== 2) {
      throw new Error(`${bug.id}: its text does not stand exactly once in ${bug.file}`);
    }
    wrong = wrong.replace(find, () => replace);
  }
  writeFileSync(path, wrong);
  const begun = performance.now();
  try {
    if (bug.build) build();
    const failure = await runTests(bug.tests, { bail: '1', ...(bug.hangs && { testMs: HANG_LIMIT_MS }) });
    const killed = failure?.what === 'assertion' || (failure?.what === 'time' && bug.hangs === true);
    return { bug, killed, failure, seconds: (performance.now() - begun) / 1_000 };
  } finally {
    writeFileSync(path, right);
    if (bug.build) cpSync(at('right'), at('dist'), { recursive: true }); // the next one must not meet it
  }
}

const line = ({ bug, killed, failure, seconds }) => {
  const failed = failure && [failure.file, failure.title ?? failure.says].filter(Boolean).join(' > ');
  const by = failed ?? 'every test passed';
  const what = killed || !failure ? '' : ` [${failure.what}: ${failure.says}]`;
  const verdict = killed ? 'killed  ' : 'SURVIVED';
  return `${verdict} ${bug.id} (${bug.breaks}, ${seconds.toFixed(1)} s): ${by}${what}`
    + (killed ? '' : `\n         ${bug.sentence}`);
};

/** Builds the code as it is, and throws unless these tests pass on it: else no failure means anything. */
async function expectToPass(tests) {
  build();
  cpSync(at('dist'), at('right'), { recursive: true });
  const failure = await runTests(tests, { bail: '0' });
  if (failure === null) return;
  throw new Error(`without a bug the tests fail: ${failure.file} > ${failure.title ?? ''} ${failure.says}`);
}

async function main() {
  copyTree();
  const { all, chosen } = await bugs();
  if (options.list) {
    for (const { id, breaks, file, sentence } of chosen) {
      console.log(`${id.padEnd(36)} ${breaks.padEnd(12)} ${file}: ${sentence}`);
    }
    return console.log(`${chosen.length} bugs`);
  }
  const begun = performance.now();
  const passed = () => `${((performance.now() - begun) / 1_000).toFixed(0)} s`;
  await expectToPass([...new Set(chosen.flatMap(({ tests }) => tests))]);
  console.log(`without a bug all of these tests pass (${passed()})`);
  const bites = [];
  for (const bug of chosen) {
    bites.push(await biteOf(bug));
    console.log(line(bites.at(-1)));
  }
  const killed = bites.filter((bite) => bite.killed).length;
  console.log(`${bites.length} bugs, ${killed} killed, ${bites.length - killed} survived, ${passed()}`);
  const report = join(root, 'test/seeded/REPORT.md');
  writeFileSync(report, options.only ? mergedReport(readFileSync(report, 'utf8'), bites, all) : reportOf(bites));
  process.exitCode = killed === bites.length ? 0 : 1;
}

await main().catch((error) => {
  console.error(`seeded: ${error.message}`);
  process.exitCode = 1;
});
