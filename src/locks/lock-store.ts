/**
 * The contract between an attempt and whatever keeps its lock. Types only.
 *
 * A store decides who holds a session and has no policy beyond that: no retries except waiting, no timer that
 * outlives the lease. `unknown` is an honest answer and is never treated as success.
 */

import type { KeptReport } from '../kept-report.js';
import type { HolderFacts } from './holder-facts.js';

/** What an attempt tells about itself to whoever waits for it. Read again at every renewal: `state` and `note` move. */
export interface HolderInfo {
  readonly attemptId: string;
  readonly pid: number;
  readonly host: string;
  /** The state of the attempt right now, e.g. `running`, `aborting.user`. */
  readonly state: string;
  /** The last note given to `progress()`, or null. */
  readonly note: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** For whoever asks why it takes so long. Optional, and told as it is: nothing is decided by it. */
  readonly facts?: HolderFacts;
  /** False: the attempt does not end because another one asks for its place. Default: true. */
  readonly supersedable?: boolean;
}

/** Who holds a session, as far as the store can tell. Facts of other processes are as of their last renewal. */
export interface Holder {
  /** Null where the lock is not one of ours: another program's, or a record that cannot be read. */
  readonly attemptId: string | null;
  readonly owner: string | null;
  readonly token: number | null;
  readonly pid: number | null;
  readonly host: string | null;
  /** Wall clock, milliseconds since 1970; null where unknown. */
  readonly since: number | null;
  readonly state: string | null;
  readonly note: string | null;
  /** When the lease ends if nobody renews it. Wall clock, milliseconds since 1970; null where unknown. */
  readonly until: number | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Held through this very instance of the package. */
  readonly sameProcess: boolean;
  /** Does it end when another attempt asks for its place (`takeOver`)? Missing where it does not tell. */
  readonly supersedable?: boolean;
  /** What else it tells about itself; null or missing where it does not. */
  readonly facts?: HolderFacts | null;
  /** What else is known, as a phrase: e.g. "a lock of plain proper-lockfile or of a crashed start". */
  readonly remark?: string;
}

/** Somebody who waits for a session. */
export interface Waiter {
  readonly attemptId: string;
  readonly pid: number;
  readonly host: string;
  /** Wall clock, milliseconds since 1970. */
  readonly since: number;
  readonly sameProcess: boolean;
}

/** One request for a lock. */
export interface AcquireRequest {
  /** As the caller spelled it; the store decides which spellings are one session. */
  readonly session: string;
  /** Made by the asker, different for every attempt, so that a lost reply can be resolved by `releaseOwner`. */
  readonly owner: string;
  /** Patience, milliseconds: 0 = one try, Infinity = until the signal fires. */
  readonly waitMs: number;
  /** Fires when the lock is no longer wanted. A grant that lands later is given back by the store itself. */
  readonly signal: AbortSignal;
  /**
   * Is it wanted now? As `!signal.aborted`, which is what holds where this is absent; but asking here makes no signal,
   * and one that nobody waits with need never be made.
   */
  readonly isWanted?: () => boolean;
  /** The highest token the session's own records carry. Asked under the lock, when the store has to know. */
  readonly tokenFloor?: () => Promise<number>;
  readonly info: HolderInfo;
}

export type AcquireResult =
  | { readonly status: 'granted'; readonly lease: Lease }
  | { readonly status: 'busy'; readonly holder: Holder | null }
  | { readonly status: 'unknown'; readonly error: Error };

/** `notHeld`: whoever asked does not hold it (any more). `unknown`: no definite answer could be had. */
export type ReleaseAnswer = 'released' | 'notHeld' | 'unknown';

/** What a lease tells its holder. `inDoubt` is not yet a loss: its deadline passed and nobody is known to have it. */
export type LeaseNotice =
  | { readonly type: 'lost'; readonly reason: string }
  /** Another attempt asks for its place. Never told to a holder that is not `supersedable`. `by`: its id. */
  | { readonly type: 'superseded'; readonly by: string }
  /** Its user asks it to stop, from outside. `by`: who asked; `reason`: what they said. */
  | { readonly type: 'stopped'; readonly by: string; readonly reason: string | null }
  | { readonly type: 'inDoubt' };

