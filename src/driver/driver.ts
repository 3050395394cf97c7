/**
 * The driver of one attempt: performs what the machine says, reports what happened, and makes the report.
 * It decides nothing. Its two sides are the lock (`lock-side.ts`) and the work (`work-side.ts`).
 */
import type { AbortedBy, AttemptOutput } from '../../machines/attempt.types.js';
import { expect, shown } from '../config-checks.js';
import { AbortReason, describe } from '../errors.js';
import { isRequester } from '../option-checks.js';
import type { AbortRequester, AttemptSpec } from '../options.js';
import { markEndedBySignal, type AttemptReport } from '../report.js';
import { callSafely, warn } from '../warnings.js';
import { onAbort } from './caller-signal.js';
import { Engine, type Command, type EngineHost } from './engine.js';
import { LockSide } from './lock-side.js';
import { reportOf, warnUnlessConfirmed } from './report-of.js';
import { Watch } from '../trace/watch.js';
import { Stations } from './stations.js';
import { ToldToOthers } from './told-to-others.js';
import { Trace } from './trace.js';
import { callOnTimeout, WorkSide } from './work-side.js';

/** What can be seen of an attempt at a moment. */
export interface AttemptSnapshot {
  readonly attemptId: string;
  readonly session: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The machine's state as a path, e.g. `acquiring.waiting`, `aborting.user`. */
  readonly state: string;
  readonly abortedBy: AbortedBy | null;
  readonly lateAborts: readonly AbortedBy[];
  readonly token: number | null;
  /** The lease's deadline has passed and nobody is known to have taken the lock. */
  readonly inDoubt: boolean;
  /** The time to settle is over and the work has not settled. */
  readonly unsettled: boolean;
  /** A timeout ended the run after its work had started. */
  readonly abandoned: boolean;
  /** Has the work's promise ended? Null: it was never called. Moves even after the attempt has ended. */
  readonly workSettled: boolean | null;
  /** The last note given to `progress()`. */
  readonly note: string | null;
  /** The delicate sections of the work that are open, outermost first (`compaction > repair`); null: none. */
  readonly section: string | null;
  /** Writes refused because they came after the writer was closed. Counted even after the attempt has ended. */
  readonly refusedWrites: number;
}

/** What an abort met. */
export interface AbortAnswer {
  /** True: this abort decided the outcome. False: it came too late and changed nothing. */
  readonly accepted: boolean;
  /** The state it met. */
  readonly state: string;
  /** Who did abort the attempt; null if nobody did. */
  readonly abortedBy: AbortedBy | null;
}

export class Driver<T> implements EngineHost {
  readonly spec: AttemptSpec<T>;
  readonly done: Promise<AttemptReport<T>>;
  readonly #engine: Engine;
  readonly #lock: LockSide;
  readonly #work: WorkSide;
  readonly #trace = new Trace();
  #subscribers: Set<(snapshot: AttemptSnapshot) => unknown> | null = null;
  readonly #onEnd: () => void;
  readonly #at = new Stations();
  #resolve: (report: AttemptReport<T>) => void = () => {};
  readonly #told: ToldToOthers;
  #signalled: { readonly reason: unknown } | null = null;
  #stopListening: () => void = () => {};

