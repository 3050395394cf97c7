/**
 * Random lives of one attempt: options, and what happens to it in which order. A step that means nothing at its
 * moment (a grant nobody asked for, a second settle) does nothing, so every sequence is a plan and shrinks well.
 */
import fc from 'fast-check';
import type { AbortRequester } from '../../src/index.js';

export interface PlanOptions {
  readonly waitMs: number;
  readonly settleMs: number;
  readonly timeoutMs: number | null;
  readonly idleTimeoutMs: number | null;
  readonly cleanup: boolean;
  readonly onUnsettled: 'fence' | 'hold';
  readonly hasTokens: boolean;
  /** Does the signal fire before the start? */
  readonly signalledBefore: boolean;
}

/** `silent grant`: the lock is theirs, and the answer is on its way until `tell`. */
export type StoreAnswer = 'grant' | 'busy' | 'unknown' | 'reject' | 'silent grant' | 'tell' | 'garbage';

export type Step =
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'abort'; readonly by: AbortRequester }
  | { readonly do: 'signal' } | { readonly do: 'progress' } | { readonly do: 'write' } | { readonly do: 'yield' }
  | { readonly do: 'answer'; readonly with: StoreAnswer }
  | { readonly do: 'open' | 'settle' | 'clean'; readonly how: 'well' | 'badly' }
  | { readonly do: 'notice'; readonly type: 'lost' | 'superseded' | 'inDoubt' }
  /** `freed`: it went through, but the answer is lost. */
  | { readonly do: 'release'; readonly how: 'honestly' | 'unknown' | 'reject' | 'freed' };

export interface Plan {
  readonly options: PlanOptions;
  readonly steps: readonly Step[];
  /** How the store answers asks for release once the steps are over; `silent` never. */
  readonly finally: 'honestly' | 'silent' | 'reject';
}

const one = <K extends string, const V extends string>(key: K, ...values: V[]): fc.Arbitrary<{ [P in K]: V }> =>
  fc.constantFrom(...values).map((value) => ({ [key]: value }) as { [P in K]: V });

const moments = fc.constantFrom(0, 1, 49, 50, 100, 101, 400, 3_000, 12_000);
const answers: readonly StoreAnswer[] = [
  'grant', 'grant', 'grant', 'busy', 'unknown', 'reject', 'silent grant', 'tell', 'garbage',
];
const facts = { do: fc.constantFrom('open', 'open', 'settle', 'clean'), how: fc.constantFrom('well', 'badly') };

const weighted: readonly [number, fc.Arbitrary<unknown>][] = [
  [4, moments.map((ms) => ({ do: 'advance', ms }))],
  [4, one('by', 'user', 'timeout', 'shutdown', 'superseded').map((by) => ({ do: 'abort', ...by }))],
  [1, one('do', 'signal', 'progress', 'yield')],
  [2, one('do', 'write')],
  [6, one('with', ...answers).map((answer) => ({ do: 'answer', ...answer }))],
  [8, fc.record(facts)],
  [2, one('type', 'lost', 'superseded', 'inDoubt').map((type) => ({ do: 'notice', ...type }))],
  [3, one('how', 'honestly', 'unknown', 'reject', 'freed').map((how) => ({ do: 'release', ...how }))],
];
const step = fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary }))) as fc.Arbitrary<Step>;

/** Most plans begin as lives do; what comes first in a plan would otherwise rarely be reached. */
const granted: Step = { do: 'answer', with: 'grant' };
const onwards: Step = { do: 'yield' };
const running: readonly Step[] = [granted, onwards, { do: 'open', how: 'well' }, onwards];
const beginnings: readonly (readonly Step[])[] = [
  [], [granted], running,
  [...running, { do: 'settle', how: 'well' }, onwards], [...running, { do: 'settle', how: 'badly' }, onwards],
];

export const plans: fc.Arbitrary<Plan> = fc.record({
  options: fc.record({
    waitMs: fc.constantFrom(0, 300, Infinity), settleMs: fc.constantFrom(0, 100),
    timeoutMs: fc.constantFrom(null, null, 400), idleTimeoutMs: fc.constantFrom(null, null, 150),
    cleanup: fc.boolean(), onUnsettled: fc.constantFrom('fence', 'fence', 'hold'),
    hasTokens: fc.constantFrom(true, true, false),
    signalledBefore: fc.constantFrom(false, false, false, false, true),
  }),
  steps: fc.tuple(fc.constantFrom(...beginnings), fc.array(step, { maxLength: 14 })).map((parts) => parts.flat()),
  finally: fc.constantFrom('honestly', 'honestly', 'silent', 'reject'),
});
