/**
 * What a snapshot remembers and nobody reads any more, brought to one form, so that the walk sees one state where the
 * machine cannot tell two apart. Each step says why that is so; the table of the machine holds it cell by cell.
 * Must not know: the store, the driver.
 */
import { pathOf, type Command, type Snapshot } from '../../../machines/attempt.invariants.js';
import { newRunClock } from '../../../machines/attempt.run-clock.js';

/** Numbers of commands before the second request are below this one: a request, an opening, two asks for release. */
const SECOND_REQUEST = 5;

type Context = Snapshot['context'];

/**
 * A third ask for release differs from a second in nothing that guards or delays look at (`asks > 1`, the last
 * number, any number since the first; pauses have reached their longest, see variants.ts): so it takes its number.
 * Without this no walk would end, for a release may be asked for again and again.
 */
function thirdAsks(context: Context): Context {
  const { asks, seq, firstAsk } = context;
  const isThird = firstAsk > 0 && seq > firstAsk + 1;
  return asks <= 2 && !isThird ? context : { ...context, asks: Math.min(asks, 2), seq: isThird ? seq - 1 : seq };
}

/**
 * Of the first grant a second request leaves nothing that a guard looks at: numbers are compared with those since the
 * request, so it takes one that no earlier command can have had. What became of that grant is only reported from here
 * on, and only if no other comes to be known; whether that word was true has been checked when it was found (R1).
 */
function secondRequest(context: Context): Context {
  const { seq, request, lease } = context;
  if (seq !== request || seq > SECOND_REQUEST) return context;
  const word = lease === null ? null : 'released';
  return { ...context, seq: SECOND_REQUEST, request: SECOND_REQUEST, lease: word, releaseError: undefined };
}

/** Budgets and sections are looked at while the work runs, and after that by nothing. */
const clockStopped = (context: Context): Context =>
  (context.clock === newRunClock ? context : { ...context, clock: newRunClock });

/** @param named the commands of the step that led here */
export function forgetWhatNobodyReads(snapshot: Snapshot, named: readonly Command[]): Snapshot {
  const { context: own, value } = snapshot;
  let context = thirdAsks(own);
  if (named.includes('requestLock') && own.work !== 'none') context = secondRequest(context);
  if (!pathOf(value).startsWith('running')) context = clockStopped(context);
  if (context === own) return snapshot;
  return Object.assign(Object.create(Object.getPrototypeOf(snapshot) as object) as Snapshot, snapshot, { context });
}
