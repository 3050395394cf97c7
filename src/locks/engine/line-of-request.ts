/**
 * One request's place in line: how long it still waits, what wakes it, and what is left of it when it ends.
 */
import { SleepMeter, type Clock } from '../../clock.js';
import type { AcquireRequest } from '../lock-store.js';
import { waitFor } from '../patience.js';
import { ALIVE_MS, POLL_MS, type EngineBusy, type EngineGrant, type EngineOffer, type LockEngine } from './lock-engine.js';
import { within } from './within.js';

/** After a lost connection the next look comes soon: servers restart in a second, and we are told of nothing meanwhile. */
const AFTER_FAILURE_MS = 100;

/** How long the engine is waited for when we leave, milliseconds. */
const LEAVE_MS = 500;

/** An offer with less than this left is not taken, milliseconds: the engine is asked, which answers with a whole lease. */
const LEAST_LEFT_MS = 200;

/** When a question was asked: what the engine counts from its arrival we count from here. */
export interface Asking {
  /** Monotonic. */
  readonly at: number;
  readonly sleep: SleepMeter;
}

export class Line {
  readonly request: AcquireRequest;
  /** A question of ours went unanswered: it may have been granted. */
  isUnclear = false;
  readonly #engine: LockEngine;
  readonly #clock: Clock;
  readonly #until: number;
  #asked: Promise<EngineGrant | EngineBusy>[] = [];
  #inLine = false;
  #looks = 0;
  #endsInMs = Infinity;
  #lastToken = 0;
  /** The last question that was answered: that one has surely reached the engine. */
  #seen: Asking | null = null;
  #offer: EngineOffer | null = null;
  #rung = false;
  #woken: (() => void) | null = null;
  #stopListening: (() => void) | null = null;

  constructor(request: AcquireRequest, engine: LockEngine, clock: Clock) {
    this.request = request;
    this.#engine = engine;
    this.#clock = clock;
    this.#until = clock.now() + request.waitMs;
  }

  /** Has the engine answered us once, so that it knows that we wait? */
  get isInLine(): boolean {
    return this.#inLine;
  }

  isPatient(): boolean {
    return this.#clock.now() < this.#until;
  }

  /** When a question is asked that begins now. */
  asking(): Asking {
    return { at: this.#clock.now(), sleep: new SleepMeter(this.#clock) };
  }

  /** Busy, as of now. */
  answered({ endsInMs, token }: EngineBusy, asking: Asking): void {
    this.isUnclear = false;
    this.#seen = asking;
    this.#lastToken = token;
    this.#asked = []; // whatever was asked before has been answered by this: an owner is granted once
    this.#endsInMs = endsInMs;
    if (this.request.waitMs === 0) return;
    this.#inLine = true;
    this.#looks += 1;
    this.#stopListening ??= this.#engine.listen(this.request.session, this.request.owner, (offer) => {
      this.#offer = offer ?? this.#offer;
      this.wake();
    });
  }

  /**
   * What has been granted to us while we waited; null: nothing, or nothing to rely on, and the engine has to be asked.
   *
   * It lasts `ALIVE_MS` from when it was granted, which was after our last look had been answered: so we count from when
   * that look was asked, which is earlier. One with a token that this look has already seen was over by then.
   */
  offered(): { readonly grant: EngineGrant; readonly lastsMs: number; readonly asking: Asking } | null {
    const [offer, seen] = [this.#offer, this.#seen];
    this.#offer = null;
    if (offer === null || seen === null || offer.token <= this.#lastToken) return null;
    if (seen.at + ALIVE_MS - this.#clock.now() - seen.sleep.slept() < LEAST_LEFT_MS) return null;
    return { grant: { status: 'granted', ...offer, isNew: false }, lastsMs: ALIVE_MS, asking: seen };
  }

  /** Look again: it may be our turn, or nobody wants us any more. */
  wake(): void {
    this.#rung = true;
    this.#woken?.();
  }

  /** Until something happens or it is time to look again. */
  async wait(failed: boolean): Promise<void> {
    const look = this.#looks === 1 ? this.#engine.firstLookMs : POLL_MS;
    const poll = failed ? AFTER_FAILURE_MS : Math.min(look, POLL_MS);
    // A lease ends on the engine's clock; a millisecond later it has surely ended there.
    const ms = Math.max(0, Math.min(poll, this.#endsInMs + 1, this.#until - this.#clock.now()));
    await waitFor(this.#clock, ms, this.request.signal, (woken) => {
      this.#woken = woken;
      if (this.#rung) woken();
      return () => {};
    });
    this.#rung = false;
  }

  /** @returns what the promise gives; `left` once nobody wants the lock any more, whatever becomes of it */
  async orLeft<T>(promise: Promise<T>): Promise<T | 'left'> {
    const how = await waitFor(this.#clock, Infinity, this.request.signal, (woken) => {
      promise.then(woken, woken);
      return () => {};
    });
    if (how !== 'cancelled') return promise;
    promise.catch(() => {});
    return 'left';
  }

  remember(asked: Promise<EngineGrant | EngineBusy>): void {
    this.#asked.push(asked);
    asked.catch(() => {}); // it may be answered when nobody listens any more
  }

  /** We hold it: the engine has taken us out of the line. */
  served(): void {
    this.#inLine = false;
  }

  /** Nobody waits for the answers still on their way: a grant among them is given back, or ends with its lease. */
  giveBackLate(): void {
    const { session, owner } = this.request;
    for (const asked of this.#asked) {
      asked.then((answer) => {
        if (answer.status === 'granted') return this.#engine.release({ session, owner, token: answer.token });
        return undefined;
      }).catch(() => {}); // neither could be told: whoever asked knows that nobody knows, and asks by owner
    }
  }

  /**
   * Out of the line. The engine is to know before our end is told: it grants to whoever is in line. What cannot be told
   * soon is told by our silence: we are not seen any more, and what we were granted ends by itself.
   */
  async leave(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = null;
    if (!this.#inLine) return;
    const left = this.#engine.leave(this.request.session, this.request.owner);
    await within(this.#clock, LEAVE_MS, left).catch(() => {});
  }
}
