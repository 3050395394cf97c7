/**
 * The writer handed to work, and to cleanup: every write of an attempt goes through here.
 *
 * Owns: asking the gate, refusing, counting what is pending. Must not know: the machine's states (the gate's
 * inputs do), files, how a lock is kept.
 */
import { isPromise } from 'node:util/types';
import type { Clock } from '../clock.js';
import { AttemptError } from '../errors.js';
import { DoubtQueue } from './doubt-queue.js';
import type { GateVerdict, WriteGate } from './gate.js';
import { copyRecord } from './line.js';
import { PendingWrites } from './pending-writes.js';
import { ableTo, refusal } from './refusals.js';
import type { OpenedSession, SessionRecord } from './session-records.js';

/** What work writes with. Its methods may be taken off it: none needs `this`. */
export interface SessionWriter {
  /**
   * Appends one record. The write begins in this call, unless the lease is in doubt: then it waits for the
   * answer, in order, at most `answerMs`.
   *
   * @param record a plain object; the key `$attempt` is reserved
   * @returns a promise that resolves when the record is acknowledged and rejects, never throws:
   *   `WRITER_CLOSED` (the attempt has left the state this writer belongs to), `LOCK_YIELDED` (in a yield
   *   window), `WRITE_FENCED`, `LEASE_IN_DOUBT`, `RECORD_INVALID`, `WRITE_FAILED`, `CONFIG_INVALID` (`records: "none"`)
   */
  append(record: SessionRecord): Promise<void>;
  /**
   * The same, acknowledged on return. Throws the same codes; `LEASE_IN_DOUBT` at once, and `CONFIG_INVALID`
   * also where the records cannot append synchronously.
   */
  appendSync(record: SessionRecord): void;
  /**
   * Runs a write of the caller's own behind the gate, in this tick. If `fn` returns a promise, the release
   * of the lock waits for it, at most `settleMs`.
   *
   * @param fn must begin its write before it returns
   * @returns what `fn` returned, untouched; a thenable that is not a promise is started and comes back as a
   *   promise
   * @throws AttemptError `WRITER_CLOSED`, `LOCK_YIELDED`, `WRITE_FENCED`, `LEASE_IN_DOUBT`; what `fn` throws
   */
  guard<T>(fn: () => T): T;
  /**
   * Puts these records in place of all there are, at once or not at all. Waits in doubt as `append` does.
   *
   * @returns a promise; rejects as `append`'s does, and with `REPLACE_UNSUPPORTED`
   */
  replace(records: Iterable<SessionRecord>): Promise<void>;
}

/** How well what was written so far is protected; see `report.fencing`. */
export type Fencing = 'none' | 'gated' | 'stamped';

/** A writer, and what the driver wants to know about it. */
export interface TrackedWriter {
  readonly session: SessionWriter;
  /** Writes begun, or waiting in doubt, that have not ended. */
  readonly pending: number;
  /** Writes refused because the attempt had ended or the lease was lost. */
  readonly refused: number;
  /** The weakest protection of any write let through so far; `none` while there was none. */
  readonly used: Fencing;
  /** Resolves when nothing is pending. Not for work itself: it would wait for its own unwinding. */
  idle(): Promise<void>;
  /**
   * Call when the gate's inputs have changed: writes that wait in doubt are answered now, not at the next
   * poll.
   */
  recheck(): void;
}

export interface WriterOptions {
  readonly gate: WriteGate;
  /**
   * What to write to; null for `records: "none"`. Work's and cleanup's writer may share it. Read at every write: after
   * a yield window it is another one.
   */
  readonly opened: OpenedSession | null;
  readonly clock: Clock;
  /** How long a write waits for the answer to a lease in doubt, milliseconds. */
  readonly answerMs: number;
}

/** The weaker of two: what an attempt with two writers, or fewer, reports. */
export function weakerFencing(one?: Fencing, other?: Fencing): Fencing {
  if (one === 'gated' || other === 'gated') return 'gated';
  return one === 'stamped' || other === 'stamped' ? 'stamped' : 'none';
}

/** Makes a writer. It holds nothing that has to be given back: `opened` stays the caller's to close. */
export function createWriter(options: WriterOptions): TrackedWriter {
  return new GatedWriter(options);
}

type Write = () => void | Promise<void>;

