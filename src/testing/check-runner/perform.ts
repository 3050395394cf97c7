/**
 * What each word of a sequence does. Owns: the steps that act. What has to be true is in `musts.ts`.
 */
import { Breach, Inconclusive } from './breach.js';
import { must } from './musts.js';
import { stall } from './patience.js';
import { PortFault, type AbortKind } from './port.js';
import type { Step, Verb } from './step.js';
import type { SettleHow, WatchedAttempt } from './watched-attempt.js';
import { LIMIT_MS, type World } from './world.js';

/** How long `STALL` is, in leases: proper-lockfile may date a lock of 2 s up to 1 s ahead. */
const STALL_LEASES = 1.6;

type Performer = (world: World, step: Step) => void | Promise<void>;

/** `START(limit)`, `START(overlong:2147483648)`, or no budget. */
function budgetOf(args: readonly string[]): number | null {
  if (args.includes('limit')) return LIMIT_MS;
  const overlong = args.find((arg) => arg.startsWith('overlong:'));
  return overlong === undefined ? null : Number(overlong.slice('overlong:'.length));
}

export function startAttempt(world: World, { n, arg }: Step): WatchedAttempt {
  const args = arg.split(',').filter((one) => one !== '');
  const attempt = world.create(n, new Set(args));
  const budget = budgetOf(args);
  const about = args.length > 0 ? `attempt ${n} (${args.join(', ')})` : `attempt ${n}`;
  world.tell('START', budget === null ? about : `${about}, timeoutMs ${budget}`);
  try {
    attempt.start(world.port, world.session, budget);
  } catch (cause) {
    if (attempt.handle) throw new PortFault('start', 'start must return { ended: a promise }', { cause });
    attempt.refusal = cause;
    attempt.ended = true;
    world.tell('REFUSED', `start threw: ${String(cause)}`);
  }
  return attempt;
}

async function untilCalled(world: World, { n }: Step): Promise<void> {
  const attempt = world.attempt(n);
  const { waitMs, patience } = world;
  if ((await patience.until(() => attempt.calls > 0 || attempt.ended, waitMs)) && attempt.calls > 0) return;
  throw new Breach(
    world.leakOf,
    `attempt ${n} gets the free lock and runs within waitMs (${waitMs} ms)`,
    attempt.ended ? 'it ended without running' : 'it neither ran nor ended',
  );
}

function abort(world: World, attempt: WatchedAttempt, by: AbortKind): unknown {
  if (attempt.cause === null && attempt.signal?.aborted && !attempt.ended) {
    throw new Inconclusive('a time limit was faster than the abort that was to come before it');
  }
  if (!attempt.handle?.abort) throw new Inconclusive('the port has no abort()');
  const late = attempt.ended;
  if (!late) {
    world.aborts += 1;
    attempt.cause ??= by;
    attempt.abortedEarly ||= attempt.calls === 0;
  }
  world.tell(late ? 'LATE ABORT' : 'ABORT', `attempt ${attempt.n}, by ${by}`);
  let answer: unknown;
  try {
    answer = attempt.handle.abort(by);
  } catch (thrown) {
    // an answer like any other; what it did is checked below
    world.tell('', `abort threw: ${String(thrown)}`);
  }
  if (answer === 'unsupported') throw new Inconclusive(`the runner knows no abort by ${by}`);
  Promise.resolve(answer).catch(() => undefined); // whoever wants the answer has asked for it
  return answer;
}

/** The work waits for what `begin` gives, and settles after it. */
function workWaitsFor(attempt: WatchedAttempt, how: SettleHow, begin: () => unknown): void {
  attempt.inside(() => {
    const settle = (): void => attempt.settle(how);
    void Promise.resolve(begin()).then(settle, settle);
  });
}

async function untilTimeout(world: World, { n }: Step): Promise<void> {
  const attempt = world.attempt(n);
  attempt.cause ??= 'limit';
  world.aborts += 1;
  if (!(await world.patience.until(() => attempt.signal?.aborted === true || attempt.ended, LIMIT_MS))) {
    throw new Breach('M01', `the run budget of ${LIMIT_MS} ms ends attempt ${n}`, 'the work was not told');
  }
  world.tell('TICK(timeoutMs)', `the run budget of attempt ${n} is over`);
}

/** How long the runner may take to the end from here, by what it still has to wait for. */
const endsWithin = (world: World, attempt: WatchedAttempt): number =>
  world.endMs + (attempt.calls === 0 ? world.waitMs : 0);

