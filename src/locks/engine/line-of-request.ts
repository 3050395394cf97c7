/**
 * One request's place in line: how long it still waits, what wakes it, and what is left of it when it ends.
 */
import type { Clock } from '../../clock.js';
import type { AcquireRequest } from '../lock-store.js';
import { waitFor } from '../patience.js';
import { POLL_MS, type EngineBusy, type EngineGrant, type LockEngine } from './lock-engine.js';

/** After a lost connection the next look comes soon: servers restart in a second, and we are told of nothing meanwhile. */
const AFTER_FAILURE_MS = 100;

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
    return this.request.waitMs > 0 && this.#clock.now() < this.#until;
  }

  /** Busy, as of now. */
  answered(endsInMs: number): void {
    this.isUnclear = false;
    this.#asked = []; // whatever was asked before has been answered by this: an owner is granted once
    this.#endsInMs = endsInMs;
    if (this.request.waitMs === 0) return;
    this.#inLine = true;
    this.#looks += 1;
    this.#stopListening ??= this.#engine.listen(this.request.session, this.request.owner, () => this.wake());
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
      return () => { this.#woken = null; };
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
    this.#asked = [];
  }

  /** Out of the line. What cannot be told to the engine now is told by our silence: we are not seen any more. */
  leave(): void {
    this.#stopListening?.();
    this.#stopListening = null;
    if (this.#inLine) this.#engine.leave(this.request.session, this.request.owner).catch(() => {});
  }
}
