/**
 * A small runner that is right, and one wrong version of it for each mode a port can show.
 * Owns: the seeded bugs. The kit must find nothing in the first and each of the others.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { AbortKind, RunnerPort, StartRequest } from '../../src/testing/index.js';
import type { Bug } from './seeded-bugs.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

const WAIT_MS = 60;
const SETTLE_MS = 30;
const LEASE_MS = 90;
const POLL_MS = 5;

/** One for all: every further storage makes every promise of the process slower. */
const inside = new AsyncLocalStorage<string>();

interface Attempt extends StartRequest {
  readonly signal: AbortSignal;
  cause: AbortKind | undefined;
  state: 'waiting' | 'running.working' | 'ended';
  outcome: { abortedBy?: string | undefined; abandoned: boolean };
  fromInside: boolean;
  timedOut: boolean;
  readonly writes: Set<Promise<void>>;
  abort(by: AbortKind): unknown;
}

export class SeededRunner implements RunnerPort {
  readonly bounds = { settleMs: SETTLE_MS, waitMs: WAIT_MS, leaseMs: LEASE_MS };
  readonly clock = new VirtualClock();
  readonly #bugs: ReadonlySet<Bug>;
  readonly #held = new Map<string, { owner: string; until: number }>();
  readonly #texts = new Map<string, string[]>();
  readonly #attempts = new Map<string, Attempt>();
  #failing = 0;
  #outsiders = 0;

  constructor(...bugs: Bug[]) {
    this.#bugs = new Set(bugs);
  }

