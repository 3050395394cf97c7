// The soak: processes that are killed, stopped and delayed fight for sessions; an independent witness looks for two at
// once. First ours, which must show none; then bare proper-lockfile in the same program, which must show some, or the
// witness is blind. npm run soak -- [--minutes N | --seconds N] [--processes N] [--sessions N] [--trouble N a second]
// [--skew: some processes have other wall clocks] [--lock ours|plain|broken]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkHistory } from '../../../dist/src/testing/history.js';
import { BREAKS } from './broken.mjs';
import { soak } from './soak.mjs';

const LEASE_MS = 2_000;
const { values: options } = parseArgs({ options: {
  minutes: { type: 'string' }, seconds: { type: 'string', default: '20' }, processes: { type: 'string', default: '8' },
  sessions: { type: 'string' }, trouble: { type: 'string', default: '3' }, skew: { type: 'boolean', default: false }, lock: { type: 'string', default: 'both' },
} });
const seconds = options.minutes === undefined ? Number(options.seconds) : Number(options.minutes) * 60;
const processes = Number(options.processes);
const count = Number(options.sessions ?? Math.max(1, Math.round(processes / 4)));
/** Under another clock a lease is taken over early, or late; the gates may then overlap (A5), the records may not. */
const skews = options.skew ? [0, 30, -30, 0.5, -0.5] : [];
const run = { processes, sessions: count, leaseMs: LEASE_MS, trouble: Number(options.trouble) };

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

/** A zombie's late record has been acknowledged: what is missing can be told only when all is read. */
function isLate({ events }) {
  let highest = 0;
  return events.some(({ is, token }) => {
    if (is === 'written') highest = Math.max(highest, token);
    return is === 'written' && token < highest;
  });
}

let failed = false;
const check = (ok, what) => {
  if (ok) return;
  failed = true;
  console.log(`VIOLATION ${what}`);
};

if (['both', 'ours'].includes(options.lock)) {
  const ran = await soak({ ...run, lock: 'ours', ms: seconds * 1e3, skews });
  const { counts, seen, outlived } = ran;
  const bad = ran.overlaps.filter((overlap) => !isExcused(overlap, outlived));
  const verdict = checkHistory(ran.events, ran.found, 'believed');
  const violations = verdict.violations.filter((one) => !options.skew || !one.startsWith('S2:'));
  const takeovers = takeoversIn(ran.events, ran.ended);
  console.log(`soak, ours: ${processes} processes (${counts.started} started), ${count} sessions, ${seconds} s, leases of ${LEASE_MS} ms`);
  console.log(`  ${counts.killed} kills, ${counts.stopped} stops (${counts.letGo} let go at once), ${seen.blocked} blocked loops, ${seen.leftByDead} killed while writing`);
  console.log(`  ${verdict.grants} grants, ${takeovers} of them takeovers; ${seen.wrote} unfenced writes, ${seen.refused} refused; ${verdict.acknowledged} records acknowledged`);
  console.log(`  ${verdict.violations.length} complaints of the checker, ${violations.length} of them judged; ${bad.length} overlaps; ${outlived.length} writes that outlived their lease (${ran.overlaps.length - bad.length} overlaps with those)`);
  if (options.skew) console.log('  clocks half a second to half a minute apart: leases are taken early (A5), so only the records are judged, not overlaps');
  if (bad.length === 0 && takeovers > 0) console.log(`  rule of three: with 95 % confidence fewer than ${(3 / takeovers).toPrecision(2)} overlaps a takeover, ${(3 / seen.wrote).toPrecision(2)} a write`);
  check(options.skew || bad.length === 0, `overlaps: ${JSON.stringify(bad.slice(0, 5))}`);
  check(takeovers > 0, 'no takeover: nothing was tested');
  check(ran.crashed.length === 0, `crashed: ${ran.crashed.slice(0, 3).join('\n')}`);
  for (const violation of violations.slice(0, 10)) check(false, violation);
  // Stopped twice in a row a process may need longer than openMs (5 s) to open its session: that is told, and given back.
  const tookLong = ({ outcome, lease, error }) => outcome === 'notStarted' && lease === 'released' && /openMs/.test(error);
  const odd = ran.ended.filter((one) => (one.outcome === 'failed' || (one.outcome === 'notStarted' && one.lease !== 'lost')
    || one.lease === 'unconfirmed') && !tookLong(one));
  console.log(`  ${ran.ended.filter(tookLong).length} not opened within openMs`);
  check(odd.length === 0, `attempts that ended oddly: ${JSON.stringify(odd.slice(0, 3))}`);
  if (process.env.SOAK_EVENTS) writeFileSync(process.env.SOAK_EVENTS, JSON.stringify({ ...ran, found: [...ran.found] }));
}
if (['both', 'plain'].includes(options.lock)) {
  const ran = await soak({
    ...run, lock: 'plain', ms: Math.max(180, seconds) * 1e3, isOver: ({ overlaps }) => options.lock === 'both' && overlaps.length > 0,
  });
  console.log(`soak, bare proper-lockfile: ${ran.overlaps.length} overlaps in ${ran.seen.plainGrants} grants, ${ran.counts.killed} kills, ${ran.counts.stopped} stops`);
  check(ran.overlaps.length > 0, 'bare proper-lockfile showed no overlap: the witness may be blind');
}
if (options.lock === 'broken') {
  // Of each the checker of histories must complain, or its silence about ours means nothing.
  for (const [lock, invariant] of Object.entries(BREAKS)) {
    const said = ({ events }, found = new Map()) =>
      checkHistory(events, found, 'believed').violations.filter((one) => one.startsWith(`${invariant}:`));
    const since = performance.now();
    const ran = await soak({ ...run, lock, ms: 180_000, isOver: (seen) => seen.crashed.length > 0 || (invariant === 'S15' ? isLate(seen) : said(seen).length > 0) });
    const violations = said(ran, ran.found);
    console.log(`soak, a store that ${lock}: ${violations.length} times ${invariant} after ${((performance.now() - since) / 1e3).toFixed(1)} s: ${violations[0]}`);
    check(violations.length > 0 && ran.crashed.length === 0, `the checker is silent about a store that ${lock}; ${ran.crashed[0] ?? ''}`);
  }
}
process.exitCode = failed ? 1 : 0;
