/**
 * Our hold on a file lock: its end, its renewal, its doubt and its loss. The heartbeat calls `beat()`.
 */
import { SleepMeter, type Clock } from '../../clock.js';
import type { KeptReport } from '../../kept-report.js';
import type { HolderInfo, Lease, LeaseNotice, ReleaseAnswer, Staging } from '../lock-store.js';
import { refuses } from '../asking.js';
import { Notices } from '../notices.js';
import { codeOf } from './errno.js';
import { Ear } from './ear.js';
import { keepReport } from './last-reports.js';
import { takeAwayUnlessTaken } from './left-open.js';
import type { OwnLock } from './lock-directory.js';
import type { OwnerRecord } from './owner-entry.js';
import type { Places } from './session-path.js';
import { stagingPath } from './staging-path.js';

/** What proper-lockfile knows of: it outlives a lease that is passed on within the process. */
export interface Hold {
  own: OwnLock;
  /** Gives the lock back through proper-lockfile, which forgets it whatever happens. False: it was not ours. */
  readonly unlock: () => boolean;
}

export interface FileLeaseParts {
  readonly own: OwnLock;
  readonly hold: Hold;
  readonly owner: string;
  readonly info: HolderInfo;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly renewMs: number;
  /** Given back to somebody next in this process instead. False: nobody is. */
  readonly passOn: (lease: FileLease) => boolean;
  /** Does anybody wait for it, in any process? */
  readonly isAwaited: () => boolean;
  /** So often in a row it has been passed on within this process, past others that wait. */
  readonly passed: number;
  /** Was one of those that were passed on to it to be given back to all? */
  readonly isOwedToAll: boolean;
  /** The record to show to those who wait, as of now. */
  readonly record: () => OwnerRecord;
  /** The lease is over, one way or the other. */
  readonly ended: (lease: FileLease) => void;
}

/** With every so many renewals what is told of a holder is told again, changed or not. */
const TOLD_AGAIN = 10;

/**
 * A grant with a token that is a multiple of this, or the last of those that it was passed on to, is given back by taking
 * the lock away, whoever waits: plain proper-lockfile users, who see nothing but the directory, have their chance then.
 */
const GIVEN_TO_ALL = 8;