  start(request: StartRequest) {
    const controller = new AbortController();
    const attempt: Attempt = {
      ...request,
      signal: controller.signal,
      cause: undefined,
      state: 'waiting',
      outcome: { abandoned: false },
      writes: new Set(),
      fromInside: false,
      timedOut: false,
      abort: (by) => {
        if (attempt.state === 'ended') return undefined;
        if (attempt.cause === undefined || this.#has('M18')) attempt.cause = by;
        controller.abort(new Error(`aborted by ${by}`));
        attempt.timedOut ||= by === 'timeout';
        attempt.fromInside ||= inside.getStore() === attempt.attemptId;
        return undefined;
      },
    };
    const { timeoutMs } = request;
    if (timeoutMs !== undefined && timeoutMs >= 2 ** 31 && !this.#has('M21'))
      throw new RangeError('timeoutMs: too long');
    this.#attempts.set(request.attemptId, attempt);
    const ended = this.#run(attempt);
    return {
      ended,
      abort: (by: AbortKind) => {
        const later = [...this.#attempts.values()].find(
          (one) => one.session === attempt.session && one.state === 'running.working',
        );
        if (this.#has('M19') && attempt.state === 'ended') return later?.abort(by);
        return attempt.abort(by);
      },
    };
  }

  async #run(attempt: Attempt): Promise<void> {
    if (!(await this.#acquire(attempt))) {
      attempt.state = 'ended';
      if (this.#has('M22 misread')) attempt.cause ??= 'timeout';
      attempt.outcome.abortedBy = attempt.cause;
      return;
    }
    const { session, attemptId } = attempt;
    const beat = this.#renew(attempt);
    if (attempt.cause === undefined || this.#has('M02')) await this.#work(attempt);
    const abandoned =
      attempt.cause === 'timeout' || (this.#has('M01 abandoned') && attempt.cause === 'user');
    attempt.outcome = { abortedBy: attempt.cause, abandoned: abandoned && attempt.state === 'running.working' };
    if (this.#has('M18 abandoned')) attempt.outcome.abandoned = attempt.timedOut;
    attempt.state = 'ended';
    if (!this.#has('M05')) await Promise.race([Promise.all(attempt.writes), this.clock.pause(SETTLE_MS)]);
    if (!this.#has('M12')) beat.stop();
    if (this.#has('M01') && attempt.cause === 'user') return;
    if (this.#has('M05 silent') && attempt.fromInside) return;
    if (this.#has('M20')) {
      void this.clock.pause(POLL_MS).then(() => this.#release(session, attemptId));
      return;
    }
    await this.#release(session, attemptId);
  }

  async #acquire({ session, attemptId, signal }: Attempt): Promise<boolean> {
    const until = this.clock.now() + WAIT_MS;
    while (!this.#take(session, attemptId)) {
      if (signal.aborted && !this.#has('M02')) return false;
      const wait = this.#has('M08 deadlock') || this.#has('M22') ? Infinity : until;
      if (this.clock.now() >= wait) return false;
      await this.clock.pause(POLL_MS);
    }
    return true;
  }

  async #work(attempt: Attempt): Promise<void> {
    const { session, attemptId, signal, timeoutMs, work } = attempt;
    attempt.state = 'running.working';
    const timer =
      timeoutMs === undefined
        ? null
        : this.clock.setTimeout(() => attempt.abort('timeout'), timeoutMs >= 2 ** 31 ? 1 : timeoutMs);
    const settled = inside.run(attemptId, async () => work(signal));
    const noticed = settled.then(
      () => undefined,
      (error: unknown) => {
        if (this.#has('M07') && !attempt.cause) throw error;
        if (this.#has('M07 undefined') && error === undefined) throw error;
      },
    );
    if (this.#has('M03 unhandled')) void settled.then(() => undefined);
    if (this.#has('M04'))
      void noticed.then(
        () => attempt.cause && this.clock.pause(20).then(() => this.#take(session, `${attemptId}-again`)),
      );
    if (this.#has('M13')) void noticed.then(() => attempt.state === 'ended' && this.#held.delete(session));
    if (this.#has('M03 late outcome'))
      void noticed.then(() => {
        attempt.outcome = { abortedBy: undefined, abandoned: false };
      });
    const told = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const bound = told.then(() => this.clock.pause(this.#has('M03') ? 2 ** 31 - 1 : SETTLE_MS));
    await Promise.race([noticed, bound]);
    this.clock.clearTimeout(timer);
  }

  async write(session: string, attemptId: string, text: string): Promise<void> {
    const attempt = this.#attempts.get(attemptId);
    const isOpen = attempt?.state === 'running.working' && (attempt.cause === undefined || this.#has('M05'));
    if (!isOpen && !this.#has('M09')) throw new Error('the writer is closed');
    const landed = this.clock.pause(2).then(() => {
      this.#texts.set(session, [...(this.#texts.get(session) ?? []), text]);
    });
    attempt?.writes.add(landed);
    await landed;
    if (this.#has('M10') && (this.#texts.get(session)?.length ?? 0) > 2) attempt?.abort('shutdown');
  }

  async read(session: string): Promise<string[]> {
    return this.#texts.get(session) ?? [];
  }

  outcome(attemptId: string) {
    return this.#attempts.get(attemptId)?.outcome;
  }

  failRelease(times: number): void {
    this.#failing = times;
  }

  async tryLock(session: string) {
    this.#outsiders += 1;
    const owner = `outsider-${this.#outsiders}`;
    if (!this.#take(session, owner, Infinity)) return null;
    return async () => void this.#give(session, owner);
  }

  async close(): Promise<void> {
    for (const attempt of this.#attempts.values()) attempt.abort('shutdown');
  }

  #has(bug: Bug): boolean {
    return this.#bugs.has(bug);
  }

  #take(session: string, owner: string, forMs = LEASE_MS): boolean {
    const holder = this.#held.get(session);
    const isFree = holder === undefined || holder.until <= this.clock.now();
    const isOurs =
      this.#has('M08') &&
      holder !== undefined &&
      !holder.owner.startsWith('outsider') &&
      !owner.startsWith('outsider');
    if (!isFree && !isOurs) return false;
    this.#held.set(session, { owner, until: this.clock.now() + forMs });
    return true;
  }

  #renew({ session, attemptId }: Attempt): { stop(): void } {
    let stopped = this.#has('M12 no renewal');
    const beat = (): void => {
      if (stopped) return;
      const holder = this.#held.get(session);
      if (holder?.owner === attemptId) holder.until = this.clock.now() + LEASE_MS;
      else if (this.#has('M12') && holder === undefined) this.#take(session, attemptId);
      this.clock.setTimeout(beat, LEASE_MS / 3);
    };
    beat();
    return {
      stop: () => {
        stopped = true;
      },
    };
  }

  #give(session: string, owner: string): void {
    if (this.#held.get(session)?.owner === owner) this.#held.delete(session);
  }

  /** Asks again until it works or the lease has ended. */
  async #release(session: string, owner: string): Promise<void> {
    const until = this.clock.now() + LEASE_MS;
    while (this.#failing > 0) {
      this.#failing -= 1;
      if (this.#has('M06') || this.clock.now() >= until) return;
      await this.clock.pause(POLL_MS);
    }
    this.#give(session, owner);
  }
}
