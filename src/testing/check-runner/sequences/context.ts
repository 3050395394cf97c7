/**
 * What sequences are made from: which causes there are, what the port can do, and what is broken already.
 * Owns: the building blocks that several modes share. Must not know: how steps are performed.
 */
import type fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { readSequence, step, type Sequence, type Step } from '../step.js';
import type { Cause } from '../watched-attempt.js';

export type FastCheck = typeof fc;

export interface Context {
  readonly fc: FastCheck;
  /** The causes left: those the runner knows and that do not break M01 already. At least one. */
  readonly causes: readonly Cause[];
  /** Does an aborted attempt end while its work goes on? False: M03 is broken, or the policy is to hold. */
  readonly endsUnsettled: boolean;
  readonly canAbort: boolean;
  readonly canWrite: boolean;
  readonly canTell: boolean;
  readonly leaseEnds: boolean;
}

export type Steps = Arbitrary<Sequence>;

/** One after the other. */
export const chain = ({ fc }: Context, ...parts: Steps[]): Steps =>
  fc.tuple(...parts).map((all) => all.flat());

/** These very steps. */
export const fixed = ({ fc }: Context, text: string): Steps => fc.constant(readSequence(text));

/**
 * One of these ways; shrinks towards the first, and within it. Not `fc.oneof`, which shrinks only within
 * the way that was drawn, and with cross-shrinking, nested as here, takes minutes.
 */
export const either = ({ fc }: Context, ...ways: Steps[]): Steps =>
  fc.tuple(fc.nat({ max: ways.length - 1 }), fc.tuple(...ways)).map(([which, drawn]) => drawn[which] ?? []);

/** One of these; shrinks towards the first by way of those between, which `fc.constantFrom` leaves out. */
export function oneOf({ fc }: Context, ...texts: string[]): Steps {
  const choices = texts.map(readSequence);
  return fc.nat({ max: choices.length - 1 }).map((which) => choices[which] ?? []);
}

/** Up to `most` of these, in any order; shrinks towards none. */
export const some = (context: Context, most: number, ...texts: string[]): Steps =>
  context.fc.array(oneOf(context, ...texts), { maxLength: most }).map((all) => all.flat());

/** At least one and up to `most` of these. */
export const several = (context: Context, most: number, ...texts: string[]): Steps =>
  context.fc.array(oneOf(context, ...texts), { minLength: 1, maxLength: most }).map((all) => all.flat());

/** A few turns of the event loop; shrinks towards none. */
export const turns = (context: Context, most = 2): Steps => some(context, most, 'YIELD');

/** The same steps on another attempt. */
export const onAttempt = (n: number, steps: Steps): Steps =>
  steps.map((all) => all.map(({ verb, arg }): Step => step(verb, arg, n)));

/** The causes that come from outside, through `abort`. */
export const requested = ({ causes }: Context): string[] =>
  causes.filter((cause) => cause !== 'limit').map((by) => `ABORT(${by})`);

/** A start and the cause that ends it, which for a run budget begins with the start. */
export function aborted(context: Context, cause: Cause, between: Steps = fixed(context, '')): Steps {
  if (cause === 'limit')
    return chain(context, fixed(context, 'START(limit) RUN'), between, fixed(context, 'TICK(timeoutMs)'));
  return chain(context, fixed(context, 'START RUN'), between, fixed(context, `ABORT(${cause})`));
}

/** The same with work that reacts by itself, inside the abort. */
export function abortedReacting(context: Context, cause: Cause): Steps {
  const [start, end] = cause === 'limit' ? ['limit,', 'TICK(timeoutMs)'] : ['', `ABORT(${cause})`];
  return oneOf(context, `START(${start}obeys) RUN ${end}`, `START(${start}finishes) RUN ${end}`);
}

/**
 * From a start to the announced end by any cause; the work has settled, or, where that ends too, it has
 * not.
 */
export function endedByAbort(context: Context): Steps {
  const { causes, endsUnsettled } = context;
  const settles = oneOf(context, 'SETTLED(err)', 'SETTLED(ok)');
  const ways = causes.flatMap((cause) => [
    ...(endsUnsettled ? [aborted(context, cause)] : []),
    chain(context, aborted(context, cause), turns(context, 1), settles),
    abortedReacting(context, cause),
  ]);
  return chain(context, either(context, ...ways), fixed(context, 'ENDED'));
}

/** From a start to the announced end by itself. */
export const endedByItself = (context: Context): Steps =>
  oneOf(context, 'START RUN SETTLED(ok) ENDED', 'START RUN SETTLED(err) ENDED');
