/**
 * The attempt's side of the work: opens the session, calls work and cleanup, closes writers, tells signals.
 * Owns the work's promise, which outlives `running`. Reports facts, decides nothing.
 */
import type { AbortedBy, AttemptContext, AttemptEvent } from '../../machines/attempt.types.js';
import type { SleepMeter } from '../clock.js';
import { AbortReason, NOT_WANTED } from '../errors.js';
import type { Lease } from '../locks/lock-store.js';
import type { AttemptSpec } from '../options.js';
import { waitFor } from '../locks/patience.js';
import { LeaseCertainty, WriteGate } from '../session/gate.js';
import { createWriter, weakerFencing, type Fencing, type TrackedWriter } from '../session/writer.js';
import { adopt } from '../thenable.js';
import { callSafely, warn } from '../warnings.js';
import { Opening } from './opening.js';
import { thrownBy } from './thrown.js';

/** What the work side needs of its driver. */
export interface WorkSideHost {
  dispatch(event: AttemptEvent): void;
  /** The machine's state, as a path. */
  state(): string;
  context(): AttemptContext;
  progressed(note: string | null): void;
}

/** A writer and the way to end it. */
interface Writing {
  readonly writer: TrackedWriter;
  /** No further write passes. */
  close(): void;
}

export class WorkSide {
  readonly #spec: AttemptSpec<unknown>;
  readonly #host: WorkSideHost;
  readonly #told = new AbortController();
  /** Made when they are needed, which in most attempts is never. */
  #cleanupOver: AbortController | null = null;
  /** Fires at the end of the attempt: whatever still waits here then waits for nothing. */
  #over: AbortController | null = null;
  #isOver = false;
  readonly #opening: Opening;
  #certainty: LeaseCertainty | null = null;
  #work: Writing | null = null;
  #cleanup: Writing | null = null;
  #settledAt: number | null = null;

  constructor(spec: AttemptSpec<unknown>, host: WorkSideHost) {
    this.#spec = spec;
    this.#host = host;
    this.#opening = new Opening(spec, (event) => host.dispatch(event));
  }

  /** When the work's promise ended, on the clock; null while it has not. */
  get settledAt(): number | null {
    return this.#settledAt;
  }

  get fencing(): Fencing {
    return weakerFencing(this.#work?.writer.used ?? 'none', this.#cleanup?.writer.used ?? 'none');
  }

  /** Writes refused because they came too late. */
  get refusedWrites(): number {
    return (this.#work?.writer.refused ?? 0) + (this.#cleanup?.writer.refused ?? 0);
  }

  /** Is the lease past its deadline, with nobody known to have taken it? */
  get isInDoubt(): boolean {
    return this.#certainty?.isInDoubt() ?? false;
  }

  /** Performs `openSession`. @param sleep marked when the lease was asked for */
  open(seq: number, lease: Lease, sleep: SleepMeter): void {
    this.#certainty = new LeaseCertainty(lease, this.#spec.clock, sleep);
    this.#opening.begin(seq, lease, this.#certainty);
  }

  /** Performs `endOpening`. */
  endOpening(): void {
    this.#opening.end();
  }

  /** Performs `startWork`. */
  start(): void {
    const work = this.#startWriting('running');
    this.#work = work;
    const { attemptId } = this.#spec;
    const { session } = work.writer;
    let result: unknown;
    try {
      result = this.#spec.work({
        signal: this.#told.signal, session, guard: session.guard, token: this.#host.context().token,
        attemptId, progress: (note?: string) => this.#progressed(note),
      });
    } catch (error) {
      return this.#settled({ type: 'work.threw', error });
    }
    adopt(result).then(
      (value) => this.#settled({ type: 'work.returned', value }),
      (error: unknown) => this.#settled({ type: 'work.threw', error }),
    );
  }

  /** Performs `closeWriter`. */
  closeWriter(): void {
    this.#work?.close();
  }

  /** Performs `tellWork`. */
  tell(by: AbortedBy, reason: unknown): void {
    this.#told.abort(new AbortReason(by, reason));
  }

