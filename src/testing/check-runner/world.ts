/**
 * Everything one sequence knows while it runs: the port, its attempts, the outsider, the story so far.
 * Owns: what is watched all the time, and whose case a leak is. Must not know: which steps follow each
 * other.
 */
import { Breach } from './breach.js';
import type { ModeId } from './modes.js';
import { Patience } from './patience.js';
import { PortFault, type RunnerPort } from './port.js';
import { WatchedAttempt } from './watched-attempt.js';

/** Where a bound is Infinity something still has to end the kit's wait, milliseconds. */
const UNBOUNDED_MS = 1_000;

/** The run budget of `START(limit)`, milliseconds: short, and longer than a few turns of the event loop. */
export const LIMIT_MS = 20;

const finite = (ms: number): number => (Number.isFinite(ms) ? ms : UNBOUNDED_MS);

let sessions = 0;

type Release = () => Promise<void>;

export class World {
  readonly patience: Patience;
  readonly session: string;
  readonly attempts = new Map<number, WatchedAttempt>();
  readonly story: string[] = [];
  readonly findings: Breach[] = [];
  readonly settleMs: number;
  readonly waitMs: number;
  readonly leaseMs: number;
  /** A policy: the lock is held until the work ends by itself. */
  readonly holdsForWork: boolean;
  hold: Release | null = null;
  /** From now on a lock may only come free by its lease's end. */
  needsLease = false;
  releasesFail = false;
  abortedInside = false;
  /** How often an attempt was made to end, run budgets included. */
  aborts = 0;
  outcomesAsked = 0;
  outcomesKnown = 0;

  constructor(
    readonly port: RunnerPort,
    readonly mode: ModeId,
  ) {
    const { settleMs, waitMs, leaseMs = 0 } = port.bounds;
    this.patience = new Patience(port.clock);
    this.settleMs = finite(settleMs);
    this.waitMs = finite(waitMs);
    this.leaseMs = leaseMs;
    this.holdsForWork = settleMs === Infinity;
    sessions += 1;
    this.session = `check-${sessions}`;
  }

  tell(what: string, detail: string): void {
    this.story.push(`${what.padEnd(16)} ${detail}`);
  }

  /** How long the end of things may take once nothing is left to wait for. */
  get endMs(): number {
    return this.settleMs + (this.needsLease ? this.leaseMs : 0);
  }

  attempt(n: number): WatchedAttempt {
    const attempt = this.attempts.get(n);
    if (!attempt) throw new RangeError(`the sequence speaks of attempt ${n} before it starts it`);
    return attempt;
  }

  create(n: number, how: ReadonlySet<string>): WatchedAttempt {
    const attempt = new WatchedAttempt(n, `${this.session}-attempt-${n}`, how, {
      called: (called) => this.#called(called),
      ended: (ended) => this.#ended(ended),
    });
    this.attempts.set(n, attempt);
    return attempt;
  }

  /** An outsider's single try. */
  tryLock(): Promise<Release | null> {
    return this.patience.answer('tryLock', () => this.port.tryLock(this.session));
  }

  giveBack(release: Release): Promise<void> {
    if (typeof release !== 'function')
      throw new PortFault('tryLock', 'expected a function that gives back, or null');
    return this.patience.answer("tryLock's release", release);
  }

  /** An outsider tries again and again. @returns what gives the lock back; null: busy all the time */
  async takeWithin(ms: number): Promise<Release | null> {
    let release: Release | null = null;
    await this.patience.until(async () => {
      release ??= await this.tryLock();
      return release !== null;
    }, ms);
    return release;
  }

  failRelease(times: number): void {
    this.#ask('failRelease', () => this.port.failRelease?.(times));
  }

  /** A call of the port that answers at once. @throws PortFault */
  #ask<A>(part: string, call: () => A): A {
    try {
      return call();
    } catch (cause) {
      throw new PortFault(part, `${part} threw: ${String(cause)}`, { cause });
    }
  }

  /** What the runner tells about an attempt, where it tells anything. */
  outcomeOf(attempt: WatchedAttempt) {
    if (!this.port.outcome) return undefined;
    this.outcomesAsked += 1;
    const outcome = this.#ask('outcome', () => this.port.outcome?.(attempt.attemptId));
    if (outcome !== undefined) this.outcomesKnown += 1;
    return outcome;
  }

  /** Whose case it is when an attempt does not end, or its lock is not given back. */
  get leakOf(): ModeId {
    const attempts = [...this.attempts.values()];
    if (this.releasesFail) return 'M06';
    if (this.abortedInside) return 'M05';
    if (attempts.some((one) => one.abortedEarly)) return 'M02';
    const aborted = attempts.filter((one) => one.cause !== null);
    if (aborted.length === 0) return 'M07';
    return aborted.some((one) => !one.settled) ? 'M03' : 'M01';
  }

  #called(attempt: WatchedAttempt): void {
    const { n, calls, abortedEarly } = attempt;
    this.tell('RUN', `the work of attempt ${n} is called${calls > 1 ? ' once more' : ''}`);
    if (calls > 1) {
      const rule = attempt.cause ? 'M04' : 'M07';
      this.findings.push(
        new Breach(rule, `the work of attempt ${n} is called once`, `it was called ${calls} times`),
      );
    } else if (abortedEarly) {
      this.findings.push(
        new Breach('M02', `attempt ${n}, aborted, never runs`, 'its work was called after the abort'),
      );
    }
    if (this.hold) {
      this.findings.push(
        new Breach(this.mode, 'no work runs while an outsider holds the lock', `attempt ${n} ran`),
      );
    }
    const other = [...this.attempts.values()].find(
      (one) => one !== attempt && one.calls > 0 && !one.settled && !one.ended && one.cause === null,
    );
    if (other) {
      const rule = this.mode === 'M13' ? 'M13' : 'M08';
      this.findings.push(
        new Breach(rule, 'one attempt runs at a time', `attempt ${n} ran while ${other.n} was running`),
      );
    }
  }

  #ended(attempt: WatchedAttempt): void {
    this.tell('ENDED', `the runner says that attempt ${attempt.n} has ended`);
    if (attempt.how.has('probe')) attempt.probe = this.#probe(attempt);
    try {
      attempt.outcomeAtEnd = this.outcomeOf(attempt);
    } catch {
      /* an outcome that throws is reported where the kit asks for it next */
    }
  }

  /** In the tick of the end, not a turn later: that is what somebody who waits for `ended` does. */
  async #probe(attempt: WatchedAttempt): Promise<void> {
    try {
      const release = await this.port.tryLock(this.session);
      attempt.atEnd = release ? 'free' : 'busy';
      this.tell('OUTSIDER TRIES', `in the tick of the end: ${release ? 'granted' : 'busy'}`);
      await release?.();
    } catch {
      /* a tryLock that rejects is reported where the kit asks it next */
    }
  }
}
