// The soak: processes that are killed, stopped and delayed fight for sessions; an independent witness looks for two at
// once. First ours, which must show none; then bare proper-lockfile in the same program, which must show some, or the
// witness is blind. npm run soak -- [--minutes N | --seconds N] [--processes N] [--sessions N] [--trouble N a second]
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { readSession } from '../../../dist/src/index.js';
import { checkHistory } from '../../../dist/src/testing/history.js';
import { Crowd } from './crowd.mjs';

const LEASE_MS = 2_000;
const { values: options } = parseArgs({ options: {
  minutes: { type: 'string' }, seconds: { type: 'string', default: '20' }, processes: { type: 'string', default: '8' },
  sessions: { type: 'string' }, trouble: { type: 'string', default: '3' }, lock: { type: 'string', default: 'both' },
} });
const seconds = options.minutes === undefined ? Number(options.seconds) : Number(options.minutes) * 60;
const processes = Number(options.processes);
const count = Number(options.sessions ?? Math.max(1, Math.round(processes / 4)));

async function soak(lock, ms, stopAtOverlap) {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'attempt-soak-')));
  const sessions = Array.from({ length: count }, (_, n) => join(directory, `s${n}`));
  const seen = { wrote: 0, blocked: 0, leftByDead: 0, refused: 0, plainGrants: 0 };
  const [overlaps, outlived, crashed, events, ended] = [[], [], [], [], []];
  const crowd = new Crowd({ lock, directory, sessions, leaseMs: LEASE_MS }, processes, (fact, pid) => {
    if (fact.is) events.push(fact);
    else if (fact.overlap) overlaps.push({ ...fact, pid });
    else if (fact.outlived) outlived.push({ ...fact, pid });
    else if (fact.crashed) crashed.push(fact.crashed);
    else if (fact.ended) ended.push(fact);
    else if (fact.wrote) seen.wrote += 1;
    else if (fact.blocked) seen.blocked += 1;
    else if (fact.leftByDead) seen.leftByDead += 1;
    else if (fact.refused) seen.refused += 1;
    else if (fact.plainGrant) seen.plainGrants += 1;
  });
  try {
    const until = performance.now() + ms;
    await crowd.trouble(Number(options.trouble), LEASE_MS, () => performance.now() > until || (stopAtOverlap && overlaps.length > 0));
    await crowd.end();
    await pause(0);
    const found = new Map();
    for (const session of sessions) {
      found.set(session, (await readSession(session)).records.map(({ record, token }) => ({ token, record: record.record })));
    }
    return { lock, seen, overlaps, outlived, crashed, events, ended, found, counts: crowd.counts };
  } finally {
    await crowd.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Grants whose predecessor never said that it had given the lock back: it was killed, stopped or too late. */
function takeoversIn(events, ended) {
  const released = new Set(ended.filter(({ lease }) => lease === 'released').map(({ ended: session, token }) => `${session} ${token}`));
  const bySession = Map.groupBy ? Map.groupBy(events.filter(({ is }) => is === 'granted'), ({ session }) => session) : grouped(events);
  let takeovers = 0;
  for (const [session, grants] of bySession) {
    const tokens = grants.map(({ token }) => token).sort((a, b) => a - b);
    takeovers += tokens.slice(0, -1).filter((token) => !released.has(`${session} ${token}`)).length;
  }
  return takeovers;
}

function grouped(events) {
  const by = new Map();
  for (const event of events) if (event.is === 'granted') by.set(event.session, [...(by.get(event.session) ?? []), event]);
  return by;
}

/** Outlived its lease between the gate and the end of its write: no lock can help there. */
const isExcused = (overlap, outlived) => outlived.some((one) => one.outlived === overlap.overlap
  && (one.pid === overlap.with || one.pid === overlap.pid) && one.from <= overlap.at && one.to >= overlap.at);

let failed = false;
const check = (ok, what) => {
  if (ok) return;
  failed = true;
  console.log(`VIOLATION ${what}`);
};

if (options.lock !== 'plain') {
  const ran = await soak('ours', seconds * 1e3, false);
  const { counts, seen, outlived } = ran;
  const bad = ran.overlaps.filter((overlap) => !isExcused(overlap, outlived));
  const verdict = checkHistory(ran.events, ran.found, 'believed');
  const takeovers = takeoversIn(ran.events, ran.ended);
  console.log(`soak, ours: ${processes} processes (${counts.started} started), ${count} sessions, ${seconds} s, leases of ${LEASE_MS} ms`);
  console.log(`  ${counts.killed} kills, ${counts.stopped} stops (${counts.letGo} let go at once), ${seen.blocked} blocked loops, ${seen.leftByDead} killed while writing`);
  console.log(`  ${verdict.grants} grants, ${takeovers} of them takeovers; ${seen.wrote} unfenced writes, ${seen.refused} refused; ${verdict.acknowledged} records acknowledged`);
  console.log(`  ${bad.length} overlaps; ${outlived.length} writes that outlived their lease (${ran.overlaps.length - bad.length} overlaps with those)`);
  if (bad.length === 0 && takeovers > 0) console.log(`  rule of three: with 95 % confidence fewer than ${(3 / takeovers).toPrecision(2)} overlaps a takeover, ${(3 / seen.wrote).toPrecision(2)} a write`);
  check(bad.length === 0, `overlaps: ${JSON.stringify(bad.slice(0, 5))}`);
  check(takeovers > 0, 'no takeover: nothing was tested');
  check(ran.crashed.length === 0, `crashed: ${ran.crashed.slice(0, 3).join('\n')}`);
  for (const violation of verdict.violations.slice(0, 10)) check(false, violation);
  const odd = ran.ended.filter(({ outcome, lease }) => outcome === 'failed' || (outcome === 'notStarted' && lease !== 'lost') || lease === 'unconfirmed');
  check(odd.length === 0, `attempts that ended oddly: ${JSON.stringify(odd.slice(0, 3))}`);
  if (process.env.SOAK_EVENTS) writeFileSync(process.env.SOAK_EVENTS, JSON.stringify({ ...ran, found: [...ran.found] }));
}
if (options.lock !== 'ours') {
  const ran = await soak('plain', Math.max(180, seconds) * 1e3, options.lock === 'both');
  console.log(`soak, bare proper-lockfile: ${ran.overlaps.length} overlaps in ${ran.seen.plainGrants} grants, ${ran.counts.killed} kills, ${ran.counts.stopped} stops`);
  check(ran.overlaps.length > 0, 'bare proper-lockfile showed no overlap: the witness may be blind');
}
process.exitCode = failed ? 1 : 0;
