/**
 * A hundred attempts with yield windows on ten sessions, on real files, aborted at random: every record readable, every
 * lock free at the end, no order violated. CROWD_SEED chooses the plan.
 */
import { expect, test } from 'vitest';
import { attempts, createAttempt, localFileLocks, readSession } from '../../src/index.js';
import { isDeep } from '../support/depth.js';
import { useSessionFiles } from '../support/session-files.js';
import { planOf, runCrowd, type Seen, type Written } from './crowd.js';

const SESSIONS = 10;
const first = Number(process.env['CROWD_SEED'] ?? Date.now() % 2 ** 31);
const files = useSessionFiles();

interface Line {
  readonly record: { readonly by: string; readonly n: number };
  readonly token: number | null;
}

const keyOf = ({ by, n }: { by: string; n: number }, token: number | null): string => `${by} ${n} ${token}`;

/** What stands in the file is what was written, in order: nothing lost, nothing doubled, nothing torn, tokens rising. */
function judgeRecords(session: number, lines: readonly Line[], written: readonly Written[]): void {
  const mine = written.filter((one) => one.session === session);
  const there = lines.map(({ record, token }) => keyOf(record, token));
  expect(new Set(there).size, 'no record twice').toBe(there.length);
  const known = new Set(mine.map((one) => keyOf(one, one.token)));
  expect(there.filter((key) => !known.has(key)), 'S3: each under the token of the grant it was written in').toEqual([]);
  const missing = mine.filter((one) => one.acknowledged && !there.includes(keyOf(one, one.token)));
  expect(missing, 'S15: no acknowledged record is lost').toEqual([]);
  const tokens = lines.map(({ token }) => token ?? -1);
  expect(tokens, 'S4: tokens never fall').toEqual([...tokens].sort((a, b) => a - b));
  for (const by of new Set(lines.map(({ record }) => record.by))) {
    const order = lines.filter(({ record }) => record.by === by).map(({ record }) => record.n);
    expect(order, `the records of ${by} are in its order`).toEqual([...order].sort((a, b) => a - b));
  }
}

/** What the windows told of others is exactly what others wrote. Returns how much that was. */
function judgeWindows(session: number, lines: readonly Line[], { told }: Seen): number {
  let foreign = 0;
  for (const { before, after, changedBy, session: where } of told) {
    if (where !== session) continue;
    const between = lines.filter(({ token }) => token !== null && token > before && token < after);
    expect(changedBy, `M10: between ${before} and ${after}`).toEqual(between);
    foreign += between.length;
  }
  return foreign;
}

async function judge(seen: Seen, fileOf: (session: number) => string): Promise<{ records: number; foreign: number }> {
  expect(seen.overlaps, 'S2').toEqual([]);
  expect([...seen.tokens].filter(([, whose]) => whose.size > 1), 'S1: no token for two').toEqual([]);
  expect(seen.reports.filter(({ lease }) => lease !== 'released' && lease !== 'neverHeld'), 'S6').toEqual([]);
  expect(seen.reports.filter(({ outcome }) => outcome === 'failed' || outcome === 'notStarted')).toEqual([]);
  const ids = seen.reports.map(({ attemptId }) => attemptId); // a file before us may have left one of a clock that stands
  expect(attempts.active().filter(({ attemptId }) => ids.includes(attemptId)), 'L5').toEqual([]);
  let [records, foreign] = [0, 0];
  for (let session = 0; session < SESSIONS; session += 1) {
    const file = fileOf(session);
    const { records: lines, discarded, torn } = await readSession(file);
    expect([discarded, torn], `${file} is readable`).toEqual([0, []]);
    judgeRecords(session, lines as Line[], seen.written);
    foreign += judgeWindows(session, lines as Line[], seen);
    records += lines.length;
    expect(await createAttempt({ session: file, waitMs: 0, work: () => 1 }).start(), 'S6: free').toMatchObject({
      outcome: 'completed', lease: 'released',
    });
  }
  return { records, foreign };
}

const seeds = Array.from({ length: isDeep ? 20 : 1 }, (_, nth) => first + nth);

test.each(seeds)('S1 S2 S4 S6 S15 M10: a hundred attempts with windows on ten sessions, aborted at random (seed %i)', async (seed) => {
  const begun = performance.now();
  console.info(`a crowd on real files; replay its plan: CROWD_SEED=${seed} npx vitest run --dir test crowd`);
  const names = Array.from({ length: SESSIONS }, () => files.session());
  const fileOf = (session: number): string => names[session] as string;
  const plans = planOf(seed, { attempts: 100, sessions: SESSIONS });
  const seen = await runCrowd(plans, localFileLocks({ leaseMs: 600_000 }), fileOf);
  expect(seen.reports).toHaveLength(100);
  const { records, foreign } = await judge(seen, fileOf);
  const count = (key: (report: Seen['reports'][number]) => string): string => {
    const counts = new Map<string, number>();
    for (const report of seen.reports) counts.set(key(report), (counts.get(key(report)) ?? 0) + 1);
    return [...counts].sort().map(([name, number]) => `${number} ${name}`).join(', ');
  };
  const met = [...seen.met].sort().map(([state, times]) => `${state} ${times}x`).join(', ');
  console.info(`seed ${seed}: ${count(({ outcome, abortedBy }) => `${outcome}${abortedBy ? ` by ${abortedBy}` : ''}`)}; `
    + `locks ${count(({ lease }) => lease)}; ${seen.windows.begun} windows, ${seen.windows.begun - seen.windows.ended} of them cut short, `
    + `${seen.tokens.size} grants, aborts met ${met}; ${records} records, ${foreign} told as foreign; ${(performance.now() - begun).toFixed(0)} ms`);
});
