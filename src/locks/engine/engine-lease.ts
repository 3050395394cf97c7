/**
 * Our hold on a lock in an engine: its end, its renewal, its doubt and its loss. The heartbeat calls `beat()`.
 * Owns: when to ask and what an answer means. Must not know: which engine.
 *
 * The deadline is on our monotonic clock and counted from before the question was sent, the engine's from when it
 * arrived: ours is never the later one (SPEC, assumption A2: the clocks drift by less than 1 %, which `MARGIN` covers).
 */
import { SleepMeter, type Clock } from '../../clock.js';
import { describe } from '../../errors.js';
import { refuses } from '../asking.js';
import type { HolderInfo, Lease, LeaseNotice, ReleaseAnswer } from '../lock-store.js';
import { Notices } from '../notices.js';
import { within } from './within.js';
import type { Asking } from './line-of-request.js';
import type { EngineClaim, LockEngine } from './lock-engine.js';

export interface EngineLeaseParts {
  readonly engine: LockEngine;
  readonly session: string;
  readonly owner: string;
  readonly info: HolderInfo;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** The longest an answer is waited for, milliseconds. */
  readonly askMs: number;
  /** The lease is over, one way or the other. */
  readonly ended: (lease: EngineLease) => void;
}

/** The share of a lease that two clocks may drift apart while it lasts. */
const MARGIN = 0.01;

/**
 * For how much of a lease a doubtful one is revived before it counts as lost. Counted from when the doubt was noticed, a
 * beat or less (a sixth) after the end, so that a process that stood still for long asks before it gives up.
 */
const PATIENCE = 5 / 6;

/** What is no whole lease yet is renewed so soon, milliseconds; who gives it back before pays nothing for that. */
const FIRST_RENEWAL_MS = 50;

/** A lease held so long listens for what it is asked, milliseconds: shorter attempts pay nothing for that. */
const LISTEN_AFTER_MS = 500;

export class EngineLease implements Lease {
  readonly owner: string;
  readonly since: number;
  readonly #parts: EngineLeaseParts;
  readonly #notices = new Notices();
  #token: number;
  #sleep: SleepMeter;
  #renewedAt: number;
  #deadline: number;
  #phase: 'held' | 'releasing' | 'over' = 'held';
  #inFlight: Promise<void> | null = null;
  /** When we noticed that it has ended by our clock; null while it has not. */
  #doubtedAt: number | null = null;
  /** A release was asked for and could not be answered. */
  #unanswered = false;
  #lastError: unknown = null;
  readonly #grantedAt: number;
  #heard: readonly LeaseNotice['type'][] = [];
  #stopListening: (() => void) | null = null;
  /** It is to be renewed before it is time: somebody rang. */
  #hurry = false;
  #firstRenewal: unknown = null;

  /**
   * @param asking the request it answers, or one before that
   * @param lastsMs how long it lasts from there on, milliseconds; less than a lease is renewed soon
   */
  constructor(parts: EngineLeaseParts, token: number, asking: Asking, lastsMs = parts.leaseMs) {
    this.#parts = parts;
    this.owner = parts.owner;
    this.since = parts.clock.wallNow();
    this.#grantedAt = parts.clock.now();
    this.#token = token;
    this.#sleep = asking.sleep;
    this.#renewedAt = asking.at;
    this.#deadline = asking.at + lastsMs * (1 - MARGIN);
    if (lastsMs >= parts.leaseMs) return;
    this.#renewedAt = -Infinity; // due with every beat until it is a whole lease
    this.#firstRenewal = parts.clock.setTimeout(() => this.beat(), FIRST_RENEWAL_MS, 'background');
  }

  get token(): number {
    return this.#token;
  }

  /** The key, as it was asked for. */
  get session(): string {
    return this.#parts.session;
  }

  get info(): HolderInfo {
    return this.#parts.info;
  }

  get deadline(): number {
    return this.#deadline;
  }

  /** When it ends, on our wall clock, if nobody renews it. */
  get until(): number {
    return this.#parts.clock.wallNow() + this.#deadline - this.#parts.clock.now();
  }

  onNotice(fn: (notice: LeaseNotice) => void): () => void {
    return this.#notices.listen(fn);
  }

