/**
 * The attempts of this process: who is at work, who was abandoned, and how to end them from outside.
 * Owns: which ids are in use. Must not know: how an attempt is run.
 */
import type { AbortedBy } from '../machines/attempt.types.js';
import { expect, expectMs } from './config-checks.js';
import type { AbortAnswer, AttemptSnapshot, Driver } from './driver/driver.js';
import { lateGrants } from './driver/give-back.js';
import { expectRequester } from './option-checks.js';
import type { AbortRequester } from './options.js';
import type { AttemptReport } from './report.js';

type AnyDriver = Driver<unknown>;

/** What became of one attempt that `abortAll` told to end. */
export interface AbortAllResult {
  readonly attemptId: string;
  readonly session: string;
  /** `ended`: over, the lock given back. `unsettled`: still going when `withinMs` was over. */
  readonly result: 'ended' | 'unsettled';
  /** Its state then. */
  readonly state: string;
  readonly abortedBy: AbortedBy | null;
  /** The report, if it ended. */
  readonly report: AttemptReport | null;
}

/** What `attempts.abort` met. `state: null`: no attempt of that id is at work in this process. */
export type AbortByIdAnswer =
  | AbortAnswer
  | { readonly accepted: false; readonly state: null; readonly abortedBy: null };

/** Abandoned runs that are remembered at most; the oldest go first. */
const MOST_ABANDONED = 1_000;

const active = new Map<string, AnyDriver>();
const abandoned = new Map<string, AnyDriver>();

/** Throws `CONFIG_INVALID` if an attempt of that id is at work. */
export function expectUnused(attemptId: string): void {
  expect(!active.has(attemptId), 'attemptId', 'an id that is not in use', attemptId);
}

/** Enters an attempt that starts. Abandoned runs of its session are no news any more. */
export function register(driver: AnyDriver): void {
  const { attemptId, session } = driver.spec;
  expectUnused(attemptId);
  for (const [id, other] of abandoned) if (other.spec.session === session) abandoned.delete(id);
  active.set(attemptId, driver);
}

/** Strikes an attempt that has ended. */
export function unregister(driver: AnyDriver): void {
  const { attemptId } = driver.spec;
  if (active.get(attemptId) !== driver) return; // it was never started
  active.delete(attemptId);
  if (!driver.snapshot().abandoned) return;
  abandoned.set(attemptId, driver);
  const [oldest] = abandoned.keys();
  if (abandoned.size > MOST_ABANDONED && oldest !== undefined) abandoned.delete(oldest);
}

const snapshots = (drivers: Iterable<AnyDriver>, session?: string): readonly AttemptSnapshot[] =>
  [...drivers]
    .filter((driver) => session === undefined || driver.spec.session === session)
    .map((driver) => driver.snapshot());

async function endWithin(driver: AnyDriver, by: AbortRequester, withinMs: number): Promise<AbortAllResult> {
  driver.abort(by, undefined);
  const { clock } = driver.spec;
  let timer: unknown;
  const limit = new Promise<null>((resolve) => { timer = clock.setTimeout(() => resolve(null), withinMs); });
  const report = await Promise.race([driver.done, limit]);
  clock.clearTimeout(timer);
  const { attemptId, session, state, abortedBy } = driver.snapshot();
  return { attemptId, session, result: report ? 'ended' : 'unsettled', state, abortedBy, report };
}

/**
 * The register of this process (of this copy of the package). The library installs no signal handlers and never
 * ends the process: call `attempts.abortAll('shutdown')` from your own handler.
 */
export const attempts = {
  /** Attempts that have started and not ended, of one session (as spelled in its options) or of all. */
  active: (session?: string): readonly AttemptSnapshot[] => snapshots(active.values(), session),

  /**
   * Runs that a timeout ended after their work had started, of one session or of all. `workSettled` tells whether
   * the work still goes on. Forgotten when the next attempt of the session starts; at most 1 000 are kept.
   */
  abandoned: (session?: string): readonly AttemptSnapshot[] => snapshots(abandoned.values(), session),

  /**
   * Ends one attempt. It never hits the next one of that session, and says what it met.
   * @param attemptId whom
   * @param reason becomes `report.reason`
   * @param options `by`: `user` (default), `timeout`, `shutdown` or `superseded`
   * @throws AttemptError `CONFIG_INVALID` for another `by`
   */
  abort(attemptId: string, reason?: unknown, { by = 'user' }: { by?: AbortRequester } = {}): AbortByIdAnswer {
    expectRequester('by', by);
    return active.get(attemptId)?.abort(by, reason) ?? { accepted: false, state: null, abortedBy: null };
  },

  /**
   * Ends every attempt and waits for them.
   * @param by who asks
   * @param options `withinMs`: how long to wait, milliseconds, 0 to 2^31-1. Default: 10 000
   * @returns one result per attempt; never rejects for an attempt that does not end
   * @throws AttemptError `CONFIG_INVALID`
   */
  async abortAll(
    by: AbortRequester, { withinMs = 10_000 }: { withinMs?: number } = {},
  ): Promise<readonly AbortAllResult[]> {
    expectRequester('by', by);
    expectMs('withinMs', withinMs);
    return Promise.all([...active.values()].map((driver) => endWithin(driver, by, withinMs)));
  },

  /** Locks that arrived after their attempt had ended, since the process began. All were given back. */
  get lateGrants(): number {
    return lateGrants.count;
  },
} as const;
