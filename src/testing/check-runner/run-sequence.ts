/**
 * One sequence on a fresh port, from its first step to the closed port.
 * Owns: what comes out of it. Must not know: where the sequence came from.
 */
import { Breach, Inconclusive } from './breach.js';
import { endSequence } from './ending.js';
import type { ModeId } from './modes.js';
import { Patience } from './patience.js';
import { free, PERFORM } from './perform.js';
import { PortFault, type MakePort, type RunnerPort } from './port.js';
import type { Sequence } from './step.js';
import { World } from './world.js';

export type Verdict =
  | { readonly kind: 'held' }
  | { readonly kind: 'inconclusive'; readonly why: string }
  | { readonly kind: 'breach'; readonly breach: Breach; readonly story: readonly string[] };

export interface SequenceResult {
  readonly verdict: Verdict;
  /** Did the runner tell an outcome whenever it was asked for one? Null: it was never asked. */
  readonly outcomesKnown: boolean | null;
}

const HELD: Verdict = { kind: 'held' };

function throwFirstFinding(world: World): void {
  const [first] = world.findings;
  if (first) throw first;
}

function checkRejections(world: World): void {
  const dropped = [...world.attempts.values()].find(({ unhandled }) => unhandled);
  if (!dropped) return;
  throw new Breach(
    dropped.cause ? 'M03' : 'M07',
    'somebody handles the rejection of the work',
    `nobody did, for attempt ${dropped.n}: an unhandledRejection, which ends a process of Node`,
  );
}

async function perform(world: World, sequence: Sequence): Promise<void> {
  try {
    for (const step of sequence) {
      await PERFORM[step.verb](world, step);
      throwFirstFinding(world);
    }
    await endSequence(world);
  } catch (error) {
    if (error instanceof Breach) throwFirstFinding(world); // it came earlier, and may be why
    throw error;
  }
  await world.patience.turn(); // unhandled rejections are told between two turns
  throwFirstFinding(world);
  checkRejections(world);
}

/** Lets go of everything, whatever state the sequence was left in. */
async function leave(world: World): Promise<void> {
  for (const attempt of world.attempts.values()) attempt.settle('ok');
  if (world.releasesFail) world.failRelease(0);
  await free(world);
}

/** Makes a port. @throws PortFault if that fails or does not come back */
export async function openPort(makePort: MakePort): Promise<RunnerPort> {
  return new Patience(undefined).answer('makePort', makePort);
}

/** Closes it, within what its own bounds say it may still have to wait for. @throws PortFault */
export async function closePort(world: World): Promise<void> {
  await world.patience.answer(
    'close',
    () => world.port.close(),
    world.settleMs + world.waitMs + world.leaseMs,
  );
}

/**
 * Runs one sequence. @param mode whose sequence it is: checks in its middle count as cases of that mode
 * @throws PortFault
 */
export async function runSequence(
  makePort: MakePort,
  mode: ModeId,
  sequence: Sequence,
): Promise<SequenceResult> {
  const world = new World(await openPort(makePort), mode);
  const verdict = await perform(world, sequence).then(
    () => HELD,
    (error: unknown): Verdict => {
      if (error instanceof Breach) return { kind: 'breach', breach: error, story: [...world.story] };
      if (error instanceof Inconclusive) return { kind: 'inconclusive', why: error.message };
      throw error;
    },
  );
  // After a breach the runner may be in any state; a port that cannot close then is not the news.
  await leave(world)
    .then(() => closePort(world))
    .catch((fault: unknown) => {
      if (verdict.kind !== 'breach' || !(fault instanceof PortFault)) throw fault;
    });
  const { outcomesAsked, outcomesKnown } = world;
  return { verdict, outcomesKnown: outcomesAsked === 0 ? null : outcomesKnown > 0 };
}
