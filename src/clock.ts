/**
 * Time, as a port: everything that waits or asks the time does so through here, so that tests own it.
 */
import { uptime } from 'node:os';

export interface Clock {
  /** Monotonic milliseconds since some fixed moment. May stand still while the machine sleeps. */
  now(): number;
  /** Wall clock, milliseconds since 1970. May step. */
  wallNow(): number;
  /**
   * Milliseconds on a clock that goes on while the machine sleeps, since some fixed moment. Only differences of it
   * against differences of `now()` are used, to notice a sleep.
   */
  sleeplessNow(): number;
  /**
   * Calls `fn` once after `ms` (0 to 2^31-1). Returns a handle for `clearTimeout`.
   * A timer in the `background` does not keep the process alive.
   */
  setTimeout(fn: () => void, ms: number, keep?: 'background'): unknown;
  clearTimeout(handle: unknown): void;
}

/** Uptime has a resolution of 10 ms at best (Linux: CLOCK_BOOTTIME); anything smaller than this is no sleep. */
const UPTIME_NOISE_MS = 1_000;

/** A look this young still holds, if the wall clock has moved since as the monotonic one did, up to this difference. */
const FRESH_MS = 50;
const ALIKE_MS = 20;

/** The system's clocks: `performance.now`, `Date.now`, `os.uptime` and timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  sleeplessNow: () => uptime() * 1_000,
  setTimeout: (fn, ms, keep) => {
    const timer = setTimeout(fn, ms);
    if (keep === 'background') timer.unref();
    return timer;
  },
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/**
 * All that a machine has slept since we first looked, by one clock.
 *
 * It is asked at every write, and `os.uptime` (which reads a file) costs more than the write: so within 50 ms of a look
 * the wall clock, which costs next to nothing, answers instead. Only a step back that hides a sleep to within 20 ms, in
 * those 50 ms, goes unnoticed; the token remains the protection.
 */
class SleepWatch {
  readonly #clock: Clock;
  readonly #apart: number;
  #lookNow = 0;
  #lookWall = 0;
  #slept = 0;
  #sleptAtRise = 0;
  #risenAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#apart = clock.sleeplessNow() - clock.now();
    this.#looked(clock.now());
  }

  /** Milliseconds slept so far, with the clocks' noise. */
  total(): number {
    const now = this.#clock.now();
    const passed = now - this.#lookNow;
    const isFresh = passed < FRESH_MS && Math.abs(this.#clock.wallNow() - this.#lookWall - passed) < ALIKE_MS;
    if (!isFresh) {
      this.#slept = this.#clock.sleeplessNow() - now - this.#apart;
      this.#looked(now);
      if (this.#slept - this.#sleptAtRise > UPTIME_NOISE_MS) {
        this.#sleptAtRise = this.#slept;
        this.#risenAt = now;
      }
    }
    return this.#slept;
  }

  /** When the last sleep was noticed, on the monotonic clock: it ended no later. */
  get risenAt(): number {
    return this.#risenAt;
  }

  #looked(now: number): void {
    this.#lookNow = now;
    this.#lookWall = this.#clock.wallNow();
  }
}

const watches = new WeakMap<Clock, SleepWatch>();

function watchOf(clock: Clock): SleepWatch {
  const known = watches.get(clock);
  if (known) return known;
  const made = new SleepWatch(clock);
  watches.set(clock, made);
  return made;
}

/**
 * Notices that the machine has slept: Node's monotonic clocks stand still while Linux is suspended, a lease in
 * somebody else's eyes does not. Linux answers by its boot-time clock; where `os.uptime` stands still too, nothing
 * is noticed and the token remains the protection.
 */
export class SleepMeter {
  readonly #watch: SleepWatch;
  #marked: number;

  constructor(clock: Clock) {
    this.#watch = watchOf(clock);
    this.#marked = this.#watch.total();
  }

  /** Start counting from here. */
  mark(): void {
    this.#marked = this.#watch.total();
  }

  /**
   * Has nothing been slept since that moment of the monotonic clock? True only if a look has told: a sleep noticed by
   * the first look after the moment may lie before or after it.
   */
  isAwakeSince(moment: number): boolean {
    this.#watch.total();
    return this.#watch.risenAt < moment;
  }

  /** Milliseconds slept since the last mark; 0 for anything the clocks' noise can explain. */
  slept(): number {
    const slept = this.#watch.total() - this.#marked;
    return slept > UPTIME_NOISE_MS ? slept : 0;
  }
}
