// One fault in one call of one operation: what happened, and whether it was allowed to.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readSession } from '../../../dist/src/index.js';
import { processMark } from '../../../dist/src/owner.js';
import { checkHistory } from '../../../dist/src/testing/history.js';
import { Told } from '../fixtures/told.mjs';
import { callsIn, FAULTS, isStall, isStalled, STALL_US, trace } from './tracer.mjs';

export const LEASE_MS = 2_000;

/** A lease, the one per cent by which clocks may differ, the poll, and what a loaded machine takes to start things. */
export const BOUND_MS = LEASE_MS * 1.01 + 500 + 2_500;

/** Longest an attempt of the victim may take: nothing should come near it. Milliseconds. */
const MOST_MS = 30_000;

/** SIGABRT: libuv ends the process where close(2) fails after it read a small file of /proc; no report then, as of a kill. */
const DEATHS = ['SIGKILL', 'SIGABRT'];

const victimScript = fileURLToPath(new URL('../fixtures/victim.mjs', import.meta.url));
const rivalScript = fileURLToPath(new URL('../fixtures/rival.mjs', import.meta.url));

/** Operation -> the state of the session it starts from. */
export const OPERATIONS = {
  acquireFirst: 'fresh', acquire: 'used', takeOver: 'dead', takeOpen: 'open', renew: 'used', revive: 'used', appendFirst: 'fresh',
  append: 'used', replace: 'used', release: 'used', releaseAwaited: 'used',
};

/** Somebody else waits in line meanwhile, and leaves it then: by the ticket of this process. */
function standInLine(session) {
  const ticket = join(`${session}.attempt`, `wait.1.${randomUUID()}`);
  writeFileSync(ticket, JSON.stringify({ since: Date.now(), waiting: [{ attemptId: 'in line', since: Date.now() }], ...processMark() }));
  return () => rmSync(ticket, { force: true });
}

const victimOn = (session, operation, name) => new Told(process.execPath,
  [victimScript, JSON.stringify({ session, operation, leaseMs: LEASE_MS, name })], { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } });

export const startRival = () => new Told(process.execPath, [rivalScript]);

/** Sessions to copy: never used, used, left open for somebody who did not come, and held by a process that was killed. */
export async function prepareSessions(root) {
  for (const kind of ['fresh', 'used', 'dead']) mkdirSync(join(root, kind));
  const rival = startRival();
  for (const kind of ['used', 'dead']) {
    rival.send({ session: join(root, kind, 's'), name: `old/${kind}`, leaseMs: LEASE_MS, waitMs: 20_000 });
    if (!await rival.says((fact) => fact.report && fact.name === `old/${kind}`, MOST_MS)) throw new Error(`not prepared: ${rival.errors}`);
  }
  await rival.kill();
  cpSync(join(root, 'used'), join(root, 'open'), { recursive: true });
  mkdirSync(join(root, 'open', 's.lock'));
  chmodSync(join(root, 'open', 's.lock'), 0o1755);
  writeFileSync(join(root, 'open', 's.lock', `owner.0.0.${randomUUID()}`), '{}');
  const dies = victimOn(join(root, 'dead', 's'), 'release', 'died');
  if (!await dies.says((fact) => fact.ready === 'operation', MOST_MS)) throw new Error(`not prepared: ${dies.errors}`);
  await dies.kill();
}

/** What was in the session before, as a history. */
async function historyOf(root, operation) {
  const kind = OPERATIONS[operation];
  const { records } = await readSession(join(root, kind, 's'));
  return records.flatMap(({ record, token }, index) => {
    const about = { session: 's', token, record: record.record };
    return [...(index === 0 ? [{ ...about, is: 'granted', at: 0 }] : []), { ...about, is: 'writes', at: 0 }, { ...about, is: 'written', at: 0 }];
  });
}

/**
 * Runs one.
 * @param root where the prepared sessions are
 * @param rival a running one
 * @param what `{ operation, fault, call, nth }`; without a fault: only traced
 * @returns `{ hit, calls, violations, happened, grantedAfterMs, left }`; no `hit` where the fault did not meet the operation
 */
