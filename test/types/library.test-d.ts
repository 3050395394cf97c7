/**
 * What the library's types promise, checked by `tsc -p test/tsconfig.json`. Nothing here is run.
 */
import {
  createAttempt, runAttempt, unwrap,
  type AbortedBy, type AbortReason, type AbortRequester, type Attempt, type AttemptError, type AttemptOptions,
  type AttemptReport, type LockStore, type SessionWriter, type WorkContext,
} from '../../src/index.js';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false;
/** Compiles only if the two are the same type. */
const same = <A, B>(isSame: Same<A, B>): void => void isSame;

declare const report: AttemptReport<{ reply: string }>;

// The report is told apart by its outcome.
export function narrowing(): void {
  if (report.outcome === 'completed') {
    same<typeof report.value, { reply: string }>(true);
    same<typeof report.error, null>(true);
    same<typeof report.abortedBy, null>(true);
    same<typeof report.settled, true>(true);
  } else if (report.outcome === 'failed') {
    same<typeof report.value, undefined>(true);
    same<typeof report.error, unknown>(true);
    same<typeof report.abandoned, false>(true);
  } else if (report.outcome === 'notStarted') {
    same<typeof report.error, AttemptError>(true);
    same<typeof report.settled, null>(true);
    same<typeof report.error.holder, AttemptError['holder']>(true);
  } else {
    same<typeof report.outcome, 'aborted'>(true);
    same<typeof report.value, { reply: string } | undefined>(true);
    same<typeof report.error, AbortReason | AttemptError>(true);
    same<typeof report.abortedBy, AbortedBy>(true);
    same<typeof report.settled, boolean | null>(true);
  }
  // ... and `abortedBy` tells the aborted from the rest, too.
  if (report.abortedBy !== null) same<typeof report.outcome, 'aborted'>(true);
}

// The value's type comes from the work: a value, a promise, a thenable, nothing.
export async function inference(locks: LockStore, thenable: PromiseLike<Date>): Promise<void> {
  const session = 's';
  same<typeof one.value, number | undefined>(true);
  const one = await runAttempt({ session, work: () => 5 as number });
  same<Awaited<ReturnType<typeof two.start>>, AttemptReport<string>>(true);
  const two = createAttempt({ session, locks, work: async () => 'text' as string });
  same<typeof two, Attempt<string>>(true);
  same<ReturnType<typeof unwrap<Date>>, Date>(true);
  const three = unwrap(await runAttempt({ session, work: () => thenable }));
  same<typeof three, Date>(true);
  const four = unwrap(await runAttempt({ session, work: async ({ session: writer }) => writer.append({ a: 1 }) }));
  same<typeof four, void>(true);
  const five = unwrap(await runAttempt<number | string>({ session, work: () => 5 }));
  same<typeof five, number | string>(true);
}

export function context({ signal, session, guard, token, attemptId, progress }: WorkContext): void {
  same<typeof signal, AbortSignal>(true);
  same<typeof session, SessionWriter>(true);
  same<typeof token, number | null>(true);
  same<typeof attemptId, string>(true);
  same<ReturnType<typeof guard<Promise<Date>>>, Promise<Date>>(true);
  progress();
  progress('note');
  // @ts-expect-error a note is text
  progress(5);
  // @ts-expect-error a record is an object
  void session.append('text');
}

same<AbortRequester, 'user' | 'timeout' | 'shutdown' | 'superseded'>(true);

export function options(attempt: Attempt<number>, signal: AbortSignal): void {
  const work = (): number => 5;
  const fine: AttemptOptions<number> = {
    session: 's', work, signal, waitMs: Infinity, records: 'none', onUnsettled: 'hold', labels: { job: '7' },
    classifyAbort: () => 'shutdown', cleanup: async ({ outcome, settled }) => [outcome, settled],
    onTimeout: ({ kind }) => kind.toUpperCase(),
    dispose: ({ value, lease }) => [value?.toFixed(), lease],
  };
  createAttempt(fine);
  attempt.abort();
  attempt.abort('why', { by: 'superseded' });
  // @ts-expect-error a lost lease is a fact, never a request
  attempt.abort('why', { by: 'leaseLost' });
  // @ts-expect-error there is no stop()
  attempt.stop();
  // @ts-expect-error the session is required
  createAttempt({ work });
  // @ts-expect-error the work is required
  createAttempt({ session: 's' });
  // @ts-expect-error there is no option `timeout`
  createAttempt({ session: 's', work, timeout: 5 });
  // @ts-expect-error times are numbers
  createAttempt({ session: 's', work, timeoutMs: '5s' });
  // @ts-expect-error labels are strings
  createAttempt({ session: 's', work, labels: { job: 7 } });
  // @ts-expect-error either policy, no third
  createAttempt({ session: 's', work, onUnsettled: 'wait' });
  // @ts-expect-error who aborts is one of four
  createAttempt({ session: 's', work, classifyAbort: () => 'me' });
}
