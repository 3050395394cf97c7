/**
 * Time that tests own: one world time, and for each simulated process a `Clock` of its own on it.
 * Owns: timers and their order (due time, then order of arming). Must not know: what is timed.
 */
import type { Clock } from '../clock.js';

interface WorldTimer { readonly at: number; readonly order: number; readonly fn: () => void }

/** Every microtask and `process.nextTick` that is due has run when this resolves. */
export const microtasksDone = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

/** The time of the whole world, in milliseconds. It moves only by running timers. */
export class VirtualTime {
  #now = 0;
  #order = 0;
  /** Sorted: the next one last. */
  readonly #timers: WorldTimer[] = [];

  get now(): number { return this.#now; }

  /** Timers armed, all processes together. */
  get armed(): number { return this.#timers.length; }

  /** When the next timer is due; Infinity if none is armed. */
  get nextAt(): number { return this.#timers.at(-1)?.at ?? Infinity; }

  /** Calls `fn` at a moment of world time (now, if that is past). Returns a handle for `cancel`. */
  at(at: number, fn: () => void): unknown {
    this.#order += 1;
    const timer = { at: Math.max(at, this.#now), order: this.#order, fn };
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#timers[middle] as WorldTimer).at > timer.at) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return timer;
  }

  cancel(handle: unknown): void {
    const index = this.#timers.indexOf(handle as WorldTimer);
    if (index >= 0) this.#timers.splice(index, 1);
  }

  /** Moves to the next timer and runs it. False if none is armed. */
  step(): boolean {
    const next = this.#timers.pop();
    if (!next) return false;
    this.#now = next.at;
    next.fn();
    return true;
  }

  /** Runs every timer due within `ms`, and what they cause, microtasks included. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await microtasksDone();
    while (this.nextAt <= until) {
      this.step();
      await microtasksDone();
    }
    this.#now = until;
  }
}

interface Timer { readonly fn: () => void; readonly due: number; handle: unknown }

/** A standstill: asleep (the monotonic clock stands still, as on a suspended Linux) or blocked (it goes on). */
export type Standstill = 'asleep' | 'blocked';

/** One process's clocks and timers. */
export class VirtualClock implements Clock {
  readonly time: VirtualTime;
  readonly #timers = new Set<Timer>();
  #standing: { readonly kind: Standstill; readonly since: number } | null = null;
  #held: (() => void)[] = [];
  #slept = 0;
  #wallStep = 0;

  constructor(time: VirtualTime = new VirtualTime()) {
    this.time = time;
  }

  now(): number {
    const asleep = this.#standing?.kind === 'asleep' ? this.time.now - this.#standing.since : 0;
    return this.time.now - this.#slept - asleep;
  }
  wallNow(): number { return 1_700_000_000_000 + this.time.now + this.#wallStep; }
  sleeplessNow(): number { return this.time.now; }

  /** Timers of this process that are armed. */
  get armed(): number { return this.#timers.size; }
  get stands(): boolean { return this.#standing !== null; }
  get isAsleep(): boolean { return this.#standing?.kind === 'asleep'; }

  setTimeout(fn: () => void, ms: number): unknown {
    if (!(ms >= 0 && ms < 2 ** 31)) throw new RangeError(`a timer of ${ms} ms cannot be kept`);
    const timer: Timer = { fn, due: this.now() + ms, handle: null };
    this.#timers.add(timer);
    this.#arm(timer);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    if (this.#timers.delete(handle as Timer)) this.time.cancel((handle as Timer).handle);
  }

  /** Moves the world's time: see {@link VirtualTime.advance}. */
  advance(ms: number): Promise<void> {
    return this.time.advance(ms);
  }

  /** Moves the world's time to the next timer and runs it. False if none is armed. */
  async toNextTimer(): Promise<boolean> {
    if (this.time.nextAt === Infinity) return false;
    await this.time.advance(this.time.nextAt - this.time.now);
    return true;
  }

  /** Resolves after so much of this process's time. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => { this.setTimeout(resolve, ms); });
  }

  /** The process stops acting: nothing of it runs until `goOn`. */
  standStill(kind: Standstill): void {
    this.#standing ??= { kind, since: this.time.now };
  }

  /** It goes on: what was delivered meanwhile is delivered now, its timers follow. */
  goOn(): void {
    if (!this.#standing) return;
    if (this.#standing.kind === 'asleep') this.#slept += this.time.now - this.#standing.since;
    this.#standing = null;
    const held = this.#held;
    this.#held = [];
    for (const fn of held) this.time.at(this.time.now, () => this.deliver(fn));
    for (const timer of this.#timers) {
      this.time.cancel(timer.handle);
      this.#arm(timer);
    }
  }

  /** Something arrives from outside: now, or when the process goes on. */
  deliver(fn: () => void): void {
    if (this.#standing) this.#held.push(fn);
    else fn();
  }

  stepWall(ms: number): void { this.#wallStep += ms; }

  #arm(timer: Timer): void {
    timer.handle = this.time.at(this.time.now + Math.max(0, timer.due - this.now()), () => {
      if (this.#standing) return; // armed again by goOn
      this.#timers.delete(timer);
      timer.fn();
    });
  }
}
