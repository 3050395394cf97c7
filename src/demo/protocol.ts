/**
 * What the demonstration and its processes say to each other. Types only, besides the clock they share.
 * Times are milliseconds of the machine's monotonic clock, which is one clock for all processes.
 */
import type { AbortedBy, LeaseOutcome, Outcome } from '../index.js';

/**
 * What the work of an attempt does once it holds the lock and has written its first record:
 * - `returns`: at once
 * - `obeys`: goes on until told to finish, and ends when told to stop
 * - `throws`: goes on until told to finish, then throws
 * - `ignores`: goes on when told to stop, and tries to write once it is told to finish; never settles
 * - `freezes`: told to finish, its process stands still between the last check of a write and the write itself
 */
export type Play = 'returns' | 'obeys' | 'throws' | 'ignores' | 'freezes';

export interface AttemptCommand {
  readonly do: 'attempt' | 'byHand';
  readonly name: string;
  readonly session: string;
  readonly play: Play;
  readonly timeoutMs?: number;
  readonly settleMs?: number;
  readonly note?: string;
}

export type Command =
  | AttemptCommand
  /** A few attempts on a session of its own, then `ready`: a runner that is measured is not new to its work. */
  | { readonly do: 'rehearse'; readonly session: string }
  | { readonly do: 'stop' | 'finish'; readonly name: string }
  /** Should the demonstration itself be killed, this process ends that one: it may be unable to end by itself. */
  | { readonly do: 'guard'; readonly pid: number };

/** The end of an attempt, as far as it can travel. */
export interface Ending {
  readonly outcome: Outcome;
  readonly abortedBy: AbortedBy | null;
  readonly abandoned: boolean;
  readonly lease: LeaseOutcome;
}

export type Saying =
  | { readonly is: 'ready' }
  | { readonly is: 'state'; readonly name: string; readonly state: string }
  | { readonly is: 'granted'; readonly name: string; readonly at: number; readonly wallAt: number }
  /** The store acknowledged this record. */
  | { readonly is: 'wrote'; readonly name: string; readonly step: string }
  | { readonly is: 'refused'; readonly name: string; readonly code: string }
  /** The abort: the moment before the user's stop, or the moment the limit fired. */
  | { readonly is: 'aborted'; readonly name: string; readonly at: number }
  | { readonly is: 'settled'; readonly name: string; readonly at: number }
  | { readonly is: 'freezing'; readonly name: string; readonly at: number }
  | {
    readonly is: 'ended'; readonly name: string; readonly at: number;
    readonly ending: Ending; readonly path: readonly string[];
  }
  | { readonly is: 'endedByHand'; readonly name: string; readonly at: number; readonly error: string | null };

export type Word = Saying['is'];

/** Milliseconds on the clock that all processes of this machine share. */
export const sharedNow = (): number => Number(process.hrtime.bigint()) / 1e6;

/** The lease of the demonstration, milliseconds: short, so that a crash is shown quickly; long enough for a busy machine. */
export const LEASE_MS = 4_000;
