/**
 * Sequences about giving the lock back: M01 to M07, M20. Each function makes what its mode's sequences
 * are drawn from.
 */
import {
  aborted,
  abortedReacting,
  chain,
  either,
  endedByAbort,
  endedByItself,
  fixed,
  oneOf,
  requested,
  some,
  turns,
  type Context,
  type Steps,
} from './context.js';
import type { Cause } from '../watched-attempt.js';

/** One cause at a time: which kinds break is the news. */
export function kindGated(context: Context, cause: Cause): Steps {
  const settles = oneOf(context, 'SETTLED(err)', 'SETTLED(ok)', 'SETTLED(undefined)');
  return either(
    context,
    chain(context, aborted(context, cause, turns(context)), turns(context), settles),
    abortedReacting(context, cause),
  );
}

/** Aborted while an outsider holds the lock, or in the tick of the start. */
export function whileAcquiring(context: Context): Steps {
  const kinds = requested(context);
  const more = some(context, 2, 'YIELD', ...kinds);
  return either(
    context,
    chain(
      context,
      fixed(context, 'HOLD START'),
      turns(context),
      oneOf(context, ...kinds),
      more,
      oneOf(context, 'FREE', 'TICK(settleMs) FREE', 'ENDED FREE'),
      fixed(context, 'ENDED MUST(neverRan)'),
    ),
    chain(context, fixed(context, 'START'), oneOf(context, ...kinds), more),
  );
}

export function ignored(context: Context): Steps {
  const { causes } = context;
  const late = oneOf(context, '', 'SETTLED(err)', 'SETTLED(undefined)', 'SETTLED(ok)');
  const again = some(context, 2, 'YIELD', ...requested(context));
  return chain(
    context,
    either(context, ...causes.map((cause) => aborted(context, cause))),
    again,
    fixed(context, 'ENDED'),
    late,
    turns(context),
  );
}

/** Long after the end, and after a successor came and went. */
export function lateReacquire(context: Context): Steps {
  const late = context.endsUnsettled ? ['SETTLED(err)', 'SETTLED(ok)', 'YIELD'] : ['YIELD'];
  return chain(
    context,
    endedByAbort(context),
    fixed(context, 'HOLD'),
    some(context, 2, ...late),
    fixed(context, 'FREE TICK(settleMs) MUST(freeNow)'),
    oneOf(context, '', 'TICK(settleMs) MUST(freeNow)'),
  );
}

/** The abort comes from inside the work; or the lock is given back while a write is under way. */
export function waitsForItself(context: Context): Steps {
  const { canWrite, endsUnsettled } = context;
  const inside = oneOf(
    context,
    ...requested(context).map((abort) => abort.replace('ABORT', 'ABORT_INSIDE')),
  );
  const settles = endsUnsettled
    ? oneOf(context, '', 'SETTLED(err)', 'SETTLED(ok)')
    : oneOf(context, 'SETTLED(err)');
  const selfAbort = chain(
    context,
    fixed(context, 'START RUN'),
    turns(context),
    inside,
    fixed(context, 'ENDED'),
  );
  const inFlight = chain(
    context,
    fixed(context, 'START RUN WRITE_BEGIN'),
    oneOf(context, ...requested(context)),
    settles,
    fixed(context, 'ENDED MUST(sealed)'),
  );
  return canWrite ? either(context, selfAbort, inFlight) : selfAbort;
}

export function releaseFails(context: Context): Steps {
  const { leaseEnds, causes } = context;
  const times = leaseEnds ? ['1', '2', 'always'] : ['1', '2'];
  const endings = either(
    context,
    oneOf(context, 'START(probe) RUN SETTLED(ok)', 'START(probe) RUN SETTLED(err)'),
    ...causes
      .filter((cause) => cause !== 'limit')
      .map((cause) => fixed(context, `START(probe) RUN ABORT(${cause}) SETTLED(err)`)),
  );
  return chain(context, oneOf(context, ...times.map((n) => `FAIL_RELEASE(${n})`)), endings);
}

/** Every way the work can end by itself, and what may follow it. */
export function everyPath(context: Context): Steps {
  const after = context.canAbort ? ['', 'ENDED', 'ENDED ABORT(user)'] : ['', 'ENDED'];
  const settles = oneOf(context, 'SETTLED(ok)', 'SETTLED(err)', 'SETTLED(undefined)');
  return chain(
    context,
    either(
      context,
      chain(context, fixed(context, 'START RUN'), turns(context), settles),
      fixed(context, 'START(throws) RUN'),
      chain(context, fixed(context, 'START'), settles, fixed(context, 'RUN')),
    ),
    oneOf(context, ...after),
  );
}

/** In the tick of the end, an outsider tries. */
export function doneBeforeDone(context: Context): Steps {
  const ways =
    context.causes.length > 0 ? [endedByItself(context), endedByAbort(context)] : [endedByItself(context)];
  return either(context, ...ways).map((all) =>
    all.map((one) =>
      one.verb === 'START' ? { ...one, arg: one.arg === '' ? 'probe' : `${one.arg},probe` } : one,
    ),
  );
}
