/**
 * Looks at one attempt from outside and compares what it says with the ledger.
 * Owns: S5, S6, S8 to S14, S19 for one attempt. Must not know: what the attempt was going to do.
 */
import type { Attempt } from '../../attempt.js';
import type { AbortAnswer, AttemptSnapshot } from '../../driver/driver.js';
import type { AttemptReport } from '../../report.js';
import type { SessionWriter } from '../../session/writer.js';
import type { LockServer } from './lock-server.js';
import type { Process } from './network.js';
import { CLEANUP_MS, type Script } from './plan.js';
import type { SimLease } from './sim-lease.js';

const WRITES: readonly string[] = ['locked', 'running.working'];

export class Watch {
  report: AttemptReport | null = null;
  lease: SimLease | null = null;
  endedAt: number | null = null;
  #state = 'idle';
  #starts = 0;
  #asks = 0;
  #writer: SessionWriter | null = null;
  #accepted: AbortAnswer[] = [];
  #frozen = '';
  #outcomes = 0;
  #abortedAt: number | null = null;

  constructor(
    readonly name: string, readonly session: string, readonly process: Process, readonly server: LockServer,
    readonly attempt: Attempt<unknown>, readonly bounds: Script,
  ) {
    attempt.subscribe((snapshot) => this.#moved(snapshot));
    void attempt.done.then((report) => this.#ended(report));
  }

  get state(): string { return this.attempt.snapshot().state; }

  /** The store is asked for a lock. */
  asked(): void {
    this.#asks += 1;
    const isAgain = this.state.startsWith('running.reacquiring');
    this.#check('S11', (this.#asks === 1) !== isAgain, () => `the lock was asked for ${this.#asks} times, in ${this.state}`);
    this.#check('S11', !this.#tearsDown(), () => `the lock was asked for in ${this.state}`);
  }

  /** The store sends a message that may bring a grant. */
  tried(): void {
    this.#check('S11', !this.#tearsDown(), () => `the store still tries for the lock in ${this.state}`);
  }

  /** A grant is handed to the driver. After the end nobody is there to use it: given back at once. */
  granted(lease: SimLease): void {
    this.lease = lease;
    if (!this.report) return;
    const { time } = this.server.world;
    time.at(time.now + 1, () => this.#check('S11', lease.isGivenBack || this.process.clock.stands, () =>
      'a grant after the end was not given back'));
  }

  /** The work is called. */
  started(writer: SessionWriter): void {
    this.#starts += 1;
    this.#writer = writer;
    this.#check('S10', this.#starts === 1, () => 'the work was started twice');
    this.#check('S11', this.#accepted.length === 0, () => 'the work was started after an abort was accepted');
    this.#check('S10', this.#holds(), () => `the work was started without the lock (token ${this.lease?.token})`);
    this.#boundRun();
  }

  /** In a window of the work: the lock is given up, or has ended, and nothing can be written. */
  inWindow(): void {
    const { state } = this;
    if (state === 'running.yielded') {
      const live = this.server.liveGrantOf(this.session, this.name);
      this.#check('L8', live === null, () => `a window is open and token ${live?.token} is held`);
    }
    this.#check('S5', state !== 'running.working', () => 'a window is open and the work is in running.working');
    this.#probe('S5');
  }

  /** After a window: with the lock in hand, and not after an abort. */
  resumed(): void {
    this.#check('M04', this.#accepted.length === 0, () => 'a window ended well after an abort was accepted');
    if (this.state === 'running.working') {
      this.#check('S10', this.#holds(), () => `the work goes on without the lock (token ${this.lease?.token})`);
    }
  }

  /** A grant taken by force ends while its holder cannot know it; any other holds until the end it was given. */
  #holds(): boolean {
    const own = this.server.entriesOf(this.session).find(({ grant }) => grant.token === this.lease?.token);
    return own !== undefined
      && (own.ended?.how === 'by force' || (!own.ended && own.grant.until > this.server.world.time.now));
  }