export async function runCase(root, rival, { operation, fault, call, nth }) {
  const directory = mkdtempSync(join(root, 'case-'));
  const session = join(directory, 's');
  spawnSync('cp', ['-a', `${join(root, OPERATIONS[operation])}/.`, directory]);
  const before = await historyOf(root, operation);
  const name = `v${directory.slice(-6)}`;
  const leaveLine = operation === 'releaseAwaited' ? standInLine(session) : () => {};
  const victim = victimOn(session, operation, name);
  const log = `${directory}.log`;
  let strace = null;
  try {
    if (!await victim.says((fact) => fact.ready, MOST_MS)) throw new Error(`the victim did not start: ${victim.errors}`);
    strace = await trace(victim.pid, log, fault ? [`${call}:${FAULTS[fault]}:when=${nth}`] : []);
    const startedAt = performance.now();
    victim.send('go');
    const isOver = () => victim.hasEnded || victim.facts.some((fact) => fact.report || fact.crashed);
    const stalls = fault !== undefined && isStall(fault) && await isStalled(victim.pid, isOver, MOST_MS);
    if (!stalls) await victim.says((fact) => fact.report || fact.crashed, MOST_MS);
    const others = entriesIn(join(root, OPERATIONS[operation], 's.lock'));
    const atEnd = entriesIn(`${session}.lock`).filter((entry) => !others.includes(entry));
    leaveLine();
    const rivalsName = `r${name}`;
    const askedAt = performance.now();
    rival.send({ session, name: rivalsName, leaseMs: LEASE_MS, waitMs: 20_000, holdUntilTold: stalls });
    const granted = await rival.says((fact) => fact.is === 'granted' && fact.name === rivalsName, MOST_MS);
    const grantedAfterMs = granted && performance.now() - askedAt;
    if (stalls) {
      // The rival holds until the victim is awake and has had time to do harm; the victim may also be waiting for it.
      await Promise.race([victim.says((fact) => fact.report || fact.crashed, MOST_MS), pause(Math.max(0, STALL_US / 1e3 + 900 - (performance.now() - startedAt)), undefined, { ref: false })]);
      rival.send({ finish: true });
    }
    const rivals = await rival.says((fact) => fact.report && fact.name === rivalsName, MOST_MS);
    const reported = await victim.says((fact) => fact.report || fact.crashed, MOST_MS);
    victim.send('end');
    victim.process.stdin.end();
    const ending = await Promise.race([victim.ended, pause(MOST_MS, undefined, { ref: false })]);
    if (!ending) await victim.kill();
    await strace.ended;
    const calls = callsIn(log, directory);
    const facts = [...victim.facts, ...rival.facts.filter((fact) => fact.name === rivalsName)];
    rival.facts = [];
    const seen = { operation, fault, before, facts, reported, rivals, grantedAfterMs, ending, atEnd, stalls, session };
    // What the victim is told and tells is not the operation: which of its writes is that may vary by one.
    if (calls.some((one) => one.hit && /= -1 /.test(one.text) && isOwnVoice(one))) return { hit: false, calls, violations: [], happened: 'it could not tell', grantedAfterMs, left: [] };
    const violations = await judge(seen);
    if (operation === 'releaseAwaited' && !fault && !calls.some(({ text }) => text.includes('/owner.0.0.'))) violations.push('it was not left open');
    // A kill leaves the call without an answer.
    // After the report it was not in the operation: how often its thread calls that name varies by one.
    const hit = fault === 'SIGKILL' ? !reported && victim.process.signalCode === 'SIGKILL' && calls.at(-1) : calls.find((one) => one.hit);
    return { hit, calls, violations, happened: happenedIn(seen), grantedAfterMs, left: entriesIn(`${session}.attempt`).filter((one) => /^(new|wait|litter)\./.test(one)) };
  } finally {
    await victim.kill();
    strace?.kill();
    rmSync(directory, { recursive: true, force: true });
    rmSync(log, { force: true });
  }
}