  /** @param onEnd called before `done` resolves: no register may name the attempt after that */
  constructor(spec: AttemptSpec<T>, onEnd: () => void) {
    this.spec = spec;
    this.#onEnd = onEnd;
    this.done = new Promise((resolve) => { this.#resolve = resolve; });
    const { budgets, cleanup, onUnsettled, locks, clock, inspect } = spec;
    const leaseEnds = locks.capabilities.tokenScope !== 'none';
    const input = { budgets, hasCleanup: cleanup !== undefined, onUnsettled, leaseEnds };
    this.#engine = new Engine(input, clock, this, new Watch(spec, input), inspect);
    const engine = this.#engine;
    this.#told = new ToldToOthers(spec as AttemptSpec<unknown>, { state: () => engine.state, context: () => engine.context });
    this.#lock = new LockSide(spec as AttemptSpec<unknown>, {
      info: this.#told,
      dispatch: (event) => {
        // A lease that is no longer ours to lose has nothing to say (a window was opened meanwhile).
        if (event.type === 'lease.lost' && !['held', 'known'].includes(engine.context.lock)) return;
        if (event.type === 'lock.granted') this.#at.granted(clock.now());
        engine.dispatch(event);
      },
      wantsGrant: () => engine.context.lock === 'asked', // which no attempt ends with
      noticed: () => this.#tell(),
    });
    this.#work = new WorkSide(spec as AttemptSpec<unknown>, {
      dispatch: (event) => engine.dispatch(event),
      state: () => engine.state,
      context: () => engine.context,
      held: () => (engine.context.lock === 'held' ? this.#lock.lease : null),
      ranMs: () => clock.now() - (this.#at.ran ?? clock.now()),
      sectionChanged: (what) => {
        const { state } = engine;
        this.#trace.add({ at: clock.now() - (this.#at.started ?? clock.now()), from: state, to: state, event: what });
        this.#tell();
      },
      progressed: (note) => {
        this.#told.progressed(note);
        if (note !== null) this.#tell();
      },
    });
  }

  /** Called once, in `idle`. */
  start(): void {
    const { signal } = this.spec;
    this.#at.begin(this.spec.clock.now());
    if (signal?.aborted) return this.#signalFired(signal.reason); // asks for nothing
    if (signal) this.#stopListening = onAbort(signal, () => this.#signalFired(signal.reason));
    this.#engine.dispatch({ type: 'start' });
  }

