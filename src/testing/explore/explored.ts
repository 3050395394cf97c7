/** What `exploreAttempt()` is asked and what it answers. Types only. */
import type { AttemptMachine } from '../../../machines/attempt.machine.js';
import type { AbortedBy } from '../../../machines/attempt.types.js';
import type { Rules } from './together/rules.js';
import type { Lived } from './together/life.js';
import type { Variant } from './variants.js';

export type Cause = Exclude<AbortedBy, 'leaseLost'>;

export interface Progress {
  /** What is being walked, in words. */
  readonly what: string;
  /** Worlds seen so far in this walk. */
  readonly worlds: number;
  /** How many of them have been looked at. How many there will be nobody knows before the end. */
  readonly done: number;
}

export interface ExploreOptions {
  /** How many attempts share the session: 1, 2 or 3. Default 1. */
  readonly attempts?: 1 | 2 | 3;
  /** The machine to walk. Default: this package's own. */
  readonly machine?: AttemptMachine;
  /**
   * Which set-ups to walk. Default: all 48 for one attempt, the two of `twoVariants` for more. Several attempts meet
   * in every combination of them.
   */
  readonly variants?: readonly Variant[];
  /**
   * Which requests to abort are sent. Default: all four for one attempt; `user` and `timeout` for more, since S18 says
   * of the walk of one that no other cause ends differently. A lost lease is a fact and always possible.
   */
  readonly causes?: readonly Cause[];
  /** How many late aborts, of different kinds, may be sent to one attempt: 0 to 5. Default 1. */
  readonly lateAborts?: number;
  /**
   * Several attempts: how many of them may have a yield window, where their set-ups allow one. 0 to 3. Default: two of
   * two, one of three (all of three: see README.md).
   */
  readonly windows?: number;
  /** One attempt: walk states apart that differ only in who aborted, instead of relying on S18. Default false. */
  readonly tellCausesApart?: boolean;
  /** Give up on a walk beyond this many worlds. Default: 2 million for one attempt, 100 million for more. */
  readonly mostWorlds?: number;
  /** Stop after violations of this many invariants: 1 or more. Default 8. */
  readonly mostFound?: number;
  /** Gets one line for each walk, as it is done. */
  readonly print?: (line: string) => void;
  /** Called as a walk begins and every so many worlds of it (64, of several attempts 4 096); keep it short. */
  readonly onProgress?: (progress: Progress) => void;
  /** Several attempts: answers put in the place of honest ones, to see that the walk finds what is wrong with them. */
  readonly faults?: Faults;
}

/** A seeded fault of the composition. */
export interface Faults {
  readonly rules?: Partial<Rules>;
  /** Bends what shows of an attempt, or what it can do; works on a copy. */
  readonly bend?: (life: Lived) => void;
}

export interface Violation {
  /** Of the invariant, as in `machines/attempt.invariants.ts`. */
  readonly id: string;
  readonly what: string;
  /** The shortest trace, readable. */
  readonly story: string;
}

export interface Explored {
  readonly attempts: 1 | 2 | 3;
  /** Worlds of all attempts together, and ways from one to the next. */
  readonly worlds: number;
  readonly transitions: number;
  /** Moves on the way to the world that is farthest away; between several attempts only visible ones count. */
  readonly depth: number;
  /** States of one attempt's machine and driver, and how often the machine made a step: once for each question. */
  readonly states: number;
  readonly machineTransitions: number;
  /** Several attempts: worlds of each one alone, and the classes of those that others can tell apart. */
  readonly alone: { readonly worlds: number; readonly transitions: number; readonly classes: number } | null;
  /** Seconds in all, and worlds of `worlds` a second of the walk that found them. */
  readonly seconds: number;
  readonly worldsPerSecond: number;
  /** False if a limit was met or a violation stopped the walk: then nothing is proved. */
  readonly isWhole: boolean;
  /** Which invariants were decided, by id. */
  readonly checked: readonly string[];
  /** The first of each invariant. */
  readonly violations: readonly Violation[];
}