/** What a holder is asked from outside: to end its attempt. Its lease tells it by a notice. */
export interface AskToEnd {
  /** `superseded`: another attempt wants its place, which the holder may refuse. `user`: never refused. */
  readonly as: 'superseded' | 'user';
  /** Who asks: the id of the other attempt, or the process. Shown to the holder; cut to 200 characters. */
  readonly by: string;
  /** What the user said; cut to 1 000 characters. */
  readonly reason?: string;
  /** Fires when nobody wants it any more: what has not been heard yet is withdrawn. */
  readonly signal: AbortSignal;
}

/**
 * `asked`: it is told, or will be as soon as it listens; what comes of it shows when it gives the lock back. `refused`:
 * it is not `supersedable`. `notHeld`: that very grant does not hold the lock (any more); nobody is asked. `unknown`:
 * whoever holds it cannot be asked by this store.
 */
export type AskAnswer = 'asked' | 'refused' | 'notHeld' | 'unknown';

/** Our hold on a lock. The store renews it until `release()` is called or it is lost. */
export interface Lease {
  /** Rises with every grant of the session. 0 from a store whose `tokenScope` is `none`. */
  readonly token: number;
  readonly owner: string;
  /** Monotonic milliseconds (`clock.now()`); moves as the lease is renewed. Past it the lease is in doubt. */
  readonly deadline: number;
  /** Stops renewal in the same tick, then gives the lock back. May be called again after `unknown`. */
  release(): Promise<ReleaseAnswer>;
  /** @returns a function that stops the notices. */
  onNotice(fn: (notice: LeaseNotice) => void): () => void;
  /** The session as the store locked it (links resolved), where that differs from the spelling asked for. */
  readonly session?: string;
  /**
   * Keeps the report of the attempt that had this lease, for whoever asks later. Called once, after the attempt's end;
   * must be quick, and may throw: that is a warning and nothing else.
   */
  keepReport?(report: KeptReport): void;
  /** Where a rewrite of the session may be staged so that a takeover undoes it. See `session/file-records.ts`. */
  readonly staging?: Staging;
}

/** A place inside the lock. What lies there is removed by whoever takes the lock over, before they are granted. */
export interface Staging {
  /** The path to stage under. Throws AttemptError `REPLACE_UNSUPPORTED` where the lock is on another file system. */
  path(): string;
  /** True if the lock was still ours after the staged file was created; then nobody granted later can miss it. */
  confirm(): boolean;
}

export interface StoreCapabilities {
  /** How long a lease lives without renewal, milliseconds. */
  readonly leaseMs: number;
  /** How far tokens can be trusted to rise. `none`: there are no tokens and no leases that end. */
  readonly tokenScope: 'durable' | 'until-failover' | 'process' | 'none';
  /** Does the store's engine itself refuse writes with an old token? */
  readonly fencedWrites: boolean;
}

export interface SessionStatus {
  readonly session: string;
  readonly holder: Holder | null;
  readonly waiting: readonly Waiter[];
}

/** Anything that can keep sessions apart. */
export interface LockStore {
  /** Waits up to `waitMs`. `busy` is a definite no. A rejection counts as `unknown`. */
  acquire(request: AcquireRequest): Promise<AcquireResult>;
  /** Gives back whatever this owner holds, and is a tombstone: once answered, no later grant to that owner. */
  releaseOwner(session: string, owner: string): Promise<ReleaseAnswer>;
  /** One session, or, without one, every session this process holds or awaits. */
  query(session?: string): Promise<readonly SessionStatus[]>;
  /** Takes the lock from its holder if it still carries this token. */
  forceRelease(session: string, proof: { readonly token: number }): Promise<ReleaseAnswer>;
  /**
   * Asks one holder to end: exactly the grant that `query` told of, never the next one. Changes nothing about the lock.
   * Asking the same grant again is allowed. A store without it has no `takeOver`.
   * @param whom the holder as `query` told it: its token, or its owner in a store without tokens
   */
  askHolder?(session: string, whom: Pick<Holder, 'token' | 'owner'>, ask: AskToEnd): Promise<AskAnswer>;
  readonly capabilities: StoreCapabilities;
}
