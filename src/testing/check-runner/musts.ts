/**
 * What a sequence demands at one moment: `MUST(fact)`. Owns: the checks in the middle of a sequence.
 * What has to be true at every end is in `ending.ts`, what is watched all the time in `world.ts`.
 */
import { Breach } from './breach.js';
import type { Step } from './step.js';
import type { Cause, WatchedAttempt } from './watched-attempt.js';
import type { World } from './world.js';

type Check = (world: World, attempt: WatchedAttempt, arg: string) => void | Promise<void>;

async function outsiderGets(world: World): Promise<boolean> {
  const release = await world.tryLock();
  world.tell('OUTSIDER TRIES', release ? 'granted' : 'busy');
  if (release) await world.giveBack(release);
  return release !== null;
}

function fail(world: World, expected: string, seen: string): never {
  throw new Breach(world.mode, expected, seen);
}

async function seenByReaders(world: World): Promise<readonly string[]> {
  // Copied: a port may hand out the very array that its writer goes on filling.
  const texts = [...(await world.patience.answer('read', () => world.port.read?.(world.session) ?? []))];
  world.tell('READ', JSON.stringify(texts));
  return texts;
}

/** A late write that is still on its way has not been refused: it is given the time to land. */
async function writesDone(world: World, attempt: WatchedAttempt): Promise<void> {
  let pending = true;
  void Promise.all(attempt.written.map(({ done }) => done)).then(() => {
    pending = false;
  });
  await world.patience.until(() => !pending, world.settleMs);
}

async function hidden(world: World, attempt: WatchedAttempt): Promise<void> {
  await writesDone(world, attempt);
  const texts = await seenByReaders(world);
  const zombie = attempt.written.find(({ text, late }) => late && texts.includes(text));
  if (!zombie) return;
  fail(
    world,
    `what attempt ${attempt.n} writes after its end is refused or left out`,
    `readers see "${zombie.text}"`,
  );
}

async function shown(world: World, attempt: WatchedAttempt): Promise<void> {
  const texts = await seenByReaders(world);
  const lost = attempt.written.find(
    ({ text, late, acknowledged }) => !late && acknowledged && !texts.includes(text),
  );
  if (!lost) return;
  fail(world, `what was acknowledged to attempt ${attempt.n} is read`, `"${lost.text}" is not there`);
}

/** A write in flight when the lock is given away must have landed before, or never land. */
async function sealed(world: World, attempt: WatchedAttempt): Promise<void> {
  const release = await world.takeWithin(world.endMs);
  if (!release) throw new Breach(world.leakOf, 'an outsider gets the lock', 'it stayed busy');
  world.tell('OUTSIDER TRIES', 'granted');
  const before = await seenByReaders(world);
  await writesDone(world, attempt);
  const after = await seenByReaders(world);
  await world.giveBack(release);
  const landed = attempt.written.find(({ text }) => !before.includes(text) && after.includes(text));
  if (landed)
    fail(
      world,
      'a write begun under the lock has landed before the lock is given away',
      `"${landed.text}" landed later`,
    );
}

/** The word a runner has to say about a cause: a run budget that is over is a timeout. */
const wordOf = (cause: string): string | undefined =>
  cause === 'none' ? undefined : cause === 'limit' ? 'timeout' : cause;

function causeIs(world: World, attempt: WatchedAttempt, cause: string): void {
  const outcome = world.outcomeOf(attempt);
  if (outcome === undefined) return;
  const wanted = wordOf(cause);
  const said = outcome.abortedBy ?? undefined; // null means the same to many
  if (said === wanted) return;
  fail(
    world,
    `attempt ${attempt.n} is reported as ${wanted ? `aborted by ${wanted}` : 'not aborted'}`,
    `abortedBy: ${said ?? 'none'}`,
  );
}

const CHECKS: Readonly<Record<string, Check>> = {
  busy: async (world) => {
    if (await outsiderGets(world)) fail(world, 'the lock is held', 'an outsider got it');
  },
  freeNow: async (world) => {
    if (!(await outsiderGets(world))) fail(world, 'the lock is still free', 'it is held again');
  },
  renewed: async (world, attempt) => {
    if (attempt.signal?.aborted || !(await outsiderGets(world))) return;
    fail(
      world,
      `attempt ${attempt.n}, alive, keeps its lock or is told`,
      'an outsider got the lock and the work was not told',
    );
  },
  fenced: async (world, attempt) => {
    const release = await world.takeWithin(0);
    world.tell('OUTSIDER TRIES', release ? 'granted: the lease is over' : 'busy: it still holds');
    if (!release) return;
    const text = `attempt ${attempt.n}, after its lease`;
    await world.port
      .write?.(world.session, attempt.attemptId, text)
      .catch(() => world.tell('', 'the write was refused'));
    const texts = await seenByReaders(world);
    await world.giveBack(release);
    if (texts.includes(text))
      fail(world, 'a holder that lost its lease cannot write', 'readers see its write');
  },
  neverRan: (world, { n, calls }) => {
    if (calls > 0) fail(world, `attempt ${n} never runs`, 'its work was called');
  },
  quiet: (world, { n, signal }) => {
    if (signal?.aborted) fail(world, `nothing aborts attempt ${n}`, 'its signal has fired');
  },
  kept: (world, { n, ended, calls, signal }) => {
    if (ended && calls === 0) return; // refused
    if (signal?.aborted || ended)
      fail(world, `attempt ${n} is refused, or its budget is kept`, 'it was over at once');
  },
  cause: causeIs,
  hidden,
  shown,
  sealed,
};

/** Performs `MUST(fact)` or `MUST(fact:argument)`. Throws Breach. */
export async function must(world: World, { n, arg }: Step): Promise<void> {
  const [name = '', value = ''] = arg.split(':');
  const check = CHECKS[name];
  if (!check) throw new RangeError(`MUST(${arg}): expected one of ${Object.keys(CHECKS).join(', ')}`);
  await check(world, world.attempt(n), value);
}

/** Only a timeout leaves a run abandoned. Asked at every end, of runners that tell. */
export function checkAbandoned(world: World, attempt: WatchedAttempt): void {
  const outcome = world.outcomeOf(attempt);
  if (outcome?.abandoned === undefined) return;
  const timeouts: readonly (Cause | null)[] = ['timeout', 'limit'];
  const wanted = timeouts.includes(attempt.cause);
  // Whether a timeout abandons a run that never began is a matter of taste.
  if (outcome.abandoned === wanted || (wanted && attempt.calls === 0)) return;
  throw new Breach(
    world.aborts > 1 ? 'M18' : 'M01',
    `attempt ${attempt.n} (${attempt.cause ?? 'not aborted'}) is ${wanted ? '' : 'not '}marked as abandoned`,
    `abandoned: ${outcome.abandoned}`,
  );
}
