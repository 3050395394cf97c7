/**
 * The diagnosis of one session: what is the matter with it, when it will be free, and what can be done. Types only.
 */
import type { KeptReport } from '../kept-report.js';
import type { Holder, Waiter } from '../locks/lock-store.js';
import type { Leftover } from './leftovers.js';
import type { Liveness } from './liveness.js';

/**
 * - `free`: nobody holds it, nobody waits
 * - `healthy`: held by a process that lives and renews its lease
 * - `overdue`: held, but late: its renewal, or a limit of its own has passed
 * - `inDoubt`: the lease has ended and nobody has taken the lock; its holder may still revive it
 * - `unsettled`: the attempt was ended, its work goes on, and the lock is kept until the work ends
 * - `queue`: free, and somebody waits: it is being handed over
 * - `dead`: its holder has provably ended
 * - `foreign`: a lock that is not one of ours
 * - `corrupt`: files of ours that are not as we write them
 * - `leftovers`: free, with files that serve nobody any more
 */
export type Condition =
  | 'free' | 'healthy' | 'overdue' | 'inDoubt' | 'unsettled' | 'queue' | 'dead' | 'foreign' | 'corrupt' | 'leftovers';

/** When the session is free at the latest, and what makes it so. */
export interface FreeBy {
  /** Wall clock, milliseconds since 1970; null: there is no bound. */
  readonly at: number | null;
  /** Which bound that is, or why there is none. */
  readonly bound: string;
}

/** What to do next. */
export interface NextStep {
  readonly say: string;
  /** To be copied into a shell; null where nothing is to be typed. */
  readonly command: string | null;
  readonly risk: string;
}

export interface BudgetInForce {
  readonly name: string;
  /** Milliseconds; null: no limit. */
  readonly ms: number | null;
  readonly from: 'set' | 'default';
}

export interface Diagnosis {
  /** The session's real path. */
  readonly session: string;
  /** When it was looked. Wall clock, milliseconds since 1970. */
  readonly at: number;
  readonly condition: Condition;
  /** What is the matter besides. */
  readonly also: readonly Condition[];
  /** The whole of it in one sentence. */
  readonly sentence: string;
  readonly freeBy: FreeBy;
  readonly holder: Holder | null;
  /** Of the holder's process; null where the lock is not one of ours. */
  readonly liveness: Liveness | null;
  /** Why the work does not settle; null where nobody has ended it. */
  readonly unsettledBecause: string | null;
  /** Whom it hurts: who waits, the longest first. */
  readonly waiting: readonly Waiter[];
  /** What is not as we write it. */
  readonly damage: readonly string[];
  readonly leftovers: readonly Leftover[];
  readonly next: NextStep;
  readonly budgets: readonly BudgetInForce[];
  /** Of a session in an engine: the last token granted, and the highest its records carry; 0: none. */
  readonly tokens?: { readonly granted: number; readonly written: number };
  /** The last reports, the newest first, at most 20. */
  readonly reports: readonly KeptReport[];
}