  /** L1, M17: the run budget, and one grace; unless budgets stand still, or the process did. */
  #boundRun(): void {
    const { timeoutMs, graceMs, sections, pauses } = this.bounds;
    const { time } = this.server.world;
    if (timeoutMs === undefined || (sections > 0 && pauses)) return;
    const began = time.now;
    time.at(began + timeoutMs + graceMs + 1, () => {
      const stood = this.process.stoodAt >= began - 10_000;
      this.#check('L1', stood || !this.state.startsWith('running'), () =>
        `still in ${this.state} after ${timeoutMs} ms and a grace of ${graceMs} ms`);
    });
  }

  aborted(by: string, answer: AbortAnswer): void {
    this.server.world.tell(this.name, `abort by ${by} met ${answer.state}: ${answer.accepted ? 'accepted' : 'too late'}`);
    if (!answer.accepted) return;
    this.#accepted.push(answer);
    this.#check('S9', this.#accepted.length === 1, () => 'a second abort was accepted');
    this.#check('S9', answer.abortedBy === by, () => `an abort by ${by} was accepted as one by ${answer.abortedBy}`);
    this.#check('S8', this.report === null, () => 'an abort was accepted after the end');
    this.#check('M17', !this.state.startsWith('running'), () => `an abort by ${by} was accepted, and we are in ${this.state}`);
  }

  /** The lease has told its loss: nothing may be running, or able to write, when the telling returns. */
  lossTold(owner: string): void {
    if (owner !== this.lease?.owner) return; // of the grant before a window: no news
    this.#check('S12', !WRITES.includes(this.state), () => `in ${this.state} after the loss of its lease was told`);
    this.#probe('S12');
  }

  /** At the end of the run: whatever came after the outcome has changed nothing. */
  verifyEnd(): void {
    if (!this.report) return;
    this.#check('S8', this.#outcomes === 1 && this.#frozen === frozen(this.report), () => 'the report changed');
    this.#check('S8', this.state === 'released', () => `in ${this.state} after the end`);
    const abort = this.attempt.abort('after the end');
    this.#check('S8', !abort.accepted, () => 'an abort was accepted after the end');
  }

  #moved({ state }: AttemptSnapshot): void {
    const from = this.#state;
    if (state === from) return;
    this.#state = state;
    this.server.world.tell(this.name, `${from} -> ${state}`);
    this.#check('S8', this.report === null, () => `moved to ${state} after the end`);
    if (from.startsWith('running') && state !== 'running.working') this.#probe('S5');
    this.#boundWayOut(from, state);
  }

  /** L2: from the first abort to the release, whatever the work does; unless told to hold, or standing still. */
  #boundWayOut(from: string, state: string): void {
    const { now } = this.server.world.time;
    if (from.startsWith('running') && state.startsWith('aborting')) this.#abortedAt = now;
    if (!state.startsWith('rele') || this.#abortedAt === null || this.bounds.onUnsettled === 'hold') return;
    const took = now - this.#abortedAt;
    const bound = this.bounds.settleMs + CLEANUP_MS + 10;
    const stood = this.process.stoodAt >= this.#abortedAt - 10_000;
    this.#check('L2', took <= bound || stood, () => `took ${took} ms from the abort to ${state}, bound ${bound}`);
    this.#abortedAt = null;
  }

  /** A write now has to be refused. */
  #probe(id: string): void {
    if (!this.#writer) return;
    let passed = true;
    try {
      this.#writer.guard(() => {});
    } catch {
      passed = false; // refused, as it should be
    }
    this.#check(id, !passed, () => `a write passed the gate in ${this.state}`);
  }

  #ended(report: AttemptReport): void {
    const { world } = this.server;
    this.report = report;
    this.endedAt = world.time.now;
    this.#outcomes += 1;
    this.#frozen = frozen(report);
    const { outcome, abortedBy, lease, settled, token } = report;
    world.tell(this.name, `ends: ${outcome}${abortedBy ? ` by ${abortedBy}` : ''}, lease ${lease}, token ${token}`);
    const [accepted] = this.#accepted;
    this.#check('S9', !accepted || abortedBy === accepted.abortedBy, () =>
      `${accepted?.abortedBy} was accepted, the report says ${abortedBy}`);
    this.#check('S10', (settled === null) === (this.#starts === 0), () => `settled ${settled}, started ${this.#starts} times`);
    const live = this.server.liveGrantOf(this.session, this.name);
    this.#check('S6', live === null, () => `ended with a live grant, token ${live?.token}, lease reported ${lease}`);
    this.#check('S19', live === null, () => 'done settled before the lock was given back');
    this.#checkLease(report);
  }

  /** The report must not say more than the ledger. */
  #checkLease({ lease, token }: AttemptReport): void {
    const entries = this.server.entriesOf(this.session, this.name);
    const last = entries.at(-1);
    const released = entries.some(({ ended }) => ended?.how === 'released');
    const { now } = this.server.world.time;
    const isOver = !last || last.ended !== null || last.grant.until <= now;
    this.#check('S14', lease !== 'released' || released, () => 'reported released, and the ledger knows of no release');
    this.#check('S14', lease !== 'lost' || isOver, () => 'reported lost, and the grant is live');
    this.#check('S14', token === null || entries.some(({ grant }) => grant.token === token), () =>
      `reported token ${token}, which was never granted to it`);
    this.#check('S6', lease !== 'expired' || isOver, () => 'reported expired, and the grant is live');
  }

  #tearsDown(): boolean {
    return this.#accepted.length > 0 || this.state.startsWith('releasing') || this.report !== null;
  }

  #check(id: string, holds: boolean, what: () => string): void {
    this.server.world.check(id, holds, () => `${this.name}: ${what()}`);
  }
}

const frozen = (report: AttemptReport): string =>
  JSON.stringify({ ...report, error: String(report.error), reason: String(report.reason) });
