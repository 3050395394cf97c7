/**
 * Sessions in any condition, made by hand: owner files, waiters and rooms as another process would have left them.
 */
import { randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HolderFacts } from '../../src/locks/holder-facts.js';
import { nameOf, type OwnerRecord } from '../../src/locks/file/owner-entry.js';
import { processMark } from '../../src/owner.js';

export const LEASE_MS = 10_000;

export const directory = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'attempt-doctor-')));

/** What a holder tells that was made a second ago, with a time limit of a minute. */
export const factsAt = (now: number): HolderFacts => ({
  stateSince: now - 1_000, progressAt: null, unsettled: false, onUnsettled: 'fence', hasCleanup: false, loopDelayMs: 0,
  budgets: { waitMs: 60_000, openMs: 5_000, timeoutMs: 60_000, settleMs: 2_000, cleanupMs: 5_000, leaseMs: LEASE_MS },
  set: ['timeoutMs'],
});

/**
 * Puts a lock of "another process" in place: by default of one that lives (ours) and is not late, however long the test
 * is kept waiting.
 */
export function plant(
  session: string, record: Partial<OwnerRecord> = {}, { until = Date.now() + LEASE_MS + 60_000, token = 7 } = {},
): string {
  const id = randomUUID();
  const lock = `${session}.lock`;
  mkdirSync(lock);
  mkdirSync(`${session}.attempt`, { recursive: true });
  const whole: OwnerRecord = {
    id, session, owner: 'o', attemptId: 'planted', ...processMark(), since: Date.now() - 1_000, leaseMs: LEASE_MS,
    state: 'running.working', note: null, labels: {}, facts: factsAt(Date.now()), ...record,
  };
  const path = join(lock, nameOf({ token, until, id }));
  writeFileSync(path, JSON.stringify(whole));
  return path;
}

/** The mark of a process that is gone: our pid, of another start. */
export const deadMark = (): Pick<OwnerRecord, 'started'> => ({ started: '1' });

/** A waiter's place in line. */
export function plantWaiter(session: string, mark: object): string {
  mkdirSync(`${session}.attempt`, { recursive: true });
  const since = Date.now() - 5_000;
  const path = join(`${session}.attempt`, `wait.${since}.${randomUUID()}`);
  writeFileSync(path, JSON.stringify({ ...processMark(), since, waiting: [{ attemptId: 'waiter', since }], count: 1, ...mark }));
  return path;
}

/** Everything in a directory, with its content and time: equal before and after, nothing was touched. */
export function picture(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort().map((name) => {
    const stat = lstatSync(join(dir, name));
    return `${name} ${stat.mtimeMs} ${stat.isFile() ? readFileSync(join(dir, name), 'utf8') : ''}`;
  });
}
