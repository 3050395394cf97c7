/**
 * A lock store over a shared engine: who asks when, who waits, what a failed question means, and what is given back.
 * Owns: requests, the heartbeat, the comparison with the session's floor. Must not know: which engine.
 */
import type { Clock } from '../../clock.js';
import { AttemptError, describe } from '../../errors.js';
import { identity } from '../../owner.js';
import { warn } from '../../warnings.js';
import { Leases } from '../heartbeat.js';
import { noticeOf, refuses } from '../asking.js';
import type {
  AcquireRequest, AcquireResult, AskAnswer, AskToEnd, Holder, LockStore, ReleaseAnswer, SessionStatus, StoreCapabilities,
} from '../lock-store.js';
import { Tombstones } from '../tombstones.js';
import { askInEngine } from './asks.js';
import { EngineLease } from './engine-lease.js';
import { Floors } from './floors.js';
import { type EngineBusy, type EngineGrant, type EngineHolder, type EngineStatus, type LockEngine } from './lock-engine.js';
import { Line, type Asking } from './line-of-request.js';
import { within } from './within.js';

/** How long an answer of the engine is waited for, and may be on its way: the default of an attempt's `answerMs`. */
export const ANSWER_MS = 5_000;

export interface EngineLocksParts {
  readonly engine: LockEngine;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** For messages: "PostgreSQL", "Redis". */
  readonly name: string;
}

export class EngineLocks implements LockStore {
  readonly capabilities: StoreCapabilities;
  readonly #engine: LockEngine;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #leases: Leases<EngineLease>;
  readonly #tombstones: Tombstones;
  /** Owners whose request the engine has answered with a definite error: nothing was granted to them. */
  readonly #refused: Tombstones;
  readonly #floors = new Floors();
  readonly #lines = new Set<Line>();
  /** First questions for one session go one after another, so that a pool cannot change their order. */
  readonly #firstAsks = new Map<string, Promise<unknown>>();

  constructor({ engine, clock, leaseMs, name }: EngineLocksParts) {
    this.#engine = engine;
    this.#clock = clock;
    this.#name = name;
    this.capabilities = { leaseMs, tokenScope: engine.tokenScope, fencedWrites: true };
    this.#leases = new Leases(clock, leaseMs);
    this.#tombstones = new Tombstones(clock, leaseMs + ANSWER_MS);
    this.#refused = new Tombstones(clock, leaseMs + ANSWER_MS);
  }

