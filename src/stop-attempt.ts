/**
 * Stopping an attempt from outside: by its session, in this process or another, as its user would.
 * Owns: whom it binds to, and how long it waits. Must not know: how an ask travels.
 */
import { systemClock, type Clock } from './clock.js';
import { expect, expectKnown, expectMs } from './config-checks.js';
import { localFileLocks } from './locks/file/local-file-locks.js';
import type { AskAnswer, Holder, LockStore } from './locks/lock-store.js';
import { checkLocks } from './option-checks.js';
import { processMark } from './owner.js';

export interface StopOptions {
  /** Where the lock is kept. Default: `localFileLocks()`. */
  locks?: LockStore;
  /** Only this attempt, not whoever else holds the lock by now. Default: whoever holds it. */
  attemptId?: string;
  /** For the report of the stopped attempt (`reason`), at most 1 000 characters. Default: none. */
  reason?: string;
  /** How long to wait for its end, milliseconds, 0 to 2^31-1. Default: 30 000. */
  withinMs?: number;
  /** Called once, when the holder has been asked. */
  onAsked?: (holder: Holder) => void;
  /** Default: the system's. For tests. */
  clock?: Clock;
}

/** What a stop met. */
export interface StopAnswer {
  /**
   * `ended`: the lock was given back by the one who was asked (a killed one's was taken over). `stillHeld`: asked, and
   * not ended within `withinMs`; the ask stands. `notHeld`: nobody holds the lock, or not that attempt, or its process is
   * gone. `cannotAsk`: it is held by what no ask reaches: a lock of plain proper-lockfile, a store that cannot ask.
   */
  readonly result: 'ended' | 'stillHeld' | 'notHeld' | 'cannotAsk';
  /** Whom it met; null: nobody. */
  readonly holder: Holder | null;
  readonly waitedMs: number;
}

/** How often the lock is looked at: an end is noticed this late. */
const LOOK_AGAIN_MS = 25;

/** Asks the attempt that holds a session's lock to end, as a user abort, and waits for its end. A user is never refused. */
class Stop {
  readonly #over = new AbortController();
  readonly #begun: number;

  constructor(
    readonly session: string, readonly locks: LockStore, readonly clock: Clock,
    readonly options: StopOptions, readonly withinMs: number,
  ) {
    this.#begun = clock.now();
  }

  async go(): Promise<StopAnswer> {
    const holder = await this.#met();
    const { attemptId, onAsked } = this.options;
    if (holder === null || (attemptId !== undefined && holder.attemptId !== attemptId)) return this.#says('notHeld', holder);
    const answer = await this.#ask(holder);
    if (answer === 'unknown') return this.#says('cannotAsk', holder);
    if (answer !== 'asked') {
      const isGone = !isSame(await this.#holder(), holder);
      return this.#says(isGone ? 'ended' : 'notHeld', holder); // there still: a lock that its process has left behind
    }
    onAsked?.(holder);
    while (isSame(await this.#holder(), holder)) {
      if (this.#isOver()) return this.#says('stillHeld', holder);
      await this.#pause();
    }
    this.#over.abort(); // not heard: it is not to stay
    return this.#says('ended', holder);
  }

  /** Whoever holds it. One who is just being granted it has no token yet to be asked by: looked at again. */
  async #met(): Promise<Holder | null> {
    for (;;) {
      const holder = await this.#holder();
      const isStarting = holder !== null && holder.attemptId !== null && holder.token === null
        && this.locks.capabilities.tokenScope !== 'none';
      if (!isStarting || this.#isOver()) return holder;
      await this.#pause();
    }
  }

  async #holder(): Promise<Holder | null> {
    return (await this.locks.query(this.session))[0]?.holder ?? null;
  }

  async #ask(holder: Holder): Promise<AskAnswer> {
    const { pid, host } = processMark();
    const { reason } = this.options;
    const ask = { as: 'user', by: `pid ${pid} on ${host}`, signal: this.#over.signal } as const;
    return await this.locks.askHolder?.(this.session, holder, reason === undefined ? ask : { ...ask, reason }) ?? 'unknown';
  }

  #isOver(): boolean {
    return this.clock.now() - this.#begun >= this.withinMs;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => { this.clock.setTimeout(resolve, LOOK_AGAIN_MS); });
  }

  #says(result: StopAnswer['result'], holder: Holder | null): StopAnswer {
    return { result, holder, waitedMs: Math.round(this.clock.now() - this.#begun) };
  }
}

/** The same grant: the next one has another token, or owner. */
const isSame = (now: Holder | null, then: Holder): boolean =>
  now !== null && now.token === then.token && (then.token !== null || now.owner === then.owner);

/**
 * Asks whoever holds the lock of a session to end, as a user abort, and waits for the lock to be given back. It never
 * hits the next attempt of the session. An attempt that has given its lock up for a window (`yieldLock`) holds nothing,
 * and is not met.
 *
 * @param session as in the options of the attempt
 * @param options see {@link StopOptions}
 * @returns what it met
 * @throws AttemptError `CONFIG_INVALID`, `SESSION_INVALID`; the store's own error where the lock cannot be looked at
 */
export async function stopAttempt(session: string, options: StopOptions = {}): Promise<StopAnswer> {
  expectKnown(options, ['locks', 'withinMs', 'attemptId', 'reason', 'onAsked', 'clock']);
  const { locks = localFileLocks(), withinMs = 30_000, attemptId, reason, onAsked, clock = systemClock } = options;
  expect(typeof session === 'string' && session.length > 0, 'session', 'a non-empty path or key', session);
  checkLocks(locks);
  expectMs('withinMs', withinMs);
  expect(attemptId === undefined || typeof attemptId === 'string', 'attemptId', 'a string', attemptId);
  expect(reason === undefined || typeof reason === 'string', 'reason', 'a string', reason);
  expect(onAsked === undefined || typeof onAsked === 'function', 'onAsked', 'a function', onAsked);
  return new Stop(session, locks, clock, options, withinMs).go();
}
