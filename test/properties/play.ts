/**
 * Plays a plan against the real driver, with a scripted store and a virtual clock, and notes what happened.
 */
import type { AbortedBy, AttemptReport } from '../../src/index.js';
import { deferred, Scene } from '../support/scene.js';
import type { Ask, ReleaseAsk, ScriptedStore } from '../support/scripted-store.js';
import type { Plan, Step } from './plan.js';

export const budgets = { answerMs: 1_000, openMs: 1_000, cleanupMs: 500, leaseMs: 10_000 };

/** What was seen while a plan was played. */
export interface Played {
  readonly plan: Plan;
  readonly report: AttemptReport;
  readonly store: ScriptedStore;
  readonly scene: Scene;
  /** The first abort that was answered as accepted, or heard as a fact. */
  readonly firstAbort: AbortedBy | null;
  /** Aborts that were not the first, as answered. */
  readonly startedIn: readonly {
    readonly state: string; readonly lost: boolean; readonly inDoubt: boolean; readonly held: number;
  }[];
  /** Writes of the work that were let through although the attempt was not running. */
  readonly wrongWrites: number;
  /** Was anything held, by the store's own ledger, when `done` resolved? */
  readonly heldAtDone: number;
  readonly timersAtDone: number;
  readonly onTimeouts: number;
  readonly told: boolean;
  readonly reportLater: string;
  readonly heldAtLast: number;
  readonly tookMs: number;
}

const shownAs = (report: AttemptReport): string => JSON.stringify(report, (_key, value: unknown) =>
  value instanceof Error ? `${value.name}: ${value.message}` : value);

class Play {
  readonly scene = new Scene();
  readonly #work = deferred();
  readonly #cleanup = deferred();
  readonly #opening = deferred<never>();
  readonly #controller = this.scene.controller();
  readonly #startedIn: Played['startedIn'][number][] = [];
  readonly store: ScriptedStore;
  readonly attempt;
  #write: () => void = () => {};
  #progress: () => void = () => {};
  #told = false;
  #lost = false;
  #wrongWrites = 0;
  #onTimeouts = 0;
  #ending = false;
  #release = 0;

