/**
 * Delicate sections: stretches of the work that a time limit may wait for, or in which it stands still.
 * Owns: which are open. Must not know: what a budget is; the machine decides whether one waits (INCIDENTS M17).
 */
import type { AttemptEvent } from '../../machines/attempt.types.js';
import { expect, expectKnown, expectMs } from '../config-checks.js';
import { AttemptError } from '../errors.js';
import type { LazyAbort } from './lazy-abort.js';

/** How a time limit treats a section. */
export interface SectionOptions {
  /**
   * A limit that is over while the section runs waits until no section is open, at most the longest `graceMs` of those
   * open then, once in the attempt's life; milliseconds, 0 to 2^31-1. Default: 0, it does not wait.
   */
  readonly graceMs?: number;
  /**
   * The limits of the attempt stand still while the section runs: of `timeoutMs` what was left goes on afterwards,
   * `idleTimeoutMs` begins anew. Default: false.
   */
  readonly pauseTimeout?: boolean;
}

/** What sections need of the work side. */
export interface SectionsHost {
  readonly session: string;
  /** Has the work been told to end? */
  readonly told: LazyAbort;
  dispatch(event: AttemptEvent): void;
  state(): string;
  /** Milliseconds since the work was started. */
  ranMs(): number;
  /** A section was entered or left. */
  changed(what: string): void;
}

/** A name that is shown to others is bounded. */
const LONGEST_NAME = 64;

export class Sections {
  readonly #host: SectionsHost;
  readonly #open: string[] = [];

  constructor(host: SectionsHost) {
    this.#host = host;
  }

  /** The names of the sections open now, outermost first; null where there is none. */
  get open(): string | null {
    return this.#open.length === 0 ? null : this.#open.join(' > ');
  }

  /** What the work calls. See `WorkContext.section`. */
  async run<T>(name: string, fn: () => T | PromiseLike<T>, options: SectionOptions = {}): Promise<T> {
    expectKnown(options, ['graceMs', 'pauseTimeout']);
    const { graceMs = 0, pauseTimeout = false } = options;
    const isName = typeof name === 'string' && name.length > 0 && name.length <= LONGEST_NAME;
    expect(isName, 'section', `a name of 1 to ${LONGEST_NAME} characters`, name);
    expect(typeof fn === 'function', 'section', 'a function to run', fn);
    expectMs('graceMs', graceMs);
    expect(typeof pauseTimeout === 'boolean', 'pauseTimeout', 'true or false', pauseTimeout);
    this.#expectRunning(name);
    const how = { graceMs, pausesBudgets: pauseTimeout };
    this.#open.push(name);
    this.#host.dispatch({ type: 'section.entered', ...how, ranMs: this.#host.ranMs() });
    this.#host.changed(`section.entered ${name}`);
    try {
      return await fn();
    } finally {
      this.#open.splice(this.#open.lastIndexOf(name), 1);
      this.#host.changed(`section.left ${name}`);
      this.#host.dispatch({ type: 'section.left', ...how, ranMs: this.#host.ranMs() });
    }
  }

  /** Nothing new is begun by work that has been told to end. */
  #expectRunning(name: string): void {
    const { told, session } = this.#host;
    told.throwIfAborted();
    if (this.#host.state().startsWith('running')) return;
    throw new AttemptError('WRITER_CLOSED', `Expected the attempt on ${session} to be running, but it has ended: `
      + `the section "${name}" was not begun.`);
  }
}
