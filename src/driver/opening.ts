/**
 * Opens the session for an attempt, and closes it at the end; around a yield window it is closed and opened anew.
 * Reports facts, decides nothing.
 * Opened counts only with a lease that is not in doubt: work never starts on a doubtful one.
 */
import type { AttemptEvent } from '../../machines/attempt.types.js';
import { NOT_WANTED } from '../errors.js';
import type { Lease } from '../locks/lock-store.js';
import { waitFor } from '../locks/patience.js';
import type { AttemptSpec } from '../options.js';
import type { LeaseCertainty } from '../session/gate.js';
import type { OpenedSession } from '../session/session-records.js';
import { adopt, isThenable } from '../thenable.js';
import { callSafely } from '../warnings.js';
import { LazyAbort, withSignal } from './lazy-abort.js';
import { thrownBy } from './thrown.js';

/** A renewed lease is noticed this late while an opening waits for it. */
const CERTAINTY_POLL_MS = 5;

const NOT_OPENED = 'records.open() must give a session with append(), close() and fencing ("stamped" or "gated")';

const isOpened = (opened: Partial<OpenedSession> | null): boolean =>
  typeof opened?.append === 'function' && typeof opened.close === 'function'
  && (opened.fencing === 'stamped' || opened.fencing === 'gated');

export class Opening {
  readonly #spec: AttemptSpec<unknown>;
  readonly #dispatch: (event: AttemptEvent) => void;
  #wanted: LazyAbort | null = null;
  #opened: OpenedSession | null = null;
  #hasToClose = false;

  constructor(spec: AttemptSpec<unknown>, dispatch: (event: AttemptEvent) => void) {
    this.#spec = spec;
    this.#dispatch = dispatch;
  }

  /** What was last opened, even when it is closed again: its gate is closed then, too. Null: `records: "none"`. */
  get opened(): OpenedSession | null {
    return this.#opened;
  }

  /** @param certainty tells whether the lease is in doubt */
  begin(seq: number, lease: Lease, certainty: LeaseCertainty): void {
    const wanted = new LazyAbort();
    this.#wanted = wanted;
    const failed = (error: unknown): void =>
      this.#dispatch({ type: 'session.failed', seq, error: thrownBy('records.open()', error) });
    const done = (opened: OpenedSession | null): void => {
      if (wanted.isAborted) return this.#close(opened); // nobody waits for it any more
      if (this.#spec.records && !isOpened(opened)) return failed(new Error(NOT_OPENED));
      this.#opened = opened;
      this.#hasToClose = true;
      if (!certainty.isInDoubt()) return this.#isOpen(seq);
      void this.#untilCertain(certainty, wanted.signal).then(() => {
        if (!wanted.isAborted) this.#isOpen(seq);
      });
    };
    try {
      const { records, session, locks, stamp } = this.#spec;
      const { tokenScope } = locks.capabilities;
      const token = stamp && tokenScope !== 'none' ? lease.token : null;
      const opened = records?.open(withSignal({ session, lease, token, tokenScope }, wanted)) ?? null;
      if (isThenable(opened)) adopt(opened).then(done, failed);
      else done(opened);
    } catch (error) {
      failed(error);
    }
  }

  #isOpen(seq: number): void {
    this.#wanted = null; // nothing is under way that would have to be told
    this.#dispatch({ type: 'session.opened', seq });
  }

  /** An opening still under way is not wanted any more. */
  end(): void {
    this.#wanted?.abort(NOT_WANTED);
    this.#wanted = null;
  }

  /** The end of the attempt, or of its hold on the lock: nothing of the session stays open. */
  close(): void {
    this.end();
    if (this.#hasToClose) this.#close(this.#opened);
    this.#hasToClose = false;
  }

  /** Until the lease is renewed; a loss, an abort or `openMs` end the opening, and with it this wait. */
  async #untilCertain(certainty: LeaseCertainty, signal: AbortSignal): Promise<void> {
    while (certainty.isInDoubt() && !signal.aborted) {
      await waitFor(this.#spec.clock, CERTAINTY_POLL_MS, signal, () => () => {});
    }
  }

  #close(opened: OpenedSession | null): void {
    callSafely(`${this.#spec.session}: closing it`, () => opened?.close(), 'CLOSE_FAILED');
  }
}
