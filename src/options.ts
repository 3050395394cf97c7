/**
 * The options of an attempt: their meaning, their defaults, and the checks that run before anything is touched.
 * Owns: `CONFIG_INVALID`. Must not know: how an attempt is run.
 */
import { randomUUID } from 'node:crypto';
import type { InspectionEvent } from 'xstate';
import type { AbortedBy, Budgets, Outcome } from '../machines/attempt.types.js';
import { systemClock, type Clock } from './clock.js';
import type { SectionOptions } from './driver/sections.js';
import type { Yielded } from './driver/windows.js';
import { expect } from './config-checks.js';
import { localFileLocks } from './locks/file/local-file-locks.js';
import { BUDGET_NAMES } from './locks/holder-facts.js';
import type { LockStore } from './locks/lock-store.js';
import { fileRecords } from './session/file-records.js';
import type { AttemptReport } from './report.js';
import type { SessionRecords } from './session/session-records.js';
import type { SessionWriter } from './session/writer.js';
import type { TraceRecord } from './trace/record.js';
import {
  budgetsOf, checkBudgetsTogether, checkLabels, checkPorts, checkTakeOver, expectFunction, expectKnownKeys,
} from './option-checks.js';

/** Who may ask for an abort. `leaseLost` is a fact, never a request. */
export type AbortRequester = Exclude<AbortedBy, 'leaseLost'>;

/** What the work is given. */
export interface WorkContext {
  /** Fires on every abort. Its reason is an AbortError or TimeoutError, with `abortedBy` and `cause`. */
  readonly signal: AbortSignal;
  /** Writes records under the lock; closed in the tick the attempt leaves `running`. */
  readonly session: SessionWriter;
  /** Runs your own write behind the same gate: `session.guard`. */
  readonly guard: SessionWriter['guard'];
  /** The fencing token; null where the store has none. After a yield window it is another, higher one. */
  readonly token: number | null;
  readonly attemptId: string;
  /**
   * Gives the lock up while `fn` runs, and takes it back before it returns: for long waits (a model, a person) in which
   * others may have the session. Writes begun before are waited for, at most `settleMs`; writes inside are refused. The
   * budgets go on, waiting for the lock is bounded by `waitMs`.
   *
   * @param fn what runs without the lock; an error of it is thrown after the lock is back
   * @returns what `fn` returned, the new token, and what others wrote meanwhile
   * @throws the signal's reason if the attempt was aborted, then nothing is taken back; AttemptError `LOCK_YIELDED` (a
   *   window is open already), `WRITES_UNSETTLED`, `WRITER_CLOSED` (the attempt has ended). A lock that cannot be had
   *   back ends the attempt as `leaseLost`
   */
  yieldLock<T>(fn: () => T | PromiseLike<T>): Promise<Yielded<T>>;
  /**
   * Runs a stretch of work that a time limit should not cut: compaction, a repair, a person's approval. A limit that is
   * over meanwhile waits for it, once, at most `graceMs`; or the limits stand still while it runs. A user's abort is
   * told at once, as always. Its name is shown to whoever waits.
   *
   * @param name 1 to 64 characters
   * @returns what `fn` returned
   * @throws what `fn` throws; the signal's reason if the attempt was aborted before: nothing new is begun then;
   *   AttemptError `CONFIG_INVALID`, `WRITER_CLOSED`
   */
  section<T>(name: string, fn: () => T | PromiseLike<T>, options?: SectionOptions): Promise<T>;
  /** A sign of life: starts `idleTimeoutMs` anew; the note is shown to whoever waits. */
  progress(note?: string): void;
}

/** What the cleanup is given. */
export interface CleanupContext {
  /** A writer of its own, closed when the cleanup ends or its time is over. */
  readonly session: SessionWriter;
  readonly token: number | null;
  /** Fires when `cleanupMs` is over or the lock is lost. */
  readonly signal: AbortSignal;
  readonly outcome: Exclude<Outcome, 'notStarted'>;
  readonly abortedBy: AbortedBy | null;
  /** False: the work has not settled and may still be going. */
  readonly settled: boolean;
}

