/**
 * An engine of locks in memory: the same steps as a real one takes (it is held to `fleets/protocol.ts` like them), on any
 * clock, and with what can go wrong on the way to it by order. So what the engines share is tested without a server.
 */
import type { Clock } from '../../../src/clock.js';
import { noticesOf, parsed } from '../../../src/locks/engine/asks.js';
import { infoText, readInfo } from '../../../src/locks/engine/info.js';
import {
  ALIVE_MS, MOST_ASKS, SURE_MS, type AskLaid, type EngineAsk, type EngineBusy, type EngineClaim, type EngineGrant, type EngineHolder,
  type EngineRelease, type EngineStatus, type LockEngine, type Ring,
} from '../../../src/locks/engine/lock-engine.js';
import { NoAnswer } from '../../../src/locks/engine/within.js';
import type { AskAnswer, HolderInfo, LeaseNotice } from '../../../src/locks/lock-store.js';
import { Cut, type Fault } from './faults.js';

interface Waiting { readonly owner: string; readonly since: number; readonly info: string; seenUntil: number }

/** What is kept of a session, for ever. */
class Kept {
  token = 0;
  isNew = true;
  owner: string | null = null;
  ends = 0;
  since = 0;
  info = '';
  freed: string | null = null;
  line: Waiting[] = [];
  asks: AskLaid[] = [];
  /** By owner: until when nothing is granted to it, and did it hold the lock. */
  readonly buried = new Map<string, { readonly until: number; readonly held: boolean }>();
}

export type Step = 'acquire' | 'raise' | 'renew' | 'release' | 'bury' | 'force' | 'read' | 'sessions' | 'leave' | 'ask' | 'withdraw';

export class MemoryServer {
  readonly clock: Clock;
  epoch = 'epoch';
  /** What becomes of a question that nothing was ordered for. */
  weather: ((step: Step) => Fault | undefined) | null = null;
  readonly asked: Step[] = [];
  readonly bells = new Map<string, Ring>();
  readonly #kept = new Map<string, Kept>();
  readonly #faults = new Map<Step, Fault[]>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** What becomes of the next questions of this kind, in turn. */
  next(step: Step, ...some: Fault[]): void {
    this.#faults.set(step, [...(this.#faults.get(step) ?? []), ...some]);
  }

  count(step: Step): number {
    return this.asked.filter((one) => one === step).length;
  }

  /** A restored backup: everything is as it was before that. */
  forget(session: string, token = 0): void {
    const kept = new Kept();
    if (token > 0) Object.assign(kept, { token, isNew: false });
    this.#kept.set(session, kept);
  }

  at(session: string): Kept {
    const found = this.#kept.get(session) ?? new Kept();
    this.#kept.set(session, found);
    return found;
  }

  get sessions(): readonly string[] {
    return [...this.#kept].filter(([, kept]) => this.isHeld(kept)).map(([session]) => session).sort();
  }

  isHeld({ owner, ends }: Kept): boolean {
    return owner !== null && ends >= this.clock.wallNow();
  }

  async perform<T>(step: Step, perform: () => T): Promise<T> {
    this.asked.push(step);
    const fault = this.#faults.get(step)?.shift() ?? this.weather?.(step);
    return fault ? fault(perform) : perform();
  }

  ring(owner: string, offer?: { token: number; epoch: string }): void {
    queueMicrotask(() => this.bells.get(owner)?.(offer));
  }
}

export class MemoryEngine implements LockEngine {
  readonly tokenScope = 'durable';
  firstLookMs = Infinity;
  readonly #server: MemoryServer;
  readonly #deliver: (fn: () => void) => void;

  /** @param deliver how an answer, or a ring, reaches the process that has this engine: at once, or when it runs again */
  constructor(server: MemoryServer, deliver: (fn: () => void) => void = (fn) => fn()) {
    this.#server = server;
    this.#deliver = deliver;
  }

  acquire({ session, owner, leaseMs, info, wait }: EngineAsk): Promise<EngineGrant | EngineBusy> {
    return this.#on('acquire', session, (kept, now) => {
      const nobody = { status: 'busy', holder: null, endsInMs: Infinity, token: kept.token } as const;
      if ((kept.buried.get(owner)?.until ?? 0) > now) return nobody;
      const isHeld = this.#server.isHeld(kept);
      const head = this.#first(kept);
      if (kept.owner === owner || (!isHeld && (!head || head.owner === owner))) {
        const { isNew } = kept;
        if (kept.owner !== owner) this.#grant(kept, owner, now);
        Object.assign(kept, { ends: now + leaseMs, info: infoText(info, 'bell'), isNew: false });
        return { status: 'granted', token: kept.token, isNew, epoch: this.#server.epoch };
      }
      const found = kept.line.find((one) => one.owner === owner);
      if (found) found.seenUntil = now + ALIVE_MS;
      else if (wait) kept.line.push({ owner, since: now, info: infoText(info, 'bell'), seenUntil: now + ALIVE_MS });
      if (isHeld) return { ...nobody, holder: holderOf(kept), endsInMs: kept.ends - now };
      if (head) this.#server.ring(head.owner);
      return nobody;
    });
  }