  /** The last step of a grant: a token above what the session's records carry. False: it is not ours any more. */
  async raise(floor: number): Promise<boolean> {
    const { engine, clock, askMs } = this.#parts;
    while (this.#inFlight !== null) await this.#inFlight; // rung meanwhile, one is followed by another
    if (this.#phase !== 'held') return false;
    // Until it is answered nothing is renewed: a renewal by the old token would be told that it is lost.
    const asked = within(clock, askMs, engine.raise(this.#claim, floor));
    this.#inFlight = asked.then(() => {}, () => {});
    try {
      const token = await asked;
      if (token !== null) this.#token = token;
      return token !== null && this.#phase === 'held';
    } finally {
      this.#inFlight = null;
    }
  }

  /** One beat of the heart: renews when it is time, revives when in doubt, learns of a loss. */
  beat(): void {
    const { clock, leaseMs } = this.#parts;
    const now = clock.now() + this.#sleep.slept();
    if (this.#phase === 'releasing' && now >= this.#deadline) return this.#over(); // its end gives it back
    if (this.#phase !== 'held') return;
    if (now >= this.#deadline && this.#doubtedAt === null) {
      this.#doubtedAt = now;
      this.#notices.tell({ type: 'inDoubt' });
    }
    if (this.#doubtedAt !== null && now >= this.#doubtedAt + leaseMs * PATIENCE) {
      const why = this.#lastError === null ? 'no answer' : describe(this.#lastError);
      return this.#lose(`it could not be renewed for ${leaseMs} ms after its end (${why})`);
    }
    if (this.#inFlight === null && (this.#hurry || now - this.#renewedAt >= leaseMs / 3)) {
      this.#hurry = false;
      this.#inFlight = this.#renew();
    }
    this.#listen();
  }

  /** It is asked to end. False: it refuses, or it is being given back anyway. */
  hear(notice: LeaseNotice): boolean {
    if (this.#phase !== 'held' || (notice.type === 'superseded' && refuses(this.info, 'superseded'))) return false;
    if (!this.#heard.includes(notice.type)) {
      this.#heard = [...this.#heard, notice.type];
      this.#notices.tell(notice);
    }
    return true;
  }

  /**
   * The first beat that finds it old enough begins to listen, and the next one looks for what was asked before that.
   * From then on a ring is enough; and every renewal looks.
   */
  #listen(): void {
    const { engine, session, clock } = this.#parts;
    if (this.#stopListening !== null || clock.now() - this.#grantedAt < LISTEN_AFTER_MS) return;
    this.#stopListening = engine.listen(session, this.owner, () => {
      this.#hurry = true;
      this.beat();
    });
    this.#hurry = true;
  }

  /** Asks for a renewal. Resolves when it is time to ask again: an answer, or the bound; a late answer still counts. */
  #renew(): Promise<void> {
    const { engine, clock, leaseMs, askMs, info } = this.#parts;
    const askedAt = clock.now();
    const sleep = new SleepMeter(clock); // begun before it is sent: a sleep from there on must be noticed
    const claim = this.#claim;
    const asked = engine.renew(claim, leaseMs, info).then(
      (asked) => this.#renewed(asked, claim.token, askedAt, sleep),
      (error: unknown) => { this.#lastError = error; }, // unknown is not lost: asked again at the next beat
    );
    const over = (): void => {
      this.#inFlight = null;
      if (this.#hurry && this.#lastError === null) this.beat(); // rung meanwhile: that answer may have been too early
    };
    return within(clock, Math.min(askMs, leaseMs / 3), asked).then(over, over);
  }

  #renewed(asked: readonly LeaseNotice[] | null, token: number, askedAt: number, sleep: SleepMeter): void {
    if (this.#phase !== 'held' || token !== this.#token) return; // asked by a token that has been raised since
    if (asked === null) return this.#lose('another owner has been granted it, or it was taken away by force');
    if (askedAt < this.#renewedAt) return; // a later question has been answered before
    this.#sleep = sleep;
    this.#renewedAt = askedAt;
    this.#deadline = askedAt + this.#parts.leaseMs * (1 - MARGIN);
    this.#doubtedAt = null;
    this.#lastError = null;
    for (const notice of asked) this.hear(notice);
  }

  /** Renewal stops in this very tick; one in flight is joined first. */
  async release(): Promise<ReleaseAnswer> {
    if (this.#phase === 'over' && !this.#unanswered) return 'notHeld';
    if (this.#phase === 'held') this.#phase = 'releasing';
    const { engine, clock, askMs } = this.#parts;
    await this.#inFlight;
    try {
      const answer = await within(clock, askMs, engine.release(this.#claim));
      this.#unanswered = false;
      this.#over();
      // `already` is the answer to the same question again: by us, or by a client that resends what was cut off.
      return answer === 'notHeld' ? 'notHeld' : 'released';
    } catch {
      this.#unanswered = true; // whoever asked asks again; the error says nothing about who holds it
      return 'unknown';
    }
  }

  /** Nobody asks for its release any more: it was given back by owner, or it ends by itself. */
  givenUp(): void {
    this.#over();
  }

  /** Somebody proved the right to take it. */
  takenByForce(reason: string): void {
    if (this.#phase === 'held') this.#lose(reason);
  }

  get #claim(): EngineClaim {
    return { session: this.#parts.session, owner: this.owner, token: this.#token };
  }

  #lose(reason: string): void {
    this.#over();
    this.#notices.tell({ type: 'lost', reason: `${this.#parts.session}: ${reason}` });
  }

  #over(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#deadline = -Infinity;
    this.#stopListening?.();
    this.#parts.clock.clearTimeout(this.#firstRenewal);
    this.#parts.ended(this);
  }
}
