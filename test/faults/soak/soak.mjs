// The soak itself: a crowd, trouble, and all that was told and found. What it means is for others to say.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readSession } from '../../../dist/src/index.js';
import { Crowd } from './crowd.mjs';

/**
 * One run.
 * @param {object} how `lock`: ours, plain, or one of broken.mjs; `processes`, `sessions` (how many), `leaseMs`, `trouble` (kills
 *   and stops a second), `ms` (how long), `isOver` (asked with what was seen so far: end earlier), `skews` (offsets of wall clocks)
 */
export async function soak({ lock, processes, sessions: count, leaseMs, trouble, ms, isOver = () => false, skews = [] }) {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'attempt-soak-')));
  const sessions = Array.from({ length: count }, (_, n) => join(directory, `s${n}`));
  const seen = { wrote: 0, blocked: 0, leftByDead: 0, refused: 0, plainGrants: 0 };
  const [overlaps, outlived, crashed, events, ended] = [[], [], [], [], []];
  const crowd = new Crowd({ lock, directory, sessions, leaseMs, skews }, processes, (fact, pid) => {
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
    await crowd.trouble(trouble, leaseMs, () => performance.now() > until || isOver({ overlaps, events, crashed }));
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