  raise({ session, owner, token }: EngineClaim, floor: number): Promise<number | null> {
    return this.#on('raise', session, (kept) => {
      if (kept.owner !== owner || kept.token !== token) return null;
      kept.token = Math.max(kept.token, floor) + 1;
      return kept.token;
    });
  }

  renew({ session, owner, token }: EngineClaim, leaseMs: number, info: HolderInfo): Promise<readonly LeaseNotice[] | null> {
    return this.#on('renew', session, (kept, now) => {
      if (kept.owner !== owner || kept.token !== token) return null;
      Object.assign(kept, { ends: now + leaseMs, info: infoText(info, 'bell', 'with facts') });
      return noticesOf(kept.asks.map(({ notice }) => parsed(JSON.stringify(notice))));
    });
  }

  ask(session: string, token: number, ask: AskLaid): Promise<AskAnswer> {
    return this.#on('ask', session, (kept) => {
      if (!this.#server.isHeld(kept) || kept.token !== token) return 'notHeld';
      if (ask.as === 'superseded' && !readInfo(kept.info).supersedable) return 'refused';
      if (kept.asks.filter(({ as }) => as === ask.as).length < MOST_ASKS) kept.asks.push(ask);
      this.#server.ring(kept.owner ?? '');
      return 'asked';
    });
  }

  withdraw(session: string, token: number, { id }: AskLaid): Promise<void> {
    return this.#on('withdraw', session, (kept) => {
      if (kept.token === token) kept.asks = kept.asks.filter((one) => one.id !== id);
    });
  }

  release({ session, owner, token }: EngineClaim): Promise<EngineRelease> {
    return this.#on('release', session, (kept) => {
      if (kept.owner !== owner || kept.token !== token) return kept.freed === owner ? 'already' : 'notHeld';
      this.#free(kept, owner);
      return 'released';
    });
  }

  bury(session: string, owner: string, keepMs: number): Promise<boolean> {
    return this.#on('bury', session, (kept, now) => {
      const isOurs = kept.owner === owner || kept.buried.get(owner)?.held === true;
      kept.buried.set(owner, { until: now + keepMs, held: isOurs });
      kept.line = kept.line.filter((one) => one.owner !== owner);
      if (kept.owner === owner) this.#free(kept, owner);
      else if (!this.#server.isHeld(kept)) this.#passOn(kept);
      return isOurs;
    });
  }

  force(session: string, token: number): Promise<boolean> {
    return this.#on('force', session, (kept) => {
      if (kept.owner === null || kept.token !== token) return false;
      this.#free(kept, null);
      return true;
    });
  }

  read(session: string): Promise<EngineStatus> {
    return this.#on('read', session, (kept, now) => ({
      now, token: kept.token, holder: kept.owner === null ? null : holderOf(kept),
      waiting: kept.line.filter((one) => one.seenUntil >= now).map(({ info, since }) => {
        const { attemptId, pid, host, instance } = readInfo(info);
        return { attemptId: attemptId ?? '', pid: pid ?? 0, host: host ?? '', since, instance };
      }),
    }));
  }

  sessions(most: number): Promise<readonly string[]> {
    return this.#answered(this.#server.perform('sessions', () => this.#server.sessions.slice(0, most)));
  }

  leave(session: string, owner: string): Promise<void> {
    return this.#on('leave', session, (kept) => {
      kept.line = kept.line.filter((one) => one.owner !== owner);
      if (kept.owner === owner) this.#free(kept, owner);
      else if (!this.#server.isHeld(kept)) this.#passOn(kept);
    });
  }

  listen(_session: string, owner: string, ring: Ring): () => void {
    const rung: Ring = (offer) => this.#deliver(() => ring(offer));
    this.#server.bells.set(owner, rung);
    return () => {
      if (this.#server.bells.get(owner) === rung) this.#server.bells.delete(owner);
    };
  }

  isConnectionFailure(error: unknown): boolean {
    return error instanceof Cut || error instanceof NoAnswer;
  }

  #on<T>(step: Step, session: string, perform: (kept: Kept, now: number) => T): Promise<T> {
    return this.#answered(this.#server.perform(step, () => perform(this.#server.at(session), this.#server.clock.wallNow())));
  }

  #answered<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      answer.then((value) => this.#deliver(() => resolve(value)), (error: Error) => this.#deliver(() => reject(error)));
    });
  }

  #grant(kept: Kept, owner: string, now: number): void {
    kept.line = kept.line.filter((one) => one.owner !== owner);
    Object.assign(kept, { token: kept.token + 1, owner, since: now, freed: null, asks: [] });
  }

  #free(kept: Kept, by: string | null): void {
    Object.assign(kept, { owner: null, info: '', freed: by, asks: [] });
    this.#passOn(kept);
    if (kept.owner !== null) kept.freed = by;
  }

  /** Who is first is granted it if it is surely there; else it is told to look. */
  #passOn(kept: Kept): void {
    const head = this.#first(kept);
    const now = this.#server.clock.wallNow();
    if (!head) return;
    if (head.seenUntil - now < SURE_MS || !this.#server.bells.has(head.owner)) return this.#server.ring(head.owner);
    this.#grant(kept, head.owner, now);
    Object.assign(kept, { ends: now + ALIVE_MS, info: head.info });
    this.#server.ring(head.owner, { token: kept.token, epoch: this.#server.epoch });
  }

  #first(kept: Kept): Waiting | undefined {
    const now = this.#server.clock.wallNow();
    kept.line = kept.line.filter((one) => one.seenUntil >= now);
    return kept.line[0];
  }
}

function holderOf({ owner, token, since, ends, info }: Kept): EngineHolder {
  return { ...readInfo(info), owner, token, since, until: ends };
}
