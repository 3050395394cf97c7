/**
 * What a shared engine (PostgreSQL, Redis) has to be able to do so that `engine-locks.ts` can make a lock store of it.
 * Types only. Each call is one atomic step in the engine; expiry is judged there, on the engine's clock. A call that
 * rejects has not been answered: it may have been performed, and may be asked again, because owners are never reused.
 */
import type { ProcessMark } from '../../owner.js';
import type { AskAnswer, Holder, HolderInfo, LeaseNotice, Waiter } from '../lock-store.js';

export interface EngineAsk {
  readonly session: string;
  readonly owner: string;
  readonly leaseMs: number;
  readonly info: HolderInfo;
  /** True: keep our place in line if somebody else holds it. */
  readonly wait: boolean;
}

export interface EngineGrant {
  readonly status: 'granted';
  /** Above every token of this session that the engine remembers. The same again if this owner asks twice. */
  readonly token: number;
  /** The engine had never heard of this session before. */
  readonly isNew: boolean;
  /** Names the history the engine tells from; another name means that it may have forgotten. Empty: cannot tell. */
  readonly epoch: string;
}

export interface EngineBusy {
  readonly status: 'busy';
  /** Null: free, but others come first; or the owner has been buried. */
  readonly holder: EngineHolder | null;
  /** The lease of the holder ends in so many milliseconds if nobody renews it. */
  readonly endsInMs: number;
  /** The last token that has been granted; 0: none. What was offered with this one or a smaller one is over. */
  readonly token: number;
}

/**
 * Granted to who waits, by whoever gave it back, and told through the bell: no question lies between. The engine ends it
 * `ALIVE_MS` after, so that a waiter that has died meanwhile keeps nobody waiting for a whole lease; renewed, it is one.
 */
export interface EngineOffer {
  readonly token: number;
  readonly epoch: string;
}

/** Rings: look again; or, with an offer, it is yours. */
export type Ring = (offer?: EngineOffer) => void;

/** What a holder is asked, as it lies beside its grant. */
export interface AskLaid {
  /** A UUID. */
  readonly id: string;
  readonly as: 'superseded' | 'user';
  /** What the holder is told. */
  readonly notice: LeaseNotice;
}

/** A holder as the engine tells of it; `sameProcess` is for the store to say. */
export type EngineHolder = Omit<Holder, 'sameProcess'> & {
  readonly instance: string | null;
  /** By what its process can be told from others; told with the renewals. */
  readonly mark?: Partial<ProcessMark>;
};
export type EngineWaiter = Omit<Waiter, 'sameProcess'> & { readonly instance: string | null };

export interface EngineStatus {
  /** The engine's own clock when it looked, milliseconds since 1970: its holders' times are told on it. */
  readonly now: number;
  /** The last token that has been granted; 0: none. */
  readonly token: number;
  readonly holder: EngineHolder | null;
  readonly waiting: readonly EngineWaiter[];
}

/** `already`: freed by this very owner before, and nobody has been granted since. */
export type EngineRelease = 'released' | 'already' | 'notHeld';

/** Owner and token of a grant: what renewing and releasing go by. */
export interface EngineClaim {
  readonly session: string;
  readonly owner: string;
  readonly token: number;
}

export interface LockEngine {
  readonly tokenScope: 'durable' | 'until-failover';
  /** After a first busy answer look again so soon, milliseconds: a release may have missed us joining the line. */
  readonly firstLookMs: number;
  /** Grants if it is free (or its lease has ended) and nobody who waits comes first. */
  acquire(ask: EngineAsk): Promise<EngineGrant | EngineBusy>;
  /** Gives the grant a token above `floor`. @returns the token; null: the grant is not ours any more */
  raise(claim: EngineClaim, floor: number): Promise<number | null>;
  /**
   * Renews, also after its end if nobody has been granted since.
   * @returns what this very grant has been asked so far; null: not ours any more
   */
  renew(claim: EngineClaim, leaseMs: number, info: HolderInfo): Promise<readonly LeaseNotice[] | null>;
  /** Lays an ask beside the grant with this token, and rings for its holder. It goes with the grant. */
  ask(session: string, token: number, ask: AskLaid): Promise<AskAnswer>;
  /** Takes back what has not been heard. */
  withdraw(session: string, token: number, ask: AskLaid): Promise<void>;
  /** Gives it back: to who comes next, where that one is surely there, else to all, and wakes who comes next. */
  release(claim: EngineClaim): Promise<EngineRelease>;
  /** Frees whatever this owner holds, takes it out of the line, and grants it nothing for `keepMs`. */
  bury(session: string, owner: string, keepMs: number): Promise<boolean>;
  /** Frees it if it carries this token. */
  force(session: string, token: number): Promise<boolean>;
  read(session: string): Promise<EngineStatus>;
  /** Sessions that are held, at most so many; for whoever looks what is the matter. */
  sessions(most: number): Promise<readonly string[]>;
  /** We do not wait any more: out of the line, and what has been granted to us meanwhile is given back. */
  leave(session: string, owner: string): Promise<void>;
  /**
   * Calls `ring` when it may be our turn, and when rings may have been missed: a hint, a poll stands behind it.
   * @returns what ends that; with the last one the connection it needed is closed
   */
  listen(session: string, owner: string, ring: Ring): () => void;
  /** Was this failure one of the connection, so that the same question may be answered on another one? */
  isConnectionFailure(error: unknown): boolean;
}

/** How often a waiter looks behind its bell, milliseconds, and by when one that does not look is taken for dead. */
export const POLL_MS = 500;
export const ALIVE_MS = 1_250;

/** Of the time a waiter counts as alive so much must be left for a direct grant, milliseconds: it has looked just now. */
export const SURE_MS = 700;

/** Asks of one kind that lie beside a grant at most: one is all that counts. */
export const MOST_ASKS = 8;
