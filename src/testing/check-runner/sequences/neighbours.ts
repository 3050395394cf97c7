/**
 * Sequences about whoever comes beside or after an attempt: M08 to M13, M18, M19, M21, M22.
 */
import {
  aborted,
  chain,
  either,
  endedByAbort,
  endedByItself,
  fixed,
  oneOf,
  onAttempt,
  requested,
  several,
  some,
  turns,
  type Context,
  type Steps,
} from './context.js';

/** A second start from inside the work, which waits for it; or beside it. */
export function nested(context: Context): Steps {
  return either(
    context,
    chain(
      context,
      fixed(context, 'START RUN'),
      turns(context),
      fixed(context, 'NEST#2'),
      onAttempt(2, fixed(context, 'ENDED')),
    ),
    chain(
      context,
      fixed(context, 'START RUN'),
      onAttempt(2, fixed(context, 'START')),
      turns(context),
      oneOf(context, 'SETTLED(ok)', 'SETTLED(err)'),
      fixed(context, 'ENDED'),
    ),
  );
}

/** The work goes on, or comes back, after its attempt has ended, and writes. */
export function zombieWrites(context: Context): Steps {
  const { fc } = context;
  const neighbour = either(
    context,
    fixed(context, ''),
    fixed(context, 'HOLD'),
    onAttempt(2, fixed(context, 'START RUN WRITE')),
  );
  return fc
    .tuple(endedByAbort(context), neighbour, turns(context))
    .map(
      ([ended, beside, wait]) =>
        [
          ...ended,
          ...beside,
          ...wait,
          { verb: 'WRITE', n: 1, arg: '' },
          { verb: 'MUST', n: 1, arg: 'hidden' },
          ...(beside.length > 1 ? [{ verb: 'MUST', n: 2, arg: 'shown' } as const] : []),
        ] as const,
    );
}

export function ownWrites(context: Context): Steps {
  return chain(
    context,
    fixed(context, 'START RUN WRITE'),
    some(context, 4, 'WRITE', 'YIELD', 'TICK(settleMs)'),
    fixed(context, 'MUST(quiet) SETTLED(ok) ENDED MUST(cause:none) MUST(shown)'),
  );
}

export const watchdog = (context: Context): Steps =>
  chain(
    context,
    oneOf(context, 'START RUN', 'START RUN WRITE'),
    fixed(context, 'STALL MUST(fenced)'),
    oneOf(context, 'SETTLED(ok)', 'SETTLED(err)'),
  );

export const renewal = (context: Context): Steps =>
  chain(
    context,
    fixed(context, 'START RUN TICK(leaseMs) MUST(renewed)'),
    oneOf(context, '', 'TICK(leaseMs) MUST(renewed)'),
    oneOf(context, 'SETTLED(ok)', 'SETTLED(err)'),
    fixed(context, 'ENDED HOLD FREE TICK(leaseMs) MUST(freeNow)'),
  );

/** An ended attempt beside its successor's lock; two that wait for one lock. */
export function foreignRelease(context: Context): Steps {
  const { causes, endsUnsettled } = context;
  const kinds = requested(context);
  const late = [...(endsUnsettled ? ['SETTLED(err)', 'SETTLED(ok)'] : []), ...kinds, 'YIELD'];
  const successor = chain(
    context,
    causes.length > 0
      ? either(context, endedByItself(context), endedByAbort(context))
      : endedByItself(context),
    fixed(context, 'HOLD'),
    several(context, 3, ...late),
    fixed(context, 'YIELD MUST(busy)'),
  );
  // Drawn by itself, and often: work that outlives its attempt is what most foreign releases come from.
  const outlived = causes.map((cause) =>
    chain(
      context,
      aborted(context, cause),
      fixed(context, 'ENDED HOLD'),
      several(context, 3, ...late),
      fixed(context, 'YIELD MUST(busy)'),
    ),
  );
  const race = chain(
    context,
    fixed(context, 'HOLD START'),
    onAttempt(2, fixed(context, 'START')),
    turns(context),
    fixed(context, 'FREE'),
    turns(context, 3),
  );
  return either(context, ...(endsUnsettled ? outlived : []), successor, race);
}

/** Two or three aborts, in any order and in the same tick or not; the first one is the cause. */
export function causes(context: Context): Steps {
  const { endsUnsettled } = context;
  const settles = endsUnsettled
    ? oneOf(context, 'SETTLED(err)', '', 'SETTLED(ok)')
    : oneOf(context, 'SETTLED(err)', 'SETTLED(ok)');
  const kinds = requested(context);
  const later = chain(context, turns(context, 1), several(context, 3, ...kinds, 'YIELD'));
  const first = context.causes.map((cause) =>
    chain(
      context,
      aborted(context, cause),
      later,
      settles,
      fixed(context, 'ENDED'),
      endsUnsettled ? oneOf(context, '', 'SETTLED(err)', 'SETTLED(ok)') : fixed(context, ''),
      oneOf(context, '', ...kinds),
      fixed(context, `MUST(cause:${cause})`),
    ),
  );
  const afterEnd = chain(
    context,
    endedByItself(context),
    oneOf(context, ...kinds),
    fixed(context, 'MUST(cause:none)'),
  );
  return either(context, ...first, afterEnd);
}

/** What is left of attempt 1 meets attempt 2. */
export function wrongGeneration(context: Context): Steps {
  const { endsUnsettled } = context;
  const late = [...requested(context), ...(endsUnsettled ? ['SETTLED(err)', 'SETTLED(ok)'] : [])];
  return chain(
    context,
    either(context, endedByItself(context), endedByAbort(context)),
    onAttempt(2, fixed(context, 'START RUN')),
    several(context, 3, ...late, 'YIELD'),
    fixed(context, 'YIELD'),
    onAttempt(2, fixed(context, 'MUST(quiet) MUST(busy) SETTLED(ok) ENDED MUST(cause:none)')),
  );
}

/** 2^31 ms is one more than a timer keeps; Node makes 1 ms of it. */
const OVERLONG = [2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER].map((ms) => `START(overlong:${ms})`);

export const budgets = (context: Context): Steps =>
  chain(context, oneOf(context, ...OVERLONG), fixed(context, 'TICK(settleMs) MUST(kept)'));

/** The lock is held by an outsider or by another attempt for longer than the patience. */
export function busy(context: Context): Steps {
  return either(
    context,
    fixed(context, 'HOLD START TICK(waitMs) ENDED MUST(neverRan) MUST(cause:none) FREE'),
    chain(
      context,
      fixed(context, 'START RUN'),
      onAttempt(2, fixed(context, 'START TICK(waitMs) ENDED MUST(neverRan) MUST(cause:none)')),
      oneOf(context, 'SETTLED(ok)', 'SETTLED(err)'),
    ),
  );
}