/** What a run of an attempt is made from. Times are in milliseconds, 0 to 2^31-1. */
export interface AttemptOptions<T> {
  /** What is protected: a file path for file locks, a key for engines. Required. */
  session: string;
  /** The caller's work. Called once, under the lock. Required. */
  work: (context: WorkContext) => T | PromiseLike<T>;
  /** Where the lock is kept. Default: `localFileLocks()`. */
  locks?: LockStore;
  /** Aborts the attempt when it fires; the reason decides who is named, see `classifyAbort`. Default: none. */
  signal?: AbortSignal;
  /** Run budget, counted from entering `running`. Default: none. */
  timeoutMs?: number;
  /** No `progress()` for this long is a timeout of kind `idle`. Default: none. */
  idleTimeoutMs?: number;
  /** Patience for the lock: 0 = one try, Infinity allowed. Default: 60 000. */
  waitMs?: number;
  /** How long aborted work, and writes already begun, may take to settle; 0 = do not wait. Default: 2 000. */
  settleMs?: number;
  /** Last writes under the lock, after the work and before the release. Default: none. */
  cleanup?: (context: CleanupContext) => unknown;
  /** Bound on `cleanup`. Default: 5 000. */
  cleanupMs?: number;
  /** Bound on opening the session. Default: 5 000. */
  openMs?: number;
  /** Bound on any answer of the store. Default: 5 000. */
  answerMs?: number;
  /**
   * Asks whoever holds the lock while we wait for it to end (`superseded`), in this process or another; the lock is ours
   * when it has been given back and nobody who has waited longer is left. A holder may refuse (`supersedable: false`):
   * then we wait as anybody does. Needs a `waitMs` above 0, and a store that can ask. Default: false.
   */
  takeOver?: boolean;
  /** False: another attempt's `takeOver` is refused. A user's stop is not. Default: true. */
  supersedable?: boolean;
  /**
   * Work that does not settle within `settleMs`: `fence` goes on and lets the closed writer and the token keep it
   * out; `hold` keeps the lock, renewed and visible as unsettled, until it ends. Default: `fence`.
   */
  onUnsettled?: 'fence' | 'hold';
  /** Called once on any timeout that ends the attempt; never awaited; a throw becomes a warning. Default: none. */
  onTimeout?: (facts: { attemptId: string; session: string; kind: 'run' | 'idle' | 'external' }) => unknown;
  /**
   * Disposal of what else the work used (a browser, a sandbox, a connection): called once, with the report, after the
   * lock has been given back. `done` does not wait for it; a throw or rejection becomes a warning. Not called for an
   * attempt that was made and neither started nor aborted. Default: none.
   */
  dispose?: (report: AttemptReport<T>) => unknown;
  /** Names this attempt; refused while another attempt of that name lives. Default: a random UUID. */
  attemptId?: string;
  /** Shown to whoever waits, e.g. your job id. At most 32, strings of at most 256 characters. Default: none. */
  labels?: Record<string, string>;
  /** What `session.append` writes to; `"none"`: append throws, `guard` works. Default: `fileRecords()`. */
  records?: SessionRecords | 'none';
  /** False writes plain lines: lock and gate still protect, but readers cannot tell a zombie's. Default: true. */
  stamp?: boolean;
  /**
   * Who a foreign abort reason stands for. Not asked for reasons of ours: those keep their `abortedBy`.
   * Default: `timeout` for an error named TimeoutError, else `user`.
   */
  classifyAbort?: (reason: unknown) => AbortRequester;
  /** Clocks and timers. Default: the system's. For tests. */
  clock?: Clock;
  /** XState's inspection callback, passed through. Default: none. */
  inspect?: (event: InspectionEvent) => void;
  /**
   * Told every step of the machine, in order, when its commands have been performed: names, numbers and states, none of
   * the session's content. For a trace file: one `JSON.stringify(record)` a line. A throw becomes a warning.
   * Default: none.
   */
  trace?: (record: TraceRecord) => void;
}

