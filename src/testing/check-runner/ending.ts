/**
 * How every sequence ends, whatever it was: all work settles, every attempt ends, an outsider gets the
 * lock, and the runner's own next start runs (S6 of the contract). Owns: the checks at the end.
 */
import { Breach } from './breach.js';
import { checkAbandoned } from './musts.js';
import { free, startAttempt, untilEnded } from './perform.js';
import { step } from './step.js';
import type { WatchedAttempt } from './watched-attempt.js';
import type { World } from './world.js';

/** The number of the start that follows every sequence. */
const NEXT = 9;

function settleAll(world: World): void {
  for (const attempt of world.attempts.values()) {
    if (attempt.calls > 0 && !attempt.settled) {
      const late = attempt.ended ? 'LATE SETTLED(ok)' : 'SETTLED(ok)';
      world.tell(late, `the work of attempt ${attempt.n}: nothing is left undone`);
    }
    attempt.settle('ok');
  }
}

async function lockIsFree(world: World): Promise<void> {
  const release = await world.takeWithin(world.endMs);
  world.tell('OUTSIDER TRIES', release ? 'granted' : `busy for more than ${world.endMs} ms`);
  if (!release)
    throw new Breach(
      world.leakOf,
      'the lock is given back',
      `an outsider found it busy for ${world.endMs} ms after the end`,
    );
  await world.giveBack(release);
}

/** The end was announced and the lock was busy then; that it came free later is what makes it this case. */
function checkDone(world: World, attempt: WatchedAttempt): void {
  if (attempt.atEnd !== 'busy') return;
  throw new Breach(
    world.releasesFail ? 'M06' : 'M20',
    `the lock is free when the end of attempt ${attempt.n} is announced`,
    'an outsider found it busy then, and free later',
  );
}

function checkUnchanged(world: World, attempt: WatchedAttempt): void {
  const { outcomeAtEnd: then } = attempt;
  const now = world.outcomeOf(attempt);
  if (!then || !now || (then.abortedBy === now.abortedBy && then.abandoned === now.abandoned)) return;
  throw new Breach(
    'M03',
    `the outcome of attempt ${attempt.n} stays what it was at its end`,
    `it was ${JSON.stringify(then)} and became ${JSON.stringify(now)}`,
  );
}

async function nextStartRuns(world: World): Promise<void> {
  if (world.releasesFail) world.failRelease(0);
  world.tell('', 'and the next attempt of the session:');
  const next = startAttempt(world, step('START', '', NEXT));
  if (!(await world.patience.until(() => next.calls > 0 || next.ended, world.waitMs)) || next.calls === 0) {
    throw new Breach(
      world.leakOf,
      "the session's next start runs",
      next.ended ? 'it ended without running' : 'it neither ran nor ended',
    );
  }
  next.settle('ok');
  await untilEnded(world, next);
  if (next.signal?.aborted)
    throw new Breach('M19', 'nothing aborts the next attempt', 'its signal has fired');
}

/** Throws the first Breach. */
export async function endSequence(world: World): Promise<void> {
  const started = [...world.attempts.values()];
  settleAll(world);
  await free(world);
  for (const attempt of started) await untilEnded(world, attempt);
  await lockIsFree(world);
  for (const attempt of started) {
    checkDone(world, attempt);
    checkUnchanged(world, attempt);
    checkAbandoned(world, attempt);
  }
  await nextStartRuns(world);
  await lockIsFree(world);
}
