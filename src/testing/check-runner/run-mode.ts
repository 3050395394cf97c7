/**
 * One mode: draws sequences with fast-check, runs each on a fresh port, and lets it shrink the first that
 * breaks.
 *
 * A sequence of one mode may meet the case of another first (a lock that leaks after every user abort
 * leaks in nearly all of them). Such a sequence says nothing about its own mode. Only if that other mode
 * itself holds in the end is it counted here after all, by a second drawing from the same seed. Owns:
 * drawing, shrinking, counting. Must not know: what is asked of the runner.
 */
import type { Breach } from './breach.js';
import { MODES, type ModeId } from './modes.js';
import type { Plan } from './plan.js';
import { NO_OUTCOME } from './abilities.js';
import type { MakePort } from './port.js';
import type { BreachReport, ModeResult } from './result.js';
import { runSequence, type SequenceResult } from './run-sequence.js';
import type { FastCheck, Steps } from './sequences/context.js';
import { writeSequence, type Sequence } from './step.js';

export interface ModeSettings {
  readonly fc: FastCheck;
  readonly makePort: MakePort;
  readonly seed: number;
  /** Most sequences that are drawn for a way. */
  readonly sequences: number;
  /** After this long no further sequence is drawn, and shrinking stops. */
  readonly modeMs: number;
  readonly required: boolean;
}

interface Found {
  readonly sequence: Sequence;
  readonly result: SequenceResult;
}

/** The result of a mode of which nothing was run. */
export function notExercised(
  id: ModeId,
  why: string,
  missing: readonly string[],
  required: boolean,
): ModeResult {
  const { title, must } = MODES[id];
  return {
    id,
    title,
    must,
    status: 'notExercised',
    sequences: 0,
    inconclusive: 0,
    breach: null,
    causes: [],
    why,
    missing,
    required,
  };
}

export function breachReport(
  id: ModeId,
  sequence: Sequence,
  breach: Breach,
  story: readonly string[],
): BreachReport {
  const text = writeSequence(sequence);
  return {
    sequence: text,
    expected: breach.expected,
    seen: breach.seen,
    story,
    caseOf: breach.rule,
    replay: `${id}: ${text}`,
  };
}

export class ModeRun {
  readonly #id: ModeId;
  readonly #plan: Plan;
  readonly #settings: ModeSettings;
  readonly #seen = new Map<string, SequenceResult>();
  /** The modes whose cases count here. */
  readonly #cases: Set<ModeId>;
  /**
   * Not about the runner: it ends the whole check, and fast-check must not take it for a failure to shrink.
   */
  #fault: { readonly error: unknown } | null = null;

  constructor(id: ModeId, plan: Plan, settings: ModeSettings) {
    this.#id = id;
    this.#plan = plan;
    this.#settings = settings;
    this.#cases = new Set([id]);
  }

  /** Cases of other modes that were met. */
  get foreign(): readonly ModeId[] {
    const met = [...this.#seen.values()].flatMap(({ verdict }) =>
      verdict.kind === 'breach' ? [verdict.breach.rule] : [],
    );
    return [...new Set(met)].filter((rule) => rule !== this.#id);
  }

  /** From now on cases of these modes count here. */
  adopt(modes: readonly ModeId[]): void {
    for (const mode of modes) this.#cases.add(mode);
  }

  /**
   * Draws, or draws again: what was run before is not run again.
   * @throws PortFault if the port turns out faulty on the way
   */
  async run(): Promise<ModeResult> {
    const { ways, why, missing } = this.#plan;
    const { required } = this.#settings;
    if (ways.length === 0) return notExercised(this.#id, why ?? 'nothing to run', missing, required);
    const broken: { name: string; report: BreachReport }[] = [];
    for (const { name, steps } of ways) {
      const report = await this.#way(steps);
      if (report) broken.push({ name, report });
    }
    return this.#result(
      broken.map(({ name }) => name),
      broken[0]?.report ?? null,
    );
  }

  #result(names: readonly string[], breach: BreachReport | null): ModeResult {
    const id = this.#id;
    const { title, must } = MODES[id];
    const results = [...this.#seen.values()];
    const inconclusive = results.filter((one) => one.verdict.kind !== 'held' && !this.#breaks(one)).length;
    const sequences = results.length - inconclusive;
    const nothing =
      sequences === 0
        ? 'every sequence met a fault of another mode first'
        : id === 'M18' && !results.some((one) => one.outcomesKnown)
          ? NO_OUTCOME
          : this.#plan.why;
    return {
      id,
      title,
      must,
      sequences,
      inconclusive,
      breach,
      missing: this.#plan.missing,
      required: this.#settings.required,
      status: breach ? 'breaks' : nothing === null ? 'holds' : 'notExercised',
      causes: id === 'M01' ? names : [],
      why: breach ? null : nothing,
    };
  }

  /** @returns the shortest breach of this way, or null */
  async #way(steps: Steps): Promise<BreachReport | null> {
    const { fc, seed, sequences, modeMs } = this.#settings;
    const found: Found[] = [];
    const began = performance.now();
    const property = fc.asyncProperty(steps, async (sequence) => {
      // Ours, not fast-check's limit, which leaves a sequence that is under way. The counts say how far
      // it came.
      if (performance.now() - began > modeMs) return;
      const result = await this.#run(sequence);
      if (!this.#breaks(result)) return;
      found.push({ sequence, result });
      throw new Error(writeSequence(sequence));
    });
    await fc.check(property, { seed, numRuns: sequences });
    if (this.#fault) throw this.#fault.error;
    const shortest = found.at(-1); // shrinking only goes on from what still breaks
    if (shortest?.result.verdict.kind !== 'breach') return null;
    const { breach, story } = shortest.result.verdict;
    return breachReport(this.#id, shortest.sequence, breach, story);
  }

  #breaks({ verdict }: SequenceResult): boolean {
    return verdict.kind === 'breach' && this.#cases.has(verdict.breach.rule);
  }

  /** Drawn twice, run once: the counts are of different sequences. */
  async #run(sequence: Sequence): Promise<SequenceResult> {
    if (this.#fault) throw this.#fault.error;
    const text = writeSequence(sequence);
    const before = this.#seen.get(text);
    if (before) return before;
    try {
      const result = await this.#runWithControl(sequence);
      this.#seen.set(text, result);
      return result;
    } catch (error) {
      this.#fault = { error };
      throw error;
    }
  }

  /** What breaks without any failing release too is not a case of failing releases. */
  async #runWithControl(sequence: Sequence): Promise<SequenceResult> {
    const { makePort } = this.#settings;
    const result = await runSequence(makePort, this.#id, sequence);
    if (this.#id !== 'M06' || result.verdict.kind !== 'breach') return result;
    const control = await runSequence(
      makePort,
      this.#id,
      sequence.filter(({ verb }) => verb !== 'FAIL_RELEASE'),
    );
    return control.verdict.kind === 'breach' ? control : result;
  }
}
