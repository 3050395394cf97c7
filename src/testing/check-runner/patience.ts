/**
 * Waiting for facts: by the port's clock if it has one, else in real time, and never without a bound.
 *
 * Real time is counted in ticks of a few milliseconds, each counted as no more than itself: while the
 * event loop stands still the runner's timers stand still too, so a stalled machine does not turn into a
 * finding. Owns: every wait of the kit. Must not know: what is waited for.
 */
import { PortFault, type RunnerPort } from './port.js';

// Taken when the kit is loaded: tests that fake the global timers later fake the runner's time, not the
// kit's.
const realTimeout = globalThis.setTimeout;
const realImmediate = globalThis.setImmediate;

const TICK_MS = 5;

/** Real time beyond a bound before a verdict: what threads, disks and timers may be late by. */
const GRACE_MS = 150;

/** The same beside a clock of the port's own: only disks can be late there. */
const GRACE_BESIDE_CLOCK_MS = 25;

/** Time on the port's clock beyond a bound: an "after 20 ms" that is computed in two roundings. */
const GRACE_ON_CLOCK_MS = 2;

/**
 * A wait on the port's clock is made in this many steps, so that facts are seen near the time they happen.
 */
const CLOCK_STEPS = 8;

/** The port's own calls (tryLock, read, close, advance) are answered within this, real time. */
const ANSWER_MS = 1_000;

const tick = (ms = TICK_MS): Promise<void> =>
  new Promise((resolve) => {
    realTimeout(resolve, ms);
  });

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    realImmediate(resolve);
  });

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await turn();
}

type Fact = () => boolean | Promise<boolean>;

export class Patience {
  readonly #clock: RunnerPort['clock'];

  constructor(clock: RunnerPort['clock']) {
    this.#clock = clock;
  }

  /** Waits up to `ms` and a grace for a fact. @returns whether it came true */
  async until(fact: Fact, ms: number): Promise<boolean> {
    for (let i = 0; i < 3; i += 1) {
      if (await fact()) return true;
      await turn();
    }
    if (this.#clock === undefined) return this.#ticks(fact, ms + GRACE_MS);
    const whole = ms + GRACE_ON_CLOCK_MS;
    for (let i = 0; i < CLOCK_STEPS; i += 1) {
      await this.#advance(whole / CLOCK_STEPS);
      if (await fact()) return true;
    }
    return this.#ticks(fact, GRACE_BESIDE_CLOCK_MS);
  }

  /** One turn of the event loop. */
  turn(): Promise<void> {
    return turn();
  }

  /** Lets `ms` pass. */
  async pass(ms: number): Promise<void> {
    if (this.#clock === undefined) {
      for (let passed = 0; passed < ms; passed += TICK_MS) await tick();
      return;
    }
    for (let i = 0; i < CLOCK_STEPS; i += 1) await this.#advance(ms / CLOCK_STEPS);
  }

  /** What a call of the port answers. @throws PortFault if it throws, rejects or does not answer */
  async answer<A>(part: string, call: () => A | Promise<A>, ms = 0): Promise<A> {
    const promise = new Promise<A>((resolve) => {
      resolve(call());
    });
    let state: 'pending' | 'settled' = 'pending';
    const settled = (): void => {
      state = 'settled';
    };
    promise.then(settled, settled);
    if (
      !(await this.until(() => state === 'settled', ms)) &&
      !(await this.#ticks(() => state === 'settled', ANSWER_MS))
    ) {
      throw new PortFault(part, `${part} did not answer within ${ANSWER_MS + ms} ms`);
    }
    try {
      return await promise;
    } catch (cause) {
      throw new PortFault(
        part,
        `${part} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  }

  async #ticks(fact: Fact, ms: number): Promise<boolean> {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      await tick();
      if (await fact()) return true;
    }
    return false;
  }

  async #advance(ms: number): Promise<void> {
    const answer: { state: 'pending' | 'done' | 'failed' } = { state: 'pending' };
    const moved = this.#clock?.advance(ms).then(
      () => {
        answer.state = 'done';
      },
      () => {
        answer.state = 'failed';
      },
    );
    await Promise.race([moved, turns(3)]);
    if (answer.state === 'pending' && !(await this.#ticks(() => answer.state !== 'pending', ANSWER_MS))) {
      throw new PortFault('clock.advance', `clock.advance did not come back within ${ANSWER_MS} ms`);
    }
    if (answer.state === 'failed') throw new PortFault('clock.advance', 'clock.advance rejected');
    await turns(2);
  }
}

/** Stops this thread: timers, heartbeats and watchdogs of the process do not run meanwhile. */
export function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