  /** Performs `runCleanup`. */
  runCleanup(seq: number): void {
    const { abort, work, token } = this.#host.context();
    const writing = this.#startWriting('cleaning');
    this.#cleanup = writing;
    const over = new AbortController();
    this.#cleanupOver = over;
    const ended = (event: AttemptEvent) => async (): Promise<void> => {
      writing.close();
      await writing.writer.idle(); // bounded by the machine's `cleanupMs`
      this.#host.dispatch(event);
    };
    const failed = (error: unknown): Promise<void> =>
      ended({ type: 'cleanup.failed', seq, error: thrownBy('the cleanup', error) })();
    const outcome = abort ? 'aborted' : work === 'returned' ? 'completed' : 'failed';
    let result: unknown;
    try {
      result = this.#spec.cleanup?.({
        session: writing.writer.session, token, signal: over.signal, outcome,
        abortedBy: abort?.by ?? null, settled: work !== 'pending',
      });
    } catch (error) {
      return void failed(error);
    }
    adopt(result).then(ended({ type: 'cleanup.ended', seq }), failed);
  }

  /** Performs `endCleanup`. */
  endCleanup(): void {
    this.#cleanup?.close();
    const isLost = this.#host.context().lease === 'lost';
    this.#cleanupOver?.abort(new AbortReason(isLost ? 'leaseLost' : 'timeout', 'the cleanup is over'));
  }

  /** The end: nothing of the session stays open. */
  close(): void {
    this.#isOver = true;
    this.#over?.abort(NOT_WANTED);
    this.#opening.close();
  }

  #progressed(note: string | undefined): void {
    this.#host.progressed(note === undefined ? null : String(note).slice(0, 256));
    this.#host.dispatch({ type: 'work.progressed' });
  }

  /**
   * The work has settled when its promise has, and the writes it began with it: a release must not overtake them.
   * Writes that do not end are not waited for longer than `settleMs` (after an abort the machine counts that), and
   * not at all once the attempt is over.
   */
  #settled(event: AttemptEvent): void {
    const { clock, budgets, session, attemptId } = this.#spec;
    this.#settledAt = clock.now();
    const writing = this.#work;
    writing?.close();
    if (this.#isOver) return; // nobody hears it any more
    if (!writing || writing.writer.pending === 0) return this.#host.dispatch(event);
    this.#over = new AbortController();
    void waitFor(clock, budgets.settleMs, this.#over.signal, (woken) => {
      void writing.writer.idle().then(woken);
      return () => {};
    }).then((how) => {
      if (how === 'time') {
        warn('WRITES_UNSETTLED', `${session}: a guarded write of attempt ${attemptId} had not ended `
          + `${budgets.settleMs} ms after its work; it is no longer waited for.`);
      }
      this.#host.dispatch(event);
    });
  }

  #startWriting(state: 'running' | 'cleaning'): Writing {
    let open = true;
    const { clock, budgets } = this.#spec;
    const writer = createWriter({
      gate: this.#gate(state, () => open), opened: this.#opening.opened, clock, answerMs: budgets.answerMs,
    });
    return {
      writer,
      close: () => {
        open = false;
        writer.recheck();
      },
    };
  }

  /** The gate of the writer that belongs to a state. */
  #gate(state: 'running' | 'cleaning', stillOpen: () => boolean): WriteGate {
    if (!this.#certainty) throw new Error(`${state} was entered without a lease`); // the machine does not do that
    return new WriteGate({
      isOpen: () => stillOpen() && this.#host.state() === state,
      isLost: () => this.#host.context().lease === 'lost',
      certainty: this.#certainty,
      token: this.#host.context().token,
    });
  }
}

/** Performs `callOnTimeout`. */
export function callOnTimeout(spec: AttemptSpec<unknown>, context: AttemptContext): void {
  const { onTimeout, attemptId, session } = spec;
  const kind = context.abort?.kind;
  if (onTimeout && kind) callSafely('onTimeout', () => onTimeout({ attemptId, session, kind }));
}