export async function untilEnded(world: World, attempt: WatchedAttempt): Promise<void> {
  if (world.holdsForWork && attempt.calls > 0 && !attempt.settled) {
    world.tell('SETTLED(ok)', `attempt ${attempt.n}: by its policy it waits for its work, which ends now`);
    attempt.settle('ok');
  }
  const ms = endsWithin(world, attempt);
  if (!(await world.patience.until(() => attempt.ended, ms))) {
    const unsettled = attempt.calls > 0 && !attempt.settled;
    const waits = attempt.calls === 0 && attempt.cause === null;
    throw new Breach(
      waits ? (world.mode === 'M08' ? 'M08' : 'M22') : world.leakOf,
      `attempt ${attempt.n} ends within its bounds (${ms} ms)`,
      waits ? 'it is still waiting' : `it did not end${unsettled ? '; its work has not settled' : ''}`,
    );
  }
  if (attempt.probe) await world.patience.until(() => attempt.atEnd !== null, world.settleMs);
}

function write(world: World, { n }: Step): Promise<void> {
  const { port, session } = world;
  const attempt = world.attempt(n);
  const text = `attempt ${n}, write ${attempt.written.length + 1}`;
  const record = { text, late: attempt.ended, acknowledged: false, done: Promise.resolve() };
  attempt.written.push(record);
  record.done = Promise.resolve(port.write?.(session, attempt.attemptId, text)).then(
    () => {
      record.acknowledged = true;
      world.tell('', `${JSON.stringify(text)} was acknowledged`);
    },
    () => world.tell('', `${JSON.stringify(text)} was refused`),
  );
  world.tell(record.late ? 'LATE WRITE' : 'WRITE', JSON.stringify(text));
  return record.done;
}

export async function hold(world: World): Promise<void> {
  world.hold = await world.takeWithin(world.endMs);
  if (!world.hold) {
    throw new Breach(
      world.leakOf,
      'an outsider gets the lock',
      `it was busy for more than ${world.endMs} ms`,
    );
  }
  world.tell('HOLD', 'an outsider takes the lock');
}

export async function free(world: World): Promise<void> {
  const { hold: held } = world;
  world.hold = null; // before the lock is given back: from here on a grant is right
  if (!held) return;
  world.tell('FREE', 'the outsider gives the lock back');
  await world.giveBack(held);
}

async function tick(world: World, step: Step): Promise<void> {
  if (step.arg === 'timeoutMs') return untilTimeout(world, step);
  const ms = { settleMs: world.settleMs, waitMs: world.waitMs, leaseMs: world.leaseMs }[step.arg];
  if (ms === undefined)
    throw new RangeError(`TICK(${step.arg}): expected settleMs, waitMs, leaseMs or timeoutMs`);
  world.tell('TICK', `${step.arg}: ${ms} ms pass`);
  await world.patience.pass(ms);
}

export const PERFORM: Readonly<Record<Verb, Performer>> = {
  START: (world, step) => void startAttempt(world, step),
  RUN: untilCalled,
  ABORT: (world, { n, arg }) => void abort(world, world.attempt(n), arg as AbortKind),
  ABORT_INSIDE: (world, { n, arg }) => {
    const attempt = world.attempt(n);
    let inconclusive: unknown = null;
    world.abortedInside = true;
    workWaitsFor(attempt, 'err', () => {
      try {
        return abort(world, attempt, arg as AbortKind);
      } catch (error) {
        inconclusive = error;
        return undefined;
      }
    });
    if (inconclusive) throw inconclusive;
  },
  SETTLED: (world, { n, arg }) => {
    const attempt = world.attempt(n);
    world.tell(attempt.ended ? `LATE SETTLED(${arg})` : `SETTLED(${arg})`, `the work of attempt ${n}`);
    attempt.settle(arg as SettleHow);
  },
  ENDED: (world, { n }) => untilEnded(world, world.attempt(n)),
  HOLD: hold,
  FREE: free,
  YIELD: (world) => world.patience.turn(),
  TICK: tick,
  WRITE: (world, step) => world.patience.answer('write', () => write(world, step)),
  WRITE_BEGIN: (world, step) => void write(world, step),
  NEST: (world, step) => {
    world.tell(
      'NEST',
      `attempt ${step.n} is started from inside the work of attempt 1, which waits for its end`,
    );
    workWaitsFor(world.attempt(1), 'ok', () => startAttempt(world, step).handle?.ended);
  },
  FAIL_RELEASE: (world, { arg }) => {
    const times = arg === 'always' ? Infinity : Number(arg);
    world.tell(
      'FAIL_RELEASE',
      arg === 'always' ? 'no release works any more' : `the next ${times} releases fail`,
    );
    world.releasesFail = true;
    world.needsLease = true;
    world.failRelease(times);
  },
  STALL: (world) => {
    world.tell('STALL', `the process stands still for longer than leaseMs (${world.leaseMs} ms)`);
    world.needsLease = true;
    stall(world.leaseMs * STALL_LEASES);
  },
  MUST: must,
};
