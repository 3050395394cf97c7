// The sweep: every system call of every operation of a file lock and its session, each made to fail in every way.
// npm run sweep -- [--seconds N] [--seed N] [--operation a,b] [--fault A,B] [--lanes N] [--write]
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { OPERATIONS, prepareSessions, runCase, startRival } from './one-case.mjs';
import { pageOf, writePage } from './page.mjs';
import { FAULTS, whyNoStrace } from './tracer.mjs';

const { values: options } = parseArgs({ options: {
  seconds: { type: 'string' }, seed: { type: 'string' }, operation: { type: 'string' }, fault: { type: 'string' },
  lanes: { type: 'string', default: '4' }, write: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false },
} });

const why = whyNoStrace();
if (why !== null) {
  console.warn(`SKIPPED: the sweep: ${why}`);
  process.exit((process.env.ATTEMPT_REQUIRE ?? '').split(',').includes('strace') ? 1 : 0);
}

const seed = Number(options.seed ?? Date.now() % 1e9);
const seconds = options.seconds === undefined ? Infinity : Number(options.seconds);
const operations = options.operation?.split(',') ?? Object.keys(OPERATIONS);
const faults = options.fault?.split(',') ?? Object.keys(FAULTS);
const until = performance.now() + seconds * 1e3;

/** A generator of numbers in [0, 1): mulberry32. */
function randomFrom(start) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The calls of the operation itself: from when the victim was told to go on until it told that it is over. */
function callsOf(operation, calls) {
  const end = { acquireFirst: '\\"granted\\"', acquire: '\\"granted\\"', takeOver: '\\"granted\\"', takeOpen: '\\"granted\\"',
    release: '\\"report\\"', releaseAwaited: '\\"report\\"' }[operation] ?? '\\"over\\"';
  const from = calls.findIndex(({ call, text }) => call === 'read' && text.includes('"go\\n"'));
  const to = calls.findIndex(({ call, text }) => call === 'write' && text.includes(end));
  if (from === -1 || to === -1) throw new Error(`${operation}: no window in ${calls.map((one) => one.text).join('\n')}`);
  return calls.slice(from, to).filter(({ mine }) => mine);
}

const root = realpathSync(mkdtempSync(join(tmpdir(), 'attempt-sweep-')));
const results = [];
const counts = {};
let missed = 0;
try {
  await prepareSessions(root);
  const cases = [];
  const first = startRival();
  for (const operation of operations) {
    const plain = await runCase(root, first, { operation });
    if (plain.violations.length > 0) throw new Error(`${operation}, without a fault: ${plain.violations.join('; ')}`);
    const calls = callsOf(operation, plain.calls);
    counts[operation] = calls.length;
    if (options.verbose) console.log(`${operation}: ${calls.map(({ call, nth }) => `${call}#${nth}`).join(' ')}`);
    for (const { call, nth } of calls) for (const fault of faults) cases.push({ operation, fault, call, nth });
  }
  await first.kill();
  const random = randomFrom(seed);
  const shuffled = cases.map((one) => [random(), one]).sort(([a], [b]) => a - b).map(([, one]) => one);
  console.log(`sweep: ${cases.length} cases in ${operations.length} operations; --seed ${seed}`);
  const lane = async () => {
    const rival = startRival();
    while (shuffled.length > 0 && performance.now() < until) {
      const one = shuffled.pop();
      const where = `${one.operation} ${one.call}#${one.nth} ${one.fault}`;
      // The fault may meet none of the operation's calls, since how often a thread calls that name may vary by one; and on
      // a machine at its limit a tracer may not get hold of its process. Both are tried again.
      const attempt = () => runCase(root, rival, one).catch((error) => ({ hit: false, broken: error }));
      let result = await attempt();
      for (let again = 0; again < 2 && !result.hit; again += 1) result = await attempt();
      if (result.broken) throw result.broken;
      if (!result.hit) missed += 1;
      for (const violation of result.violations) console.log(`VIOLATION ${where}: ${violation}`);
      if (options.verbose) console.log(`${where}: ${result.happened}; next after ${Math.round(result.grantedAfterMs)} ms`);
      results.push({ ...one, ...result, calls: undefined });
      if (results.length % 100 === 0) console.log(`  ${results.length} of ${cases.length}, ${results.filter((r) => r.violations.length).length} with violations`);
    }
    await rival.kill();
  };
  await Promise.all(Array.from({ length: Number(options.lanes) }, lane));
  const bad = results.filter(({ violations }) => violations.length > 0);
  console.log(`sweep: ${results.length} of ${cases.length} cases run, ${missed} in which the call did not come, ${bad.length} with violations`);
  if (options.write) writePage(fileURLToPath(new URL('../README.md', import.meta.url)), pageOf(results, counts, missed, Object.keys(FAULTS)));
  if (process.env.SWEEP_RESULTS) writeFileSync(process.env.SWEEP_RESULTS, JSON.stringify({ results, counts, missed }));
  process.exitCode = bad.length > 0 || results.length === 0 ? 1 : 0;
} finally {
  rmSync(root, { recursive: true, force: true });
}
