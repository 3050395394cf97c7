/**
 * A hundred attempts with yield windows on ten sessions, on real files, aborted at random; and what each of them saw.
 * The plan comes from a seed; how the attempts then meet is up to the machine it runs on. Judges nothing but what can be
 * seen only at the moment it happens: two at work on one session.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createAttempt, type AbortRequester, type AttemptReport, type LockStore, type WorkContext } from '../../src/index.js';
import { randomOf, type Random } from '../../src/testing/simulate/random.js';

export interface Plan {
  readonly name: string;
  readonly session: number;
  readonly startAfterMs: number;
  /** What the work does between two records: the lock given up for so long, milliseconds; null: kept. */
  readonly windows: readonly (number | null)[];
  /** Counted from the start, or from when the work begins. */
  readonly abort: { readonly by: AbortRequester; readonly from: 'start' | 'work'; readonly afterMs: number } | null;
  readonly obeys: boolean;
  readonly cleanup: boolean;
}

function abortOf(by: AbortRequester, random: Random): Plan['abort'] {
  const from = random.pick(['start', 'work', 'work'] as const);
  return { by, from, afterMs: random.between(0, from === 'start' ? 200 : 20) };
}

export function planOf(seed: number, { attempts, sessions }: { attempts: number; sessions: number }): readonly Plan[] {
  return Array.from({ length: attempts }, (_, nth) => {
    const random = randomOf(seed, `attempt ${nth}`);
    const by = random.pick(['user', 'timeout', 'shutdown', 'superseded'] as const);
    return {
      name: `a${nth}`, session: nth % sessions, startAfterMs: random.between(0, 50),
      windows: Array.from({ length: random.between(1, 3) }, () => (random.chance(0.6) ? random.between(0, 6) : null)),
      abort: random.chance(0.6) ? abortOf(by, random) : null,
      obeys: random.chance(0.7), cleanup: random.chance(0.4),
    };
  });
}

/** A record as it was handed to the writer. */
export interface Written {
  readonly session: number;
  readonly by: string;
  readonly n: number;
  readonly token: number | null;
  /** The writer said that it is written. */
  acknowledged: boolean;
}

/** What a window's end said about others. */
export interface Told {
  readonly session: number;
  readonly before: number;
  readonly after: number;
  readonly changedBy: readonly unknown[] | null;
}

export interface Seen {
  readonly reports: AttemptReport[];
  readonly written: Written[];
  readonly told: Told[];
  /** Whose each token was, by session. */
  readonly tokens: Map<string, Set<string>>;
  /** Two at work on one session. Has to stay empty. */
  readonly overlaps: string[];
  /** Windows begun, and those that ended with the lock in hand. */
  readonly windows: { begun: number; ended: number };
  /** What the aborts met, by state; accepted ones alone. */
  readonly met: Map<string, number>;
}

/** Who is at work on each session, between the grants and the releases it knows of. */
class AtWork {
  readonly #now = new Map<number, string>();
  readonly #overlaps: string[];

  constructor(overlaps: string[]) {
    this.#overlaps = overlaps;
  }

  enter(session: number, name: string): void {
    const other = this.#now.get(session);
    if (other !== undefined && other !== name) this.#overlaps.push(`${name} came in while ${other} was at work on ${session}`);
    this.#now.set(session, name);
  }

  leave(session: number, name: string): void {
    if (this.#now.get(session) === name) this.#now.delete(session);
  }
}

/** However slow the machine, none of these is what ends an attempt here. */
const PATIENT = { waitMs: Infinity, openMs: 600_000, answerMs: 600_000, cleanupMs: 600_000 };

export async function runCrowd(
  plans: readonly Plan[], locks: LockStore, fileOf: (session: number) => string,
): Promise<Seen> {
  const seen: Seen = { reports: [], written: [], told: [], tokens: new Map(), overlaps: [], windows: { begun: 0, ended: 0 }, met: new Map() };
  const atWork = new AtWork(seen.overlaps);
  await Promise.all(plans.map(async (plan) => {
    await pause(plan.startAfterMs);
    const attempt = createAttempt({
      session: fileOf(plan.session), locks, attemptId: plan.name, settleMs: plan.obeys ? 2_000 : 5, ...PATIENT,
      work: (context) => {
        if (plan.abort?.from === 'work') abortSoon(plan.abort);
        return work(plan, context, seen, atWork);
      },
      ...(plan.cleanup && {
        cleanup: ({ session, token }) => write(seen, plan, 999, token, (record) => session.append(record)),
      }),
    });
    attempt.subscribe(({ token }) => {
      if (token === null) return;
      const key = `${plan.session} ${token}`;
      seen.tokens.set(key, (seen.tokens.get(key) ?? new Set()).add(plan.name));
    });
    const abortSoon = ({ by, afterMs }: NonNullable<Plan['abort']>): void => void pause(afterMs).then(() => {
      const { accepted, state } = attempt.abort('at random', { by });
      if (accepted) seen.met.set(state, (seen.met.get(state) ?? 0) + 1);
    });
    const done = attempt.start();
    if (plan.abort?.from === 'start') abortSoon(plan.abort);
    seen.reports.push(await done);
  }));
  return seen;
}

async function write(
  seen: Seen, plan: Plan, n: number, token: number | null, append: (record: { by: string; n: number }) => Promise<void>,
): Promise<void> {
  const one: Written = { session: plan.session, by: plan.name, n, token, acknowledged: false };
  seen.written.push(one);
  await append({ by: plan.name, n });
  one.acknowledged = true;
}

async function work(plan: Plan, context: WorkContext, seen: Seen, atWork: AtWork): Promise<void> {
  const { signal, session, yieldLock } = context;
  const leave = (): void => atWork.leave(plan.session, plan.name);
  const enter = (): void => {
    if (!signal.aborted) atWork.enter(plan.session, plan.name);
  };
  signal.addEventListener('abort', leave, { once: true });
  enter();
  try {
    for (const [n, window] of plan.windows.entries()) {
      if (plan.obeys) signal.throwIfAborted();
      await write(seen, plan, n, context.token, (record) => session.append(record));
      if (window === null) continue;
      const before = context.token;
      leave();
      seen.windows.begun += 1;
      const { token: after, changedBy } = await yieldLock(() => pause(window));
      enter();
      seen.windows.ended += 1;
      if (before !== null && after !== null) seen.told.push({ session: plan.session, before, after, changedBy });
    }
    if (!plan.obeys && plan.abort) await new Promise(() => {}); // what ignores its abort is not waited for
  } finally {
    leave();
  }
}
