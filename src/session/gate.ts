/**
 * May a write begin now? Asked in the same tick as the write.
 *
 * Owns: the verdict, and noticing that the machine has slept. Must not know: what is written, or where.
 */
import { SleepMeter, type Clock } from '../clock.js';

/**
 * - `open`: the attempt is in a state that writes, and the lease is ours
 * - `closed`: that state has been left; it does not come back
 * - `yielded`: the lock has been given up for a window of the work, and is not back yet
 * - `lost`: the lease is known to be gone
 * - `doubt`: the lease's deadline has passed, as far as the clocks can tell, and nobody is known to have
 *   taken it
 */
export type GateVerdict = 'open' | 'closed' | 'yielded' | 'lost' | 'doubt';

/** What may be doubted: read at every question, since `deadline` moves as the lease is renewed. */
export interface DoubtableLease {
  /** Monotonic milliseconds. Infinity: a lock without leases that end. */
  readonly deadline: number;
}

/** Is a lease past its deadline, as far as the clocks can tell, the time the machine has slept included? */
export class LeaseCertainty {
  readonly #lease: DoubtableLease;
  readonly #clock: Clock;
  readonly #meter: SleepMeter;
  #deadline: number;
  /** Slept before the meter's mark, but perhaps after the renewal that set the deadline. */
  #sleptBefore = 0;

  /**
   * Make one for the whole life of a lease.
   * @param meter marked before the moment the lease is counted from, for what was slept before the mark goes
   *   unnoticed. Default: marked now
   */
  constructor(lease: DoubtableLease, clock: Clock, meter: SleepMeter = new SleepMeter(clock)) {
    this.#lease = lease;
    this.#clock = clock;
    this.#meter = meter;
    this.#deadline = lease.deadline;
  }

  isInDoubt(): boolean {
    const { deadline } = this.#lease;
    if (deadline === Infinity) return false; // nothing ends by itself, so there is nothing to sleep through
    return this.#clock.now() + this.#sleptSinceRenewal(deadline) >= deadline;
  }

  /**
   * A deadline that has moved since we last looked was set by a renewal before or after the sleep that shows
   * now: nobody can tell which. So that sleep goes on counting until the deadline moves once more; then it
   * surely lies before the renewal. At worst a lease that is ours is doubted until it is next renewed.
   */
  #sleptSinceRenewal(deadline: number): number {
    const slept = this.#meter.slept();
    if (deadline !== this.#deadline) {
      this.#deadline = deadline;
      this.#sleptBefore = slept;
      this.#meter.mark();
      return slept;
    }
    return this.#sleptBefore + slept;
  }
}

export interface GateInputs {
  /**
   * Is the attempt in the state this writer belongs to? `running` for the work's, `cleaning` for the
   * cleanup's.
   */
  isOpen(): boolean;
  /** Has the work given the lock up for a while? Absent where it cannot. */
  isYielded?(): boolean;
  /** Has the lease been reported lost? */
  isLost(): boolean;
  /** Shared by all gates of one lease, since it remembers what was slept. Read at every question, as is `token`. */
  readonly certainty: LeaseCertainty;
  /** For messages; null where there is none. */
  readonly token: number | null;
}

export class WriteGate {
  readonly #inputs: GateInputs;

  constructor(inputs: GateInputs) {
    this.#inputs = inputs;
  }

  get token(): number | null {
    return this.#inputs.token;
  }

  ask(): GateVerdict {
    const inputs = this.#inputs;
    if (inputs.isLost()) return 'lost';
    if (inputs.isYielded?.()) return 'yielded';
    if (!inputs.isOpen()) return 'closed';
    return inputs.certainty.isInDoubt() ? 'doubt' : 'open';
  }
}
