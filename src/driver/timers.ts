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
      this.#armed.splice(this.#armed.indexOf(timer), 1);
      target.send(event);
      this.#fired();
    }, ms);
    this.#armed.push(timer);
  }

  cancel(_source: AnyActorRef, id: string): void {
    const at = this.#armed.findIndex((timer) => timer.id === id);
    if (at >= 0) this.#disarm(at);
  }

  cancelAll(): void {
    while (this.#armed.length > 0) this.#disarm(0);
  }

  #disarm(at: number): void {
    const [timer] = this.#armed.splice(at, 1);
    if (timer) this.#clock.clearTimeout(timer.handle);
  }
}
