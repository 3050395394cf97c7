/**
 * The attempt's side of the work: opens the session, calls work and cleanup, closes writers, tells signals.
 * Owns the work's promise, which outlives `running`. Reports facts, decides nothing.
 */
import type { AbortedBy, AttemptContext, AttemptEvent } from '../../machines/attempt.types.js';
import type { SleepMeter } from '../clock.js';
import { AbortReason, NOT_WANTED } from '../errors.js';
import type { Lease } from '../locks/lock-store.js';
import type { AttemptSpec, WorkContext } from '../options.js';
import { waitFor } from '../locks/patience.js';
import { LeaseCertainty } from '../session/gate.js';
import { weakerFencing, type Fencing } from '../session/writer.js';
import { adopt } from '../thenable.js';
import { callSafely, warn } from '../warnings.js';
import { Cleanup } from './cleanup.js';
import { LazyAbort, withSignal } from './lazy-abort.js';
import { enclosing, runInside } from './nesting.js';
import { live } from './live.js';
import { Opening } from './opening.js';
import { Sections } from './sections.js';
import { Windows } from './windows.js';
import { startWriting, type Writing, type WritingState } from './writing.js';

/** What the work side needs of its driver. */
export interface WorkSideHost {
  dispatch(event: AttemptEvent): void;
  /** The machine's state, as a path. */
  state(): string;
  context(): AttemptContext;
  progressed(note: string | null): void;
  /** The session as the store locked it, where it tells; null while no lock is held. */
  held(): Pick<Lease, 'session'> | null;
  /** Milliseconds since the work was started. */
  ranMs(): number;
  /** A section was entered or left: nothing the machine's state shows, but an onlooker should. */
  sectionChanged(what: string): void;
}

export class WorkSide {
  readonly #spec: AttemptSpec<unknown>;
  readonly #host: WorkSideHost;
  readonly #told = new LazyAbort();
  /** Fires at the end of the attempt: whatever still waits here then waits for nothing. */
  #over: AbortController | null = null;
  #isOver = false;
  readonly #opening: Opening;
  /** Made when the work asks for the first, which it mostly never does. */
  #windows: Windows | null = null;
  #sections: Sections | null = null;
  #cleanup: Cleanup | null = null;
  #certainty: LeaseCertainty | null = null;
  #work: Writing | null = null;
  #settledAt: number | null = null;

  constructor(spec: AttemptSpec<unknown>, host: WorkSideHost) {
    this.#spec = spec;
    this.#host = host;
    this.#opening = new Opening(spec, (event) => host.dispatch(event));
  }

  /** The sections of the work that are open now. */
  get section(): string | null {
    return this.#sections?.open ?? null;
  }

  /** When the work's promise ended, on the clock; null while it has not. */
  get settledAt(): number | null {
    return this.#settledAt;
  }

