/**
 * The timers of one machine, on our clock. XState would keep them under keys no other machine has, in objects made for
 * each: with eight timers an attempt that was a tenth of what an attempt in memory costs. A handful is searched as fast.
 * Owns: which are armed. Must not know: what a timer means.
 */
import type { AnyActorRef, EventObject } from 'xstate';
import type { Clock } from '../clock.js';

type Scheduler = AnyActorRef['system']['scheduler'];

interface Timer {
  readonly id: string | undefined;
  handle: unknown;
}

export class Timers implements Scheduler {
  readonly #clock: Clock;
  readonly #fired: () => void;
  readonly #armed: Timer[] = [];

  /** @param fired called after the machine has heard a timer's event */
  constructor(clock: Clock, fired: () => void) {
    this.#clock = clock;
    this.#fired = fired;
  }

  /** A limit of Infinity is no timer at all (XState would fire it at once). */
  schedule(_source: AnyActorRef, target: AnyActorRef, event: EventObject, ms: number, id: string | undefined): void {
    if (ms === Infinity) return;
    const timer: Timer = { id, handle: null };
    timer.handle = this.#clock.setTimeout(() => {
      this.#forget(timer);
      target.send(event);
      this.#fired();
    }, ms);
    this.#armed.push(timer);
  }

  cancel(_source: AnyActorRef, id: string): void {
    const timer = this.#armed.find((one) => one.id === id);
    if (timer) this.#disarm(timer);
  }

  cancelAll(): void {
    for (const timer of this.#armed.slice()) this.#disarm(timer);
  }

  #disarm(timer: Timer): void {
    this.#forget(timer);
    this.#clock.clearTimeout(timer.handle);
  }

  #forget(timer: Timer): void {
    this.#armed.splice(this.#armed.indexOf(timer), 1);
  }
}
