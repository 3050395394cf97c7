/**
 * Yield windows: the work gives the lock up while something of its own runs, and takes it back before it goes on.
 * Owns: the promise the work waits on. Must not know: how the lock is given back or asked for; the machine decides
 * whether it is (INCIDENTS M04: a window that was cut short takes nothing back).
 */
import type { AttemptEvent } from '../../machines/attempt.types.js';
import type { Clock } from '../clock.js';
import { AttemptError } from '../errors.js';
import { waitFor } from '../locks/patience.js';
import type { SessionEntry } from '../session/read-session.js';
import type { SessionRecords } from '../session/session-records.js';
import type { LazyAbort } from './lazy-abort.js';

/** What a yield window ends with, the lock in hand again. */
export interface Yielded<T> {
  /** What the window's function returned. */
  readonly value: T;
  /** The new fencing token; null where the store has none. */
  readonly token: number | null;
  /**
   * The records others wrote meanwhile, in order; empty if nobody did. Null where that cannot be told: a store without
   * lasting tokens, `stamp: false`, records that cannot be asked.
   */
  readonly changedBy: readonly SessionEntry[] | null;
}

/** What windows need of the work side. */
export interface WindowsHost {
  readonly session: string;
  readonly clock: Clock;
  readonly settleMs: number;
  /** Those who can tell what others wrote, where tokens can be trusted to tell. */
  readonly records: Pick<SessionRecords, 'recordsBetween'> | null;
  /** Has the work been told to end? */
  readonly told: LazyAbort;
  dispatch(event: AttemptEvent): void;
  state(): string;
  token(): number | null;
  pendingWrites(): number;
  writesIdle(): Promise<void>;
  /** Nothing of the session stays open under a lock that is given up. */
  closeSession(): void;
}

/** Where the one who waits for the next step of a window is told. */
interface Waiting {
  readonly go: () => void;
  readonly fail: (reason: unknown) => void;
}

export class Windows {
  readonly #host: WindowsHost;
  #isOpen = false;
  #waiting: Waiting | null = null;
  #ended: Promise<unknown> | null = null;

  constructor(host: WindowsHost) {
    this.#host = host;
  }

  /** From the call of `yieldLock` until the lock is back. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** What the work calls. See `WorkContext.yieldLock`. */
  yieldLock<T>(fn: () => T | PromiseLike<T>): Promise<Yielded<T>> {
    const isOther = this.#isOpen;
    const ended = this.#yield(fn);
    if (this.#host.told.isAborted) unheard(ended);
    else if (this.#isOpen && !isOther) this.#ended = ended; // else it was refused, and the work should look at it
    return ended;
  }

  /** Performs `runWindow`, and `resumeWork`: the next step. */
  goOn(): void {
    this.#waiting?.go();
  }

  /** The attempt has left `running`: whoever waits for a lock that will not come is told why. */
  end(reason: unknown): void {
    if (this.#ended) unheard(this.#ended);
    this.#waiting?.fail(reason);
  }

  async #yield<T>(fn: () => T | PromiseLike<T>): Promise<Yielded<T>> {
    this.#expectRunning();
    this.#expectNoOther();
    const { session, records } = this.#host;
    this.#isOpen = true;
    try {
      await this.#untilWritten();
      this.#expectRunning(); // still: the tick that was waited at least may have brought an abort, or the work's end
      const before = this.#host.token();
      this.#host.closeSession();
      await this.#step({ type: 'lock.yield' });
      let ending: () => T;
      try {
        const value = await fn();
        ending = () => value;
      } catch (error) {
        ending = () => { throw error; };
      }
      if (this.#host.told.isAborted) ending(); // its own error first
      this.#expectRunning();
      await this.#step({ type: 'window.ended' });
      this.#isOpen = false;
      const value = ending();
      const token = this.#host.token();
      // Records that can tell are given only where every grant has a token.
      return { value, token, changedBy: await changes(records, session, before as number, token as number) };
    } finally {
      this.#isOpen = false;
    }
  }

  #expectRunning(): void {
    const { told, session } = this.#host;
    told.throwIfAborted();
    if (!this.#host.state().startsWith('running')) {
      throw new AttemptError('WRITER_CLOSED', `Expected the attempt on ${session} to be running, but it has ended: `
        + 'there is no lock to give up.');
    }
  }

  #expectNoOther(): void {
    if (!this.#isOpen) return;
    throw new AttemptError('LOCK_YIELDED', `Expected the work to hold the lock of ${this.#host.session}, but a window of `
      + 'it is open already. Await that one first; what runs side by side can share one window.');
  }

  /** Writes that were begun go first: a lock must not be given up under them. */
  async #untilWritten(): Promise<void> {
    const { clock, settleMs, told, session } = this.#host;
    if (this.#host.pendingWrites() === 0) return;
    const how = await waitFor(clock, settleMs, told.signal, (woken) => {
      void this.#host.writesIdle().then(woken);
      return () => {};
    });
    if (how === 'time') {
      throw new AttemptError('WRITES_UNSETTLED', `Expected the writes to ${session} begun before yieldLock() to end `
        + `within settleMs (${settleMs}), but one has not. The lock was kept. Await your writes first, and do not call `
        + 'yieldLock() from inside guard().');
    }
  }

  /** Reports a fact, and waits until the machine has the next step taken. */
  #step(event: AttemptEvent): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#waiting = { go: resolve, fail: reject };
      this.#host.dispatch(event);
    });
  }
}

/** Work that has ended need not look at its window: what it would hear there, its signal has told it. */
const unheard = (ended: Promise<unknown>): void => void ended.catch(() => undefined);

/** Grants are numbered without a gap by most stores, so two numbers in a row need no look at the records. */
async function changes(
  records: WindowsHost['records'], session: string, before: number, now: number,
): Promise<readonly SessionEntry[] | null> {
  if (!records?.recordsBetween) return null;
  return now === before + 1 ? [] : records.recordsBetween(session, before, now);
}
