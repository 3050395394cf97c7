/**
 * What is told of an attempt from outside, step by step: the schema of a trace, version 1.
 * Owns: its words. A trace holds names, numbers and states; never a value, a reason, an error's message or a record.
 * Must not know: who listens, or how a trace is kept.
 */
import type { commands } from '../../machines/attempt.actions.js';
import type {
  AbortedBy, AttemptContext, AttemptEvent, AttemptInput, AttemptOutput, Budgets, LeaseOutcome, Outcome, TimeoutKind,
} from '../../machines/attempt.types.js';

/** Raised when a field changes its meaning or goes; a new field alone does not raise it. */
export const TRACE_VERSION = 1;

interface Common {
  readonly v: typeof TRACE_VERSION;
  readonly attemptId: string;
  readonly session: string;
}

/** The first record of an attempt: what its machine was given. */
export interface AttemptRecord extends Common {
  readonly kind: 'attempt';
  /** Of its first step. Wall clock, milliseconds since 1970. */
  readonly at: number;
  readonly pid: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly input: Omit<AttemptInput, 'budgets'> & {
    /** Milliseconds; null: no limit. */
    readonly budgets: { readonly [Name in keyof Budgets]: number | null };
  };
}

/** What the machine heard: the event's name and, of its fields, the numbers. `after.<limit>`: a timer of a state. */
export interface TracedEvent {
  readonly type: string;
  readonly seq?: number;
  readonly token?: number | null;
  readonly kind?: TimeoutKind;
  readonly ranMs?: number;
  readonly graceMs?: number;
  readonly pausesBudgets?: boolean;
  /** A code such as `ENOSPC` or `LOCK_BUSY`, where the event brought an error with one. */
  readonly code?: string;
}

/** What the machine remembers after the step, as far as the invariants ask for it. */
export type Facts =
  & Pick<AttemptContext, 'seq' | 'request' | 'lock' | 'token' | 'lateAborts' | 'work' | 'unsettled' | 'abandoned' | 'asks'
    | 'firstAsk' | 'lease'>
  & {
    readonly abort: { readonly by: AbortedBy; readonly kind: TimeoutKind | null } | null;
    readonly failure: string | null;
  };

/** One step of the machine, whether or not it changed its state. */
export interface TransitionRecord extends Common {
  readonly kind: 'transition';
  /** 1, 2, 3 ... without a gap. */
  readonly n: number;
  /** Monotonic, milliseconds since the attempt's first step. */
  readonly at: number;
  readonly event: TracedEvent;
  readonly from: string;
  readonly to: string;
  /** What the driver was told to do, in order. */
  readonly commands: readonly Command[];
  readonly after: Facts;
}

/** The last record: the outcome. */
export interface EndRecord extends Common {
  readonly kind: 'end';
  readonly at: number;
  readonly outcome: Outcome;
  readonly abortedBy: AbortedBy | null;
  readonly timeoutKind: TimeoutKind | null;
  readonly lease: LeaseOutcome;
  readonly settled: boolean | null;
  readonly abandoned: boolean;
  readonly lateAborts: readonly AbortedBy[];
  readonly token: number | null;
  /** The code of the report's error, if it has one. */
  readonly code: string | null;
}

export type TraceRecord = AttemptRecord | TransitionRecord | EndRecord;
export type Command = keyof typeof commands;

const limitOf = (ms: number): number | null => (Number.isFinite(ms) ? ms : null);

export const recordedInput = ({ budgets, ...rest }: AttemptInput): AttemptRecord['input'] => ({
  ...rest,
  budgets: Object.fromEntries(Object.entries(budgets).map(([name, ms]) => [name, limitOf(ms as number)])) as never,
});

/** A code is a word of a program, never of a user: anything else is left out. */
export function codeOf(error: unknown): string | undefined {
  try {
    const { code } = (error ?? {}) as { code?: unknown };
    return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : undefined;
  } catch {
    return undefined; // a getter that throws: whatever it is, it is not a code
  }
}

/** `xstate.after.settleMs.attempt.aborting` is `after.settleMs`; every other event keeps its name. */
const nameOf = (type: string): string => (type.startsWith('xstate.after.') ? `after.${type.split('.')[2]}` : type);

export function recordedEvent(event: AttemptEvent): TracedEvent {
  const { type, seq, token, kind, ranMs, graceMs, pausesBudgets, error } = event as TracedEvent & { error?: unknown };
  const code = codeOf(error);
  return {
    type: nameOf(type), ...(seq !== undefined && { seq }), ...(token !== undefined && { token }),
    ...(kind !== undefined && { kind }), ...(ranMs !== undefined && { ranMs }), ...(graceMs !== undefined && { graceMs }),
    ...(pausesBudgets !== undefined && { pausesBudgets }), ...(code !== undefined && { code }),
  };
}

export function factsOf(context: AttemptContext): Facts {
  const { seq, request, lock, token, lateAborts, work, unsettled, abandoned, asks, firstAsk, lease, abort, failure } = context;
  return {
    seq, request, lock, token, lateAborts, work, unsettled, abandoned, asks, firstAsk, lease,
    abort: abort && { by: abort.by, kind: abort.kind }, failure: failure?.code ?? null,
  };
}

/** The code the report's error carries: `ABORT_ERR` is what the reasons of ours have. */
const codeOfEnd = ({ outcome, abortedBy, failure, workError }: AttemptOutput): string | null => {
  if (outcome === 'aborted') return abortedBy === 'leaseLost' ? 'LEASE_LOST' : 'ABORT_ERR';
  if (outcome === 'notStarted') return codeOf(failure?.detail) ?? failure?.code ?? null;
  return outcome === 'failed' ? codeOf(workError) ?? null : null;
};

export function recordedEnd(output: AttemptOutput): Omit<EndRecord, keyof Common | 'kind' | 'at'> {
  const { outcome, abortedBy, timeoutKind, lease, settled, abandoned, lateAborts, token } = output;
  return { outcome, abortedBy, timeoutKind, lease, settled, abandoned, lateAborts, token, code: codeOfEnd(output) };
}