  constructor(readonly plan: Plan) {
    const {
      timeoutMs, idleTimeoutMs, cleanup, hasTokens, waitMs, settleMs, onUnsettled, signalledBefore,
    } = plan.options;
    this.store = this.scene.store(
      { acquire: () => {}, release: (ask) => this.#atTheEnd(ask) },
      { leaseMs: budgets.leaseMs, tokenScope: hasTokens ? 'durable' : 'none' },
    );
    if (signalledBefore) this.#controller.abort('before');
    this.attempt = this.scene.attempt({
      locks: this.store, waitMs, settleMs, onUnsettled, signal: this.#controller.signal,
      answerMs: budgets.answerMs, openMs: budgets.openMs, cleanupMs: budgets.cleanupMs,
      ...(timeoutMs !== null && { timeoutMs }), ...(idleTimeoutMs !== null && { idleTimeoutMs }),
      ...(cleanup && { cleanup: () => this.#cleanup.promise }),
      records: { open: () => this.#opening.promise },
      onTimeout: () => { this.#onTimeouts += 1; },
      work: ({ session, progress, signal }) => {
        const { state, inDoubt } = this.attempt.snapshot();
        this.#startedIn.push({ state, inDoubt, lost: this.#lost, held: this.store.held });
        signal.addEventListener('abort', () => { this.#told = true; });
        this.#progress = progress;
        this.#write = () => {
          const before = this.attempt.snapshot().state;
          try {
            session.appendSync({ a: 1 });
            if (before !== 'running.working' || this.#lost) this.#wrongWrites += 1;
          } catch { /* refused: that is what is tested */ }
        };
        return this.#work.promise;
      },
    });
  }

  async play(): Promise<Played> {
    const { clock } = this.scene;
    const startedAt = clock.now();
    let report: AttemptReport | null = null;
    let heldAtDone = -1;
    let timersAtDone = -1;
    void this.attempt.start().then((one) => {
      heldAtDone = this.store.held;
      timersAtDone = clock.armed;
      report = one;
    });
    for (const step of this.plan.steps) await this.#do(step);
    await this.#finish(() => report !== null);
    const ended = report as AttemptReport | null;
    if (!ended) throw new Error(`L7: the attempt does not end; it is in ${this.attempt.snapshot().state}`);
    const tookMs = clock.now() - startedAt;
    const before = shownAs(ended);
    await this.#haunt();
    const { abortedBy } = this.attempt.snapshot();
    return {
      plan: this.plan, report: ended, store: this.store, scene: this.scene, startedIn: this.#startedIn,
      firstAbort: this.#firstAbort ?? abortedBy, wrongWrites: this.#wrongWrites, heldAtDone, timersAtDone,
      onTimeouts: this.#onTimeouts, told: this.#told, tookMs, heldAtLast: this.store.held,
      reportLater: before === shownAs(ended) ? '' : `${before}\n${shownAs(ended)}`,
    };
  }

  #firstAbort: AbortedBy | null = null;

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case 'advance': return this.scene.clock.advance(step.ms);
      case 'yield': return this.scene.settled();
      case 'abort': {
        const { accepted } = this.attempt.abort('x', { by: step.by });
        if (accepted) this.#firstAbort ??= step.by;
        return;
      }
      case 'signal': return this.#controller.abort('signal');
      case 'progress': return this.#progress();
      case 'write': return this.#write();
      case 'answer': return this.#answer(step.with);
      case 'open': return this.#open(step.how);
      case 'settle': return step.how === 'well' ? this.#work.resolve('v') : this.#work.reject(new Error('w'));
      case 'clean': return step.how === 'well' ? this.#cleanup.resolve('c') : this.#cleanup.reject(new Error('c'));
      case 'notice': return this.#notice(step.type);
      case 'release': return this.#answerRelease(step.how);
    }
  }

  #answer(with_: (Step & { do: 'answer' })['with']): void {
    const ask: Ask | undefined = this.store.asks[0];
    if (!ask) return;
    // What an honest store may still do: grant unheard until it is asked to release, aloud until its tombstone.
    const mayGrant = !ask.lease && !ask.isRefused && (ask.isAnswered ? this.store.releases.length === 0
      : !this.store.releases.some(({ said }) => said === 'released' || said === 'notHeld'));
    switch (with_) {
      case 'grant': if (mayGrant) ask.grant({ silent: ask.isAnswered }); return;
      case 'silent grant': if (mayGrant && this.store.releases.length === 0) ask.grant({ silent: true }); return;
      case 'tell': return ask.tell();
      case 'busy': if (!ask.lease) ask.busy(); return;
      case 'unknown': return ask.unknown();
      case 'reject': return ask.reject();
      case 'garbage': return ask.garbage({ status: 'perhaps' });
    }
  }

  #open(how: 'well' | 'badly'): void {
    if (how === 'well') this.#opening.resolve(this.scene.records.open({ token: 1 } as never) as never);
    else this.#opening.reject(new Error('o'));
  }

  #notice(type: 'lost' | 'superseded' | 'inDoubt'): void {
    const lease = this.store.asks[0]?.lease;
    if (!lease || lease.listeners === 0) return; // it is told when somebody listens
    const { abortedBy } = this.attempt.snapshot();
    if (type === 'lost') this.#lost = true;
    lease.notify(type === 'lost' ? { type, reason: 'r' } : type === 'superseded' ? { type, by: 'b' } : { type });
    if (abortedBy === null) this.#firstAbort ??= this.attempt.snapshot().abortedBy;
  }

  #answerRelease(how: (Step & { do: 'release' })['how']): void {
    const ask = this.store.releases[this.#release];
    if (!ask) return;
    this.#release += 1;
    if (how === 'freed') this.store.free(ask.owner);
    if (how === 'honestly') ask.honestly();
    else if (how === 'reject') ask.reject();
    else ask.answer('unknown');
  }

  /**
   * The steps are over: from now on the store answers as the plan says, and only timers drive the attempt (L7).
   */
  async #finish(isOver: () => boolean): Promise<void> {
    this.#ending = true;
    for (const ask of this.store.releases) this.#atTheEnd(ask);
    this.attempt.abort('the end', { by: 'shutdown' });
    await this.scene.settled();
    const toTheEnd = async (): Promise<void> => {
      while (!isOver() && await this.scene.clock.toNextTimer()) { /* one timer further */ }
    };
    await toTheEnd();
    if (isOver() || !this.attempt.snapshot().unsettled) return;
    this.#work.resolve('at last'); // held for work that does not settle: the one wait that timers do not end
    await this.scene.settled();
    await toTheEnd();
  }

  #atTheEnd(ask: ReleaseAsk): void {
    if (!this.#ending) return;
    if (this.plan.finally === 'honestly') ask.honestly();
    else if (this.plan.finally === 'reject') ask.reject();
  }

  /** Everything that comes too late, all at once. */
  async #haunt(): Promise<void> {
    const { scene, store } = this;
    for (const ask of store.releases) ask.honestly();
    store.script.release = (ask) => ask.honestly();
    const ask = store.asks[0];
    if (ask && !ask.lease && !ask.isAnswered) ask.grant(); // a store without tombstones
    ask?.tell();
    this.#work.resolve('late');
    this.#cleanup.resolve('late');
    this.#open('well');
    this.#controller.abort('late');
    this.attempt.abort('late');
    store.asks[0]?.lease?.notify({ type: 'superseded', by: 'late' });
    this.#progress();
    this.#write();
    await scene.settled();
    await scene.clock.advance(20_000);
    this.#write();
  }
}

export const play = (plan: Plan): Promise<Played> => new Play(plan).play();