  abort(by: AbortRequester, reason: unknown): AbortAnswer {
    const before = this.#engine.context.abort;
    const { state } = this.#engine;
    const event = `abort.${by}` as const;
    this.#engine.dispatch(
      event === 'abort.timeout' ? { type: event, reason, kind: 'external' } : { type: event, reason },
    );
    const { abort } = this.#engine.context;
    const accepted = before === null && abort !== null;
    return { accepted, state, abortedBy: abort?.by ?? null };
  }

  snapshot(): AttemptSnapshot {
    const { attemptId, session, labels } = this.spec;
    const { abort, lateAborts, token, unsettled, abandoned, work } = this.#engine.context;
    return {
      attemptId, session, labels, state: this.#engine.state, abortedBy: abort?.by ?? null, lateAborts, token,
      inDoubt: this.#engine.state !== 'released' && this.#work.isInDoubt, unsettled, abandoned,
      workSettled: work === 'none' ? null : this.#work.settledAt !== null,
      note: this.#told.note, section: this.#work.section, refusedWrites: this.#work.refusedWrites,
    };
  }

  subscribe(fn: (snapshot: AttemptSnapshot) => void): () => void {
    expect(typeof fn === 'function', 'subscribe', 'a function', fn);
    const subscriber = (snapshot: AttemptSnapshot): unknown => fn(snapshot); // the same `fn` may subscribe twice
    if (this.#engine.state !== 'released') (this.#subscribers ??= new Set()).add(subscriber);
    return () => void this.#subscribers?.delete(subscriber);
  }

  /** @internal A command that cannot even be performed is answered with that: the machine knows the way out. */
  perform(command: Command, seq: number): void {
    try {
      this.#perform(command, seq);
    } catch (error) {
      switch (command) {
        case 'requestLock': return this.#engine.dispatch({ type: 'lock.unknown', seq, error });
        case 'openSession': return this.#engine.dispatch({ type: 'session.failed', seq, error });
        case 'startWork': return this.#engine.dispatch({ type: 'work.threw', error });
        case 'runCleanup': return this.#engine.dispatch({ type: 'cleanup.failed', seq, error });
        case 'askRelease': return this.#engine.dispatch({ type: 'release.unknown', seq, error });
        default: warn('CALLBACK_THREW', `${this.spec.session}: ${command} threw: ${describe(error)}`);
      }
    }
  }

  #perform(command: Command, seq: number): void {
    const { abort } = this.#engine.context;
    switch (command) {
      case 'requestLock': return this.#lock.request(seq);
      case 'cancelRequest': return this.#lock.cancel();
      case 'openSession': return this.#openSession(seq);
      case 'endOpening': return this.#work.endOpening();
      case 'startWork': return this.#work.start();
      case 'runWindow': case 'resumeWork': return this.#work.goOn();
      case 'closeWriter': return this.#work.closeWriter();
      case 'tellWork': return this.#work.tell(abort?.by ?? 'shutdown', abort?.reason);
      case 'callOnTimeout': return callOnTimeout(this.spec as AttemptSpec<unknown>, this.#engine.context);
      case 'runCleanup': return this.#work.runCleanup(seq);
      case 'endCleanup': return this.#work.endCleanup();
      case 'askRelease': return this.#lock.release(seq);
    }
  }

  /** @internal */
  moved(from: string, to: string, event: string): void {
    const now = this.spec.clock.now();
    this.#trace.add({ at: now - (this.#at.started ?? now), from, to, event });
    this.#at.moved(from, to, this.#engine.context, now);
    this.#told.moved();
    this.#tell();
  }

  /** @internal Nothing that is not ours may keep `done` from resolving: the lock has been given back. */
  ended(output: AttemptOutput): void {
    callSafely('the signal', this.#stopListening);
    this.#lock.close();
    this.#work.close();
    const settledAt = output.settled ? this.#work.settledAt : null;
    const report = reportOf(this.spec, output, {
      timings: this.#at.timings(this.spec.clock.now(), this.#engine.context.request > 0, settledAt),
      trace: this.#trace.read(), fencing: this.#work.fencing,
    });
    if (this.#signalled) markEndedBySignal(report, this.#signalled.reason);
    warnUnlessConfirmed(report);
    this.#told.keep(report, this.#lock.lease);
    this.#subscribers = null;
    this.#onEnd();
    this.#resolve(report);
    const { dispose } = this.spec;
    if (dispose) callSafely('dispose', () => dispose(report));
  }

  #openSession(seq: number): void {
    const { lease } = this.#lock;
    if (!lease) return; // Never: a session is opened after a grant alone, and the grant brought the lease.
    this.#lock.listen(lease);
    // Listening may have told of a loss.
    if (/locked|opening/.test(this.#engine.state)) this.#work.open(seq, lease, this.#lock.sleep);
  }

  #signalFired(reason: unknown): void {
    const by = this.#requesterOf(reason);
    this.#signalled = { reason }; // before: an attempt that has asked for nothing ends within the abort itself
    if (!this.abort(by, reason).accepted) this.#signalled = null;
  }

  /** A reason of ours keeps who it was. Another attempt's lost lease is, for this one, a shutdown. */
  #requesterOf(reason: unknown): AbortRequester {
    if (reason instanceof AbortReason) return reason.abortedBy === 'leaseLost' ? 'shutdown' : reason.abortedBy;
    let by: unknown = 'user';
    callSafely('classifyAbort', () => { by = this.spec.classifyAbort(reason); });
    if (isRequester(by)) return by;
    warn('CALLBACK_THREW', `classifyAbort gave ${shown(by)}, which is nobody who can abort; taken for user.`);
    return 'user';
  }

  /** Tells what is to be seen now, when every command of the transitions so far has been performed. */
  #tell(): void {
    if (!this.#subscribers?.size) return;
    const snapshot = this.snapshot();
    this.#engine.tell(() => {
      for (const fn of Array.from(this.#subscribers ?? [])) callSafely('a subscriber', () => fn(snapshot));
    });
  }
}
