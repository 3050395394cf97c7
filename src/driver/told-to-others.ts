/**
 * What an attempt tells others about itself: while it holds its lock, and, as a kept report, after its end.
 */
import type { AttemptContext } from '../../machines/attempt.types.js';
import { keptOf } from '../kept-report.js';
import { finiteOf, type HolderFacts } from '../locks/holder-facts.js';
import type { HolderInfo, Lease } from '../locks/lock-store.js';
import type { AttemptSpec } from '../options.js';
import { processMark } from '../owner.js';
import type { AttemptReport } from '../report.js';
import { callSafely } from '../warnings.js';

/** Where the attempt is, asked when somebody wants to know. */
export interface Whereabouts {
  state(): string;
  context(): AttemptContext;
}

/** Live: what moves is read when somebody asks who holds the lock. */
export class ToldToOthers implements HolderInfo {
  readonly attemptId: string;
  readonly pid: number;
  readonly host: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly supersedable: boolean;
  note: string | null = null;
  readonly #spec: AttemptSpec<unknown>;
  readonly #at: Whereabouts;
  #budgets: HolderFacts['budgets'] | null = null;
  #stateSince: number;
  #progressAt: number | null = null;

  constructor(spec: AttemptSpec<unknown>, at: Whereabouts) {
    const { pid, host } = processMark();
    this.attemptId = spec.attemptId;
    this.labels = spec.labels;
    this.supersedable = spec.supersedable;
    this.pid = pid;
    this.host = host;
    this.#spec = spec;
    this.#at = at;
    this.#stateSince = spec.clock.wallNow();
  }

  get state(): string {
    return this.#at.state();
  }

  get facts(): HolderFacts {
    const { budgets, setBudgets, onUnsettled, cleanup } = this.#spec;
    this.#budgets ??= finiteOf(budgets);
    return {
      stateSince: this.#stateSince, progressAt: this.#progressAt, unsettled: this.#at.context().unsettled, onUnsettled,
      hasCleanup: cleanup !== undefined, budgets: this.#budgets, set: setBudgets, loopDelayMs: null,
    };
  }

  moved(): void {
    this.#stateSince = this.#spec.clock.wallNow();
  }

  progressed(note: string | null): void {
    this.#progressAt = this.#spec.clock.wallNow();
    if (note !== null) this.note = note;
  }

  /** After the end, for whoever asks later. Whether it is kept changes nothing for the attempt. */
  keep(report: AttemptReport, lease: Lease | null): void {
    const { token, session } = report;
    if (!lease || token === null) return;
    const { pid, host } = this;
    callSafely(
      `${session}: keeping the report`,
      () => lease.keepReport?.(keptOf(report, token, { pid, host, endedAt: this.#spec.clock.wallNow() })), 'REPORT_NOT_KEPT',
    );
  }
}