/** Is this call about its stdin, stdout or stderr? */
const isOwnVoice = ({ text }) => /^\w+\([012]</.test(text);

function entriesIn(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function happenedIn({ reported, ending, facts }) {
  if (!reported) return { SIGKILL: 'killed', SIGABRT: 'Node aborts itself' }[ending?.signal] ?? 'no report';
  if (reported.crashed) return 'crashed';
  const { outcome, lease, code, abortedBy } = reported.report;
  const failed = [...new Set(facts.filter((fact) => fact.write && fact.outcome !== 'written').map((fact) => fact.outcome))];
  const why = code ?? abortedBy;
  return [`${outcome}${why ? ` (${why})` : ''}`, lease === 'released' ? null : lease, failed.length ? `write ${failed.join('+')}` : null].filter(Boolean).join(', ');
}

/** Everything that must hold, whatever the fault. @returns what does not */
async function judge({ fault, before, facts, reported, rivals, grantedAfterMs, ending, atEnd, stalls, session }) {
  const violations = [];
  const complain = (what) => violations.push(what);
  if (grantedAfterMs === null) complain('L3: the second was never granted');
  else if (grantedAfterMs > BOUND_MS) complain(`L3: the second was granted after ${Math.round(grantedAfterMs)} ms`);
  if (rivals?.report.outcome !== 'completed') complain(`the second did not complete: ${JSON.stringify(rivals)}`);
  if (rivals?.report.lease !== 'released') complain(`S6: the second's lease is ${rivals?.report.lease}`);
  if (!reported && !DEATHS.includes(ending?.signal)) complain(`L1: the first never reported: ${JSON.stringify(ending)}`);
  if (reported?.crashed) complain(`the first crashed: ${reported.crashed}`);
  if (reported && ending?.code !== 0 && !DEATHS.includes(ending?.signal)) complain(`the first ended with ${JSON.stringify(ending)}`);
  checkReport({ reported: reported?.report, facts, atEnd, stalls, rivals, fault }, complain);
  const read = await readSession(session).catch((error) => ({ error }));
  if (read.error) complain(`the session cannot be read: ${read.error}`);
  else {
    if (read.torn.length > 1) complain(`S15: ${read.torn.length} torn lines`);
    const history = [...before, ...facts.filter((fact) => fact.is && fact.is !== undefined).map((fact) => ({ ...fact, session: 's' }))];
    const found = read.records.map(({ record, token }) => ({ token, record: record.record }));
    for (const one of checkHistory(history, new Map([['s', found]])).violations) complain(one);
  }
  const lock = entriesIn(`${session}.lock`);
  if (lock.length > 0) complain(`S6: at rest the lock holds ${lock.join()}`);
  return violations;
}

/** Is what the first says about itself true? */
function checkReport({ reported, facts, atEnd, stalls, rivals, fault }, complain) {
  if (!reported) return;
  const own = facts.filter((fact) => fact.is === 'granted' && fact.name === undefined);
  if (own.length > 1) complain('S10: the work started twice');
  if (reported.lease === 'neverHeld' && own.length > 0) complain('neverHeld, but the work ran');
  // An unlink that is told "not there" of a file that is there: a lie no file system tells; the lease's end makes it true.
  if (!stalls && fault !== 'ENOENT' && ['released', 'neverHeld', 'lost'].includes(reported.lease) && atEnd.some((entry) => /^owner\.(?!0\.0\.)/.test(entry))) {
    complain(`S6: the lease is said to be ${reported.lease}, and on disk is ${atEnd.join()}`);
  }
  if (reported.lease === 'lost' && !(rivals?.report.token > (reported.token ?? 0))) complain('lost, but nobody took it');
  if (reported.lease === 'lost' && !stalls && !['ENOENT'].includes(fault)) complain('lost, with nobody there who could have taken it');
  const refused = facts.some((fact) => fact.write && fact.outcome !== 'written');
  if (reported.outcome === 'completed' && own.length === 0) complain('completed without work');
  if (reported.outcome === 'notStarted' && (own.length > 0 || reported.code === null)) complain(`notStarted: ${JSON.stringify(reported)}`);
  if (reported.outcome === 'aborted' && reported.abortedBy !== 'leaseLost') complain(`aborted by ${reported.abortedBy}: nobody asked for it`);
  if (fault === undefined && (reported.outcome !== 'completed' || reported.lease !== 'released' || refused)) complain(`without a fault: ${JSON.stringify(reported)}`);
}