/** Options with every default filled in and every check passed. */
export interface AttemptSpec<T> {
  readonly session: string;
  readonly work: AttemptOptions<T>['work'];
  readonly locks: LockStore;
  readonly signal: AbortSignal | undefined;
  readonly budgets: Budgets;
  /** The budgets the caller has set; the others are defaults. */
  readonly setBudgets: readonly string[];
  readonly cleanup: AttemptOptions<T>['cleanup'];
  readonly takeOver: boolean;
  readonly supersedable: boolean;
  readonly onUnsettled: 'fence' | 'hold';
  readonly onTimeout: AttemptOptions<T>['onTimeout'];
  readonly dispose: AttemptOptions<T>['dispose'];
  readonly attemptId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly records: SessionRecords | null;
  readonly stamp: boolean;
  readonly classifyAbort: (reason: unknown) => AbortRequester;
  readonly clock: Clock;
  readonly inspect: ((event: InspectionEvent) => void) | undefined;
  readonly trace: ((record: TraceRecord) => void) | undefined;
}

/** The default stores, made once: their queue and heartbeat serve every attempt of the process. */
let defaultLocks: LockStore | undefined;
let defaultRecords: SessionRecords | undefined;

const defaultClassify = (reason: unknown): AbortRequester =>
  (reason as { name?: unknown } | null | undefined)?.name === 'TimeoutError' ? 'timeout' : 'user';

/**
 * Checks options and fills in defaults. Touches nothing.
 * @throws AttemptError `CONFIG_INVALID` naming the option, what was expected and what was found
 */
export function specOf<T>(options: AttemptOptions<T>): AttemptSpec<T> {
  expect(typeof options === 'object' && options !== null, 'options', 'an object', options);
  expectKnownKeys(options);
  checkPorts(options as AttemptOptions<unknown>);
  const { onUnsettled = 'fence', stamp = true, attemptId = randomUUID() } = options;
  const { takeOver = false, supersedable = true } = options;
  for (const name of ['cleanup', 'onTimeout', 'dispose', 'classifyAbort', 'inspect', 'trace'] as const) {
    expectFunction(name, options[name]);
  }
  expect(onUnsettled === 'fence' || onUnsettled === 'hold', 'onUnsettled', '"fence" or "hold"', onUnsettled);
  expect(typeof stamp === 'boolean', 'stamp', 'true or false', stamp);
  expect(
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    typeof attemptId === 'string' && /^[^\s\u0000-\u001f\u007f/]{1,200}$/.test(attemptId),
    'attemptId', '1 to 200 characters without spaces, slashes or control characters', attemptId,
  );
  const locks = options.locks ?? (defaultLocks ??= localFileLocks());
  const budgets = budgetsOf(options as AttemptOptions<unknown>, locks.capabilities.leaseMs);
  checkTakeOver(takeOver, supersedable, locks, budgets.waitMs);
  const labels = options.labels === undefined ? {} : checkLabels(options.labels);
  checkBudgetsTogether(budgets, options.cleanup !== undefined);
  return {
    session: options.session, work: options.work, locks, signal: options.signal, budgets, cleanup: options.cleanup,
    setBudgets: BUDGET_NAMES.filter((name) => name !== 'leaseMs' && options[name] !== undefined),
    takeOver, supersedable, onUnsettled, onTimeout: options.onTimeout, dispose: options.dispose, attemptId, labels,
    records: options.records === 'none' ? null : options.records ?? (defaultRecords ??= fileRecords()),
    stamp, classifyAbort: options.classifyAbort ?? defaultClassify, clock: options.clock ?? systemClock,
    inspect: options.inspect, trace: options.trace,
  };
}
