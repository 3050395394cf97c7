/**
 * Sequences as data: steps in the vocabulary of the incident family, written as text and read back.
 * Owns: the words. Must not know: how a step is performed.
 */

/**
 * - `START(how)#n`: attempt n is started; how: `limit` (a short run budget), `overlong:MS`, what the work
 *   does by itself (`obeys`, `finishes`, `throws`), `probe` (an outsider tries the lock in the very tick it
 *   ends)
 * - `RUN#n`: its work is called, so the lock was granted. Written `GRANTED RUN`
 * - `ABORT(kind)#n`; `ABORT_INSIDE(kind)#n`: from inside the work, which waits for the answer
 * - `SETTLED(ok|err|undefined)#n`: the work returns, rejects, rejects with undefined
 * - `ENDED#n`: the runner says within its bounds that the attempt has ended
 * - `HOLD`, `FREE`: an outsider takes the lock, gives it back
 * - `YIELD`: one turn of the event loop. `TICK(settleMs|waitMs|leaseMs|timeoutMs)`: that much time
 * - `WRITE#n`, `WRITE_BEGIN#n`: through the runner's writer, waited for or not
 * - `NEST#n`: attempt n is started from inside attempt 1's work, which waits for its end
 * - `FAIL_RELEASE(times)`, `STALL`: the process stands still for longer than a lease
 * - `MUST(fact)#n`: what has to be true now
 */
export const VERBS = [
  'START',
  'RUN',
  'ABORT',
  'ABORT_INSIDE',
  'SETTLED',
  'ENDED',
  'HOLD',
  'FREE',
  'YIELD',
  'TICK',
  'WRITE',
  'WRITE_BEGIN',
  'NEST',
  'FAIL_RELEASE',
  'STALL',
  'MUST',
] as const;

export type Verb = (typeof VERBS)[number];

export interface Step {
  readonly verb: Verb;
  /** Which attempt, from 1. */
  readonly n: number;
  readonly arg: string;
}

export type Sequence = readonly Step[];

/** One step. @param n which attempt, from 1. Default: 1 */
export const step = (verb: Verb, arg = '', n = 1): Step => ({ verb, n, arg });

const textOf = ({ verb, n, arg }: Step): string =>
  (verb === 'RUN' ? 'GRANTED ' : '') + verb + (arg && `(${arg})`) + (n > 1 ? `#${n}` : '');

/** A sequence as text, e.g. `START GRANTED RUN ABORT(user) SETTLED(err)`. */
export const writeSequence = (sequence: Sequence): string => sequence.map(textOf).join(' ');

const WORD = /^([A-Z_]+)(?:\(([^()]*)\))?(?:#([1-9]))?$/;

/**
 * Reads what `writeSequence` wrote, or what somebody wrote by hand.
 * @throws RangeError naming the word that is none
 */
export function readSequence(text: string): Sequence {
  return text
    .split(/\s+/)
    .filter((word) => word !== '' && word !== 'GRANTED')
    .map((word) => {
      const [, verb, arg = '', n = '1'] = WORD.exec(word) ?? [];
      if (verb === undefined || !(VERBS as readonly string[]).includes(verb)) {
        throw new RangeError(
          `expected one of ${VERBS.join(', ')} with (argument) and #attempt, got ${JSON.stringify(word)}`,
        );
      }
      return step(verb as Verb, arg, Number(n));
    });
}