class GatedWriter implements TrackedWriter {
  readonly session: SessionWriter;
  readonly #options: WriterOptions;
  readonly #pending = new PendingWrites();
  readonly #doubts: DoubtQueue;
  #refusals = 0;
  #used: Fencing = 'none';

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#doubts = new DoubtQueue(() => options.gate.ask(), options.clock, options.answerMs);
    this.session = {
      append: (record) => rejecting(() => this.#append(record)),
      appendSync: (record) => this.#appendSync(record),
      guard: (fn) => this.#guard(fn),
      replace: (records) => rejecting(() => this.#replace(records)),
    };
  }

  get pending(): number {
    return this.#pending.count;
  }

  get refused(): number {
    return this.#refusals;
  }

  get used(): Fencing {
    return this.#used;
  }

  idle(): Promise<void> {
    return this.#pending.idle();
  }

  recheck(): void {
    this.#doubts.recheck();
  }

  #append(record: SessionRecord): Promise<void> {
    const to = ableTo(this.#options.opened, 'append');
    return this.#inTurn(to.fencing, () => to.append(record), () => {
      const copy = copyRecord(record);
      return () => to.append(copy);
    });
  }

  #appendSync(record: SessionRecord): void {
    const to = ableTo(this.#options.opened, 'appendSync');
    this.#now(to.fencing, () => to.appendSync(record));
  }

  #guard<T>(fn: () => T): T {
    return this.#now('gated', () => {
      const result = fn();
      const promise = promiseOf(result);
      if (promise !== null) this.#pending.track(promise);
      return (promise ?? result) as T;
    });
  }

  #replace(records: Iterable<SessionRecord>): Promise<void> {
    const to = ableTo(this.#options.opened, 'replace', records);
    return this.#inTurn(to.fencing, () => to.replace(records), () => {
      const copies = Array.from(records, copyRecord);
      return () => to.replace(copies);
    });
  }

  /** Performs a synchronous write if the gate is open now. Whoever waits in doubt goes first. */
  #now<T>(fencing: Fencing, write: () => T): T {
    this.#doubts.recheck();
    const verdict = this.#options.gate.ask();
    if (verdict !== 'open') throw this.#refuse(verdict);
    this.#used = weakerFencing(this.#used, fencing);
    return write();
  }

  /**
   * Performs a write that may wait.
   *
   * @param write performs it now
   * @param prepare makes it independent of what the caller does to the record while it waits
   */
  #inTurn(fencing: Fencing, write: Write, prepare: () => Write): Promise<void> {
    this.#doubts.recheck();
    const verdict = this.#options.gate.ask();
    if (verdict !== 'open' && verdict !== 'doubt') return this.#refused(verdict);
    if (verdict === 'doubt' || this.#doubts.length > 0) return this.#whenAnswered(fencing, prepare());
    this.#used = weakerFencing(this.#used, fencing);
    const written = write();
    if (written === undefined) return Promise.resolve();
    this.#pending.track(written);
    return written;
  }

  #whenAnswered(fencing: Fencing, write: Write): Promise<void> {
    const waited = new Promise<void>((resolve, reject) => {
      this.#doubts.push((verdict) => {
        if (verdict !== 'open') return reject(this.#refuse(verdict));
        this.#used = weakerFencing(this.#used, fencing);
        try {
          resolve(write());
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    this.#pending.track(waited);
    return waited;
  }

  /** Whoever writes in its own yield window made a mistake, and is to hear of it: that rejection stays loud. */
  #refused(verdict: GateVerdict): Promise<void> {
    const rejected = Promise.reject(this.#refuse(verdict));
    return verdict === 'yielded' ? rejected : handled(rejected);
  }

  #refuse(verdict: GateVerdict): AttemptError {
    if (verdict === 'closed' || verdict === 'lost') this.#refusals += 1;
    return refusal(verdict, this.#options.gate.token, this.#options.answerMs);
  }
}

/**
 * A thenable that is not a promise (a query builder) may begin its work each time it is asked: so it is
 * asked once, here, behind the gate, and the promise of that one answer is what the caller gets.
 */
function promiseOf(result: unknown): Promise<unknown> | null {
  if (isPromise(result)) return result;
  if (typeof result !== 'object' || result === null) return null;
  const { then } = result as { then?: unknown };
  if (typeof then !== 'function') return null;
  return new Promise((resolve, reject) => { then.call(result, resolve, reject); });
}

/** A promise in every case: a caller who does not await must not meet a throw instead of a rejection. */
function rejecting(write: () => Promise<void>): Promise<void> {
  try {
    return write();
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

/**
 * A zombie that does not look at its promises must not end the process of the runner that got rid of it: its
 * refusals are counted and reported, so an unheard one is no secret. All other failures stay loud.
 */
function handled(refused: Promise<void>): Promise<void> {
  refused.catch(() => undefined);
  return refused;
}