export class FileLease implements Lease {
  readonly owner: string;
  readonly staging: Staging = { path: () => stagingPath(this.#parts.own), confirm: () => this.#isHeld() };
  readonly #parts: FileLeaseParts;
  readonly #notices = new Notices();
  readonly #ear: Ear;
  #sleep: SleepMeter;
  #deadline: number;
  #renewedAt: number;
  #shown: string;
  /** The facts others were last told of; unknown until the first renewal. */
  #facts = '';
  #renewals = 0;
  #phase: 'held' | 'releasing' | 'over' = 'held';
  #unlocked = false;
  /** Others may wait: worth a look when it is given back. */
  #mayBeAwaited = false;
  /** A release was asked for and could not be answered. */
  #unanswered = false;
  #doubted = false;
  #onEnd: () => void = () => {};

  /** @param renewedAt monotonic, taken before the owner file was put in place */
  constructor(parts: FileLeaseParts, renewedAt: number) {
    this.#parts = parts;
    this.owner = parts.owner;
    this.#sleep = new SleepMeter(parts.clock);
    this.#renewedAt = renewedAt;
    this.#deadline = renewedAt + parts.leaseMs;
    this.#shown = this.#stateShown();
    this.#ear = new Ear(parts.own.places.room, () => this.token, (notice) => void this.hear(notice), () => this.expectLine());
  }

  get token(): number {
    return this.#parts.own.name.token;
  }

  get isOwedToAll(): boolean {
    return this.#parts.isOwedToAll || this.token % GIVEN_TO_ALL === 0;
  }

  get places(): Places { return this.#parts.own.places; }
  get passed(): number { return this.#parts.passed; }
  get hold(): Hold { return this.#parts.hold; }
  get session(): string { return this.places.session; }
  get info(): HolderInfo { return this.#parts.info; }
  get until(): number { return this.#parts.own.name.until; }
  get deadline(): number { return this.#deadline; }

  onNotice(fn: (notice: LeaseNotice) => void): () => void {
    return this.#notices.listen(fn);
  }

  /** Calls `fn` once when the lease is over, one way or the other. */
  onEnd(fn: () => void): void {
    if (this.#phase === 'over') fn();
    else this.#onEnd = fn;
  }

  /** The last step of a grant: states the token and starts the lease anew. False: the lock has been lost meanwhile. */
  confirm(token: number): boolean {
    return this.#phase === 'held' && this.#renew(token);
  }

  /** Others wait, or did: who gives it back looks for them. Those alone pay for that. */
  expectLine(): void {
    this.#mayBeAwaited = true;
  }

  /** One beat of the heart: renews when it is time, revives when in doubt, tells a changed state. */
  beat(): void {
    const now = this.#parts.clock.now() + this.#sleep.slept();
    if (this.#phase === 'releasing' && now >= this.#deadline) return this.#over(); // its end gives it back
    if (this.#phase !== 'held') return;
    if (now >= this.#deadline && !this.#doubted) {
      this.#doubted = true;
      this.#notices.tell({ type: 'inDoubt' });
      if (!this.#isOurs()) return; // whoever was told has given it back
    }
    try {
      const due = now - this.#renewedAt >= this.#parts.renewMs;
      if (due && !this.#renew()) return this.#lose('another owner has taken it over, or it was taken away (unlock)');
      this.#tell(due);
      if (due || !this.#ear.isWatching) this.#ear.listen();
    } catch (error) {
      // Unknown is not lost: asked again at the next beat, until a lease after the deadline it is a loss.
      if (now >= this.#deadline + this.#parts.leaseMs) {
        const why = codeOf(error) ?? error;
        this.#lose(`its owner file could not be renewed for ${this.#parts.leaseMs} ms after its end (${why})`);
      }
    }
  }

  keepReport(report: KeptReport): void {
    keepReport(this.#parts.own.places.room, report);
  }

  /** Async only by contract: renewal stops, and the lock is given back, within this very call. */
  release(): Promise<ReleaseAnswer> {
    this.#ear.lastLook(); // first: whoever is told something there may give it back
    if (this.#phase === 'over' && !this.#unanswered) return Promise.resolve('notHeld');
    if (this.#phase === 'held') this.#phase = 'releasing';
    let removed: boolean;
    try {
      removed = this.#passOn() || this.#remove();
    } catch {
      this.#unanswered = true;
      return Promise.resolve('unknown'); // the native error says nothing about who holds it; we ask again
    }
    this.#unanswered = false;
    this.#over();
    return Promise.resolve(removed ? 'released' : 'notHeld');
  }

  /** It is asked to end. False: it refuses, or it is being given back anyway. */
  hear(notice: LeaseNotice): boolean {
    if (this.#phase !== 'held' || (notice.type === 'superseded' && refuses(this.info, 'superseded'))) return false;
    this.#notices.tell(notice);
    return true;
  }

  /** Somebody proved the right to take it. */
  takenByForce(reason: string): void {
    if (this.#phase === 'held') this.#lose(reason);
  }

  #passOn(): boolean {
    if (this.#unlocked) return false;
    try {
      this.#unlocked = this.#parts.passOn(this); // what proper-lockfile knows of is the successor's then
    } catch { /* no token to be had: given back to all, whose next holder meets the same trouble and tells it */ }
    return this.#unlocked;
  }

  /** proper-lockfile asks for the removal once and then forgets; what it could not do is asked of our own side. */
  #remove(): boolean {
    if (this.#mayBeAwaited && !this.isOwedToAll) this.#leaveOpen();
    if (this.#unlocked) return this.#parts.hold.own.remove();
    this.#unlocked = true;
    return this.#parts.hold.unlock();
  }

  #leaveOpen(): void {
    const { hold: { own }, isAwaited, clock } = this.#parts;
    const entry = own.leaveOpen(isAwaited);
    if (entry !== null) takeAwayUnlessTaken(this.places, entry, clock);
  }

  #renew(token?: number): boolean {
    const { own, clock, leaseMs } = this.#parts;
    const sleep = new SleepMeter(clock); // first: a sleep from here on must be noticed
    const before = clock.now();
    if (!own.renew(clock.wallNow() + leaseMs, token)) return false;
    this.#sleep = sleep;
    this.#renewedAt = before;
    this.#deadline = before + leaseMs;
    this.#doubted = false;
    return true;
  }

  /** A changed state is told with the next beat, and with a renewal what else may have moved. */
  #tell(due: boolean): void {
    const shown = this.#stateShown();
    if (!due && shown === this.#shown) return;
    const record = this.#parts.record();
    const { progressAt, unsettled, loopDelayMs } = record.facts ?? {};
    const facts = `${progressAt} ${unsettled} ${loopDelayMs}`;
    this.#renewals += due ? 1 : 0;
    // And told again now and then: a zombie that was stopped while it told may have written over it.
    if (shown === this.#shown && facts === this.#facts && this.#renewals % TOLD_AGAIN !== 0) return;
    if (!this.#parts.own.retell(record)) return;
    this.#shown = shown;
    this.#facts = facts;
  }

  #lose(reason: string): void {
    this.#over();
    this.#notices.tell({ type: 'lost', reason: `${this.session}.lock: ${reason}` });
  }

  #over(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#deadline = -Infinity;
    this.#ear.close();
    this.#parts.ended(this);
    this.#onEnd();
    if (this.#unlocked) return;
    this.#unlocked = true;
    try {
      this.#parts.hold.unlock(); // proper-lockfile forgets; what it removes goes by our owner file, which is not there
    } catch { /* the disk is in trouble: that is why it is lost, and there is nothing of ours left to give back */ }
  }

  #isOurs(): boolean { return this.#phase === 'held'; }

  #isHeld(): boolean { return this.#isOurs() && this.#parts.own.isThere(); }

  #stateShown(): string {
    return `${this.#parts.info.state}\n${this.#parts.info.note ?? ''}`;
  }
}