  async acquire(request: AcquireRequest): Promise<AcquireResult> {
    if (!this.#isWanted(request)) return { status: 'busy', holder: null };
    const line = new Line(request, this.#engine, this.#clock);
    this.#lines.add(line);
    try {
      return await this.#acquire(line);
    } finally {
      this.#lines.delete(line);
      await line.leave();
    }
  }

  async releaseOwner(session: string, owner: string): Promise<ReleaseAnswer> {
    this.#tombstones.bury(owner);
    for (const line of this.#lines) if (line.request.owner === owner) line.wake();
    const keepMs = this.capabilities.leaseMs + ANSWER_MS;
    const freed = await within(this.#clock, ANSWER_MS, this.#engine.bury(session, owner, keepMs)).catch(() => null);
    if (freed === null) return this.#refused.has(owner) ? 'notHeld' : 'unknown';
    this.#leases.find((one) => one.owner === owner && one.session === session)?.givenUp();
    return freed ? 'released' : 'notHeld';
  }

  async query(session?: string): Promise<readonly SessionStatus[]> {
    const ours = [...[...this.#leases].map((one) => one.session), ...[...this.#lines].map((one) => one.request.session)];
    const all = session === undefined ? [...new Set(ours)] : [session];
    return Promise.all(all.map(async (one) => {
      const { holder, waiting } = await within(this.#clock, ANSWER_MS, this.#engine.read(one));
      return {
        session: one, holder: holder && this.#shown(one, holder),
        waiting: waiting.map(({ instance, ...waiter }) => ({ ...waiter, sameProcess: instance === identity().instance })),
      };
    }));
  }

  /** What the engine itself says of a session, and which ones are held there: for whoever looks what is the matter. */
  look(session: string): Promise<EngineStatus> {
    return within(this.#clock, ANSWER_MS, this.#engine.read(session));
  }

  held(most: number): Promise<readonly string[]> {
    return within(this.#clock, ANSWER_MS * 6, this.#engine.sessions(most));
  }

  async forceRelease(session: string, { token }: { readonly token: number }): Promise<ReleaseAnswer> {
    if (!Number.isSafeInteger(token) || token < 1) return 'notHeld';
    const forced = await within(this.#clock, ANSWER_MS, this.#engine.force(session, token)).catch(() => null);
    if (forced === null) return 'unknown';
    if (forced) {
      this.#leases.find((one) => one.token === token && one.session === session)
        ?.takenByForce(`the lock was taken away by force (token ${token})`);
    }
    return forced ? 'released' : 'notHeld';
  }

  async askHolder(session: string, whom: Pick<Holder, 'token'>, ask: AskToEnd): Promise<AskAnswer> {
    const token = whom.token ?? 0;
    if (token < 1) return 'unknown';
    const own = this.#leases.find((one) => one.token === token && one.session === session);
    if (!own) return within(this.#clock, ANSWER_MS, askInEngine(this.#engine, session, token, ask));
    if (refuses(own.info, ask.as)) return 'refused';
    return own.hear(noticeOf(ask)) ? 'asked' : 'notHeld';
  }

  async #acquire(line: Line): Promise<AcquireResult> {
    const { request } = line;
    let holder: EngineHolder | null = null;
    let failure: unknown = null;
    for (;;) {
      const asking = line.asking();
      try {
        const answer: EngineGrant | EngineBusy = await this.#ask(line);
        if (answer.status === 'granted') return await this.#granted(line, answer, asking);
        failure = null;
        holder = answer.holder;
        line.answered(answer, asking);
      } catch (error) {
        // In line already, a lost connection is no reason to give up our patience. Otherwise it is told at once.
        if (!line.isInLine || !this.#engine.isConnectionFailure(error)) return this.#unknown(line, error);
        failure = error;
      }
      if (!line.isPatient() || !this.#isWanted(request)) break;
      await line.wait(failure !== null);
      if (!this.#isWanted(request)) break;
      const offered = line.offered();
      if (offered) return this.#granted(line, offered.grant, offered.asking, offered.lastsMs);
    }
    if (failure !== null) return this.#unknown(line, failure);
    return { status: 'busy', holder: holder && this.#shown(request.session, holder) };
  }

  /** Asks; a reply that was lost with its connection is asked for once more, by the same owner, so it is the same grant. */
  #ask(line: Line): Promise<EngineGrant | EngineBusy> {
    const { session, owner, info } = line.request;
    const once = (): Promise<EngineGrant | EngineBusy> => {
      const asked = this.#engine.acquire({
        session, owner, info, leaseMs: this.capabilities.leaseMs,
        wait: line.isInLine || line.isPatient(), // in line, a grant has to take us out of it
      });
      line.remember(asked);
      return within(this.#clock, ANSWER_MS, asked);
    };
    const ask = (): Promise<EngineGrant | EngineBusy> => once().catch((error: unknown) => {
      if (!this.#engine.isConnectionFailure(error)) throw error;
      line.isUnclear = true;
      if (line.isInLine || !this.#isWanted(line.request)) throw error;
      return once();
    });
    if (line.isInLine) return ask();
    const before = this.#firstAsks.get(session);
    const mine = before === undefined ? ask() : before.then(ask, ask);
    this.#firstAsks.set(session, mine);
    const forget = (): void => {
      if (this.#firstAsks.get(session) === mine) this.#firstAsks.delete(session);
    };
    mine.then(forget, forget);
    return mine;
  }

  /** From a grant of the engine to a lease: with a token above the session's records, or given back. */
  async #granted(line: Line, grant: EngineGrant, asking: Asking, lastsMs?: number): Promise<AcquireResult> {
    const { request } = line;
    line.served();
    const lease = new EngineLease({
      engine: this.#engine, session: request.session, owner: request.owner, info: request.info, clock: this.#clock,
      leaseMs: this.capabilities.leaseMs, askMs: ANSWER_MS, ended: (one) => this.#leases.remove(one),
    }, grant.token, asking, lastsMs);
    this.#leases.add(lease);
    let why: unknown = null;
    try {
      if (this.#isWanted(request) && await this.#aboveFloor(line, grant, lease) && this.#isWanted(request)) {
        return { status: 'granted', lease };
      }
    } catch (error) {
      why = error;
    }
    const answer = await lease.release();
    lease.givenUp(); // nobody has it
    if (why === null && answer !== 'unknown') return { status: 'busy', holder: null };
    return { status: 'unknown', error: asError(why ?? new Error('not wanted any more, and not to be given back now')) };
  }

  /** False: lost while it was compared. */
  async #aboveFloor(line: Line, grant: EngineGrant, lease: EngineLease): Promise<boolean> {
    const { session, tokenFloor } = line.request;
    if (this.#floors.mustCompare(session, grant)) {
      const wentBack = this.#floors.wentBack(session, grant);
      const known = tokenFloor === undefined ? 0 : await line.orLeft(tokenFloor());
      if (known === 'left') return false;
      const floor = Math.max(known, this.#floors.highest(session));
      if (floor >= lease.token) {
        if (!Number.isSafeInteger(floor + 1)) throw new Error(`the session's records carry the token ${floor}: none is left above it`);
        if (!await lease.raise(floor)) return false;
        if (!grant.isNew || wentBack) {
          warn('TOKEN_WENT_BACK', `${session}: ${this.#name} offered token ${grant.token}, but ${floor} has been granted before `
            + `(a failover, a restored backup?). It was raised to ${lease.token}. Records written before may have been lost there.`);
        }
      }
    }
    this.#floors.compared(session, grant.epoch, lease.token);
    return true;
  }

  /** What is answered late is given back: whoever asked has been told that nobody knows. */
  #unknown(line: Line, error: unknown): AcquireResult {
    line.giveBackLate();
    if (!line.isUnclear && !this.#engine.isConnectionFailure(error)) this.#refused.bury(line.request.owner);
    return { status: 'unknown', error: error instanceof AttemptError ? error
      : new AttemptError('LOCK_STORE_FAILED', `${line.request.session}: ${this.#name} did not answer: ${describe(error)}`, {
        cause: error,
      }) };
  }

  #isWanted({ signal, owner }: AcquireRequest): boolean {
    return !signal.aborted && !this.#tombstones.has(owner);
  }

  /** What we hold ourselves we know better than the engine does. */
  #shown(session: string, { instance, mark: _mark, ...holder }: EngineHolder): Holder {
    const own = this.#leases.find((one) => one.owner === holder.owner && one.session === session);
    if (!own) return { ...holder, sameProcess: instance === identity().instance };
    const { state, note } = own.info;
    return { ...holder, token: own.token, state, note, sameProcess: true };
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(describe(thrown)));
