/**
 * What a check comes to. Owns: the shape users program against.
 */
import type { ModeId } from './modes.js';

/** How a mode was broken, by its shortest sequence. */
export interface BreachReport {
  /**
   * The shrunk sequence in the words of the incident family, e.g. `START GRANTED RUN ABORT(user)
   * SETTLED(err)`.
   */
  readonly sequence: string;
  readonly expected: string;
  readonly seen: string;
  /** What happened, one line each. */
  readonly story: readonly string[];
  /** The mode whose case it is; differs from the mode's own id only where that mode itself held. */
  readonly caseOf: ModeId;
  /** The value of the option `replay` that runs this very sequence again. */
  readonly replay: string;
}

export interface ModeResult {
  readonly id: ModeId;
  readonly title: string;
  /** What was asked of the runner. */
  readonly must: string;
  readonly status: 'holds' | 'breaks' | 'notExercised';
  /** Different sequences that were run and said something, shrinking included. */
  readonly sequences: number;
  /**
   * Different sequences that met a fault of another mode first, or did not come to what they were made for.
   */
  readonly inconclusive: number;
  /** With `breaks`: the first breach. */
  readonly breach: BreachReport | null;
  /** With `breaks`, M01 only: every cause that breaks, e.g. `ABORT(user)`. Otherwise empty. */
  readonly causes: readonly string[];
  /** With `notExercised`: why. */
  readonly why: string | null;
  /** What of the mode was left out, and why; never silently. */
  readonly missing: readonly string[];
  /** Named in `require`. */
  readonly required: boolean;
}

export interface CheckResult {
  /** The port is sound, nothing breaks, and whatever `require` names holds. */
  readonly ok: boolean;
  readonly seed: number;
  /** Faulty: nothing is said about the runner, and every mode is `notExercised`. */
  readonly port:
    | { readonly status: 'sound' }
    | { readonly status: 'faulty'; readonly part: string; readonly message: string };
  /** In the order of the incident family. */
  readonly modes: readonly ModeResult[];
  /** Different sequences over all modes. */
  readonly sequences: number;
  /**
   * Rejections nobody handled that were not the scripted work's: the runner's own. They end a process of
   * Node.
   */
  readonly strayRejections: readonly string[];
  /** For people. */
  toText(): string;
  /** The result without its functions, for `JSON.stringify`. */
  toJSON(): CheckResultData;
  /** A JUnit file: breaks are failures, required and not exercised too, not exercised is skipped. */
  toJUnit(): string;
}

export type CheckResultData = Omit<CheckResult, 'toText' | 'toJSON' | 'toJUnit'>;