  get fencing(): Fencing {
    return weakerFencing(this.#work?.writer.used, this.#cleanup?.writer.used);
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
    const work = this.#startWriting('running.working');
    this.#work = work;
    const { attemptId, session, locks } = this.#spec;
    const held = (): ReturnType<WorkSideHost['held']> => this.#host.held();
    const context = this.#workContext(work);
    const settled = (event: AttemptEvent): void => this.#settled(work, event);
    let result: unknown;
    try {
      result = runInside({ attemptId, session, locks, outer: enclosing(), held }, () => this.#spec.work(context));
    } catch (error) {
      return settled({ type: 'work.threw', error });
    }
    adopt(result).then(
      (value) => settled({ type: 'work.returned', value }),
      (error: unknown) => settled({ type: 'work.threw', error }),
    );
  }

  #workContext(work: Writing): WorkContext {
    const { session } = work.writer;
    return withToken(withSignal({
      session, guard: session.guard, attemptId: this.#spec.attemptId,
      progress: (note) => this.#progressed(note),
      yieldLock: (fn) => (this.#windows ??= this.#newWindows(work)).yieldLock(fn),
      section: (name, fn, options) => (this.#sections ??= this.#newSections()).run(name, fn, options),
    } satisfies Omit<WorkContext, 'signal' | 'token'>, this.#told), this.#host);
  }

  /** Performs `closeWriter`: the gate asks the machine's state; whoever waits in doubt is answered now. */
  closeWriter(): void {
    this.#work?.writer.recheck();
  }

  /** Performs `runWindow` and `resumeWork`. */
  goOn(): void {
    this.#windows?.goOn();
  }

  /** Performs `tellWork`. */
  tell(by: AbortedBy, reason: unknown): void {
    const told = new AbortReason(by, reason);
    this.#told.abort(told);
    this.#windows?.end(told);
  }

  /** Performs `runCleanup`. */
  runCleanup(seq: number): void {
    this.#cleanup = new Cleanup(this.#spec, this.#host, this.#startWriting('cleaning'));
    this.#cleanup.run(seq);
  }

  /** Performs `endCleanup`. */
  endCleanup(): void {
    this.#cleanup?.end();
  }

  /** The end: nothing of the session stays open. */
  close(): void {
    this.#isOver = true;
    this.#over?.abort(NOT_WANTED);
    this.#windows?.end(NOT_WANTED);
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
  #settled(work: Writing, event: AttemptEvent): void {
    const { clock, budgets, session, attemptId } = this.#spec;
    this.#settledAt = clock.now();
    work.close();
    if (this.#isOver) return; // nobody hears it any more
    if (work.writer.pending === 0) return this.#host.dispatch(event);
    this.#over = new AbortController();
    void waitFor(clock, budgets.settleMs, this.#over.signal, (woken) => {
      void work.writer.idle().then(woken);
      return () => {};
    }).then((how) => {
      if (how === 'time') {
        warn('WRITES_UNSETTLED', `${session}: a guarded write of attempt ${attemptId} had not ended `
          + `${budgets.settleMs} ms after its work; it is no longer waited for.`);
      }
      this.#host.dispatch(event);
    });
  }

  #newWindows({ writer }: Writing): Windows {
    const host = this.#host;
    const { session, clock, budgets, records, stamp, locks } = this.#spec;
    const { tokenScope } = locks.capabilities;
    const canTell = stamp && (tokenScope === 'durable' || tokenScope === 'process');
    return new Windows({
      session, told: this.#told, dispatch: (event) => host.dispatch(event), state: () => host.state(),
      clock, settleMs: budgets.settleMs, records: canTell ? records : null,
      token: () => host.context().token,
      pendingWrites: () => writer.pending,
      writesIdle: () => writer.idle(),
      closeSession: () => this.#opening.close(),
    });
  }

  #newSections(): Sections {
    const host = this.#host;
    return new Sections({
      session: this.#spec.session, told: this.#told, dispatch: (event) => host.dispatch(event), state: () => host.state(),
      ranMs: () => host.ranMs(), changed: (what) => host.sectionChanged(what),
    });
  }

  #startWriting(state: WritingState): Writing {
    const host = this.#host;
    return startWriting(state, {
      state: () => host.state(), context: () => host.context(), inWindow: () => this.#windows?.isOpen ?? false,
      opened: () => this.#opening.opened, certainty: () => this.#certainty,
      clock: this.#spec.clock, answerMs: this.#spec.budgets.answerMs,
    });
  }
}

/** Another one after each window. */
const withToken = live('token', (host: WorkSideHost) => host.context().token);

/** Performs `callOnTimeout`. */
export function callOnTimeout(spec: AttemptSpec<unknown>, context: AttemptContext): void {
  const { onTimeout, attemptId, session } = spec;
  const kind = context.abort?.kind;
  if (onTimeout && kind) callSafely('onTimeout', () => onTimeout({ attemptId, session, kind }));
}
