/**
 * The port before the runner: does it do what a port must? A port that lies would make any verdict
 * worthless. Owns: which lies are caught, and what they are called. Must not know: the modes.
 */
import { Breach, Inconclusive } from './breach.js';
import { membersOf, NO_ABORT, NO_LIMIT, type Abilities } from './abilities.js';
import { PERFORM } from './perform.js';
import { PortFault, type AbortKind, type MakePort, type RunnerPort } from './port.js';
import { closePort, openPort } from './run-sequence.js';
import { readSequence } from './step.js';
import type { Cause } from './watched-attempt.js';
import { World } from './world.js';

function demand(ok: boolean, part: string, expected: string, seen: string): asserts ok {
  if (!ok) throw new PortFault(part, `expected ${expected}; seen: ${seen}`);
}

function checkShape(port: RunnerPort): void {
  demand(typeof port === 'object' && port !== null, 'makePort', 'a RunnerPort', String(port));
  for (const name of ['start', 'tryLock', 'close'] as const) {
    demand(typeof port[name] === 'function', name, 'a function', typeof port[name]);
  }
  for (const name of ['write', 'read', 'outcome', 'failRelease'] as const) {
    demand(
      port[name] === undefined || typeof port[name] === 'function',
      name,
      'a function or nothing',
      typeof port[name],
    );
  }
  const isClock = port.clock === undefined || typeof port.clock?.advance === 'function';
  demand(isClock, 'clock', 'advance(ms), or nothing', 'something else');
  demand(
    typeof port.bounds === 'object' && port.bounds !== null,
    'bounds',
    'settleMs and waitMs',
    String(port.bounds),
  );
  const { settleMs, waitMs, leaseMs } = port.bounds;
  const isMs = (ms: unknown): boolean => typeof ms === 'number' && ms >= 0;
  demand(
    isMs(settleMs) && isMs(waitMs),
    'bounds',
    'settleMs and waitMs from 0',
    `${settleMs} and ${waitMs}`,
  );
  demand(
    leaseMs === undefined || (leaseMs > 0 && leaseMs < Infinity),
    'bounds',
    'leaseMs above 0, or nothing',
    String(leaseMs),
  );
}

/** The lock alone, between outsiders. */
async function checkLock(world: World): Promise<void> {
  const first = await world.tryLock();
  demand(first !== null, 'tryLock', 'the lock of a session nobody uses is free', 'busy');
  const second = await world.tryLock();
  demand(second === null, 'tryLock', 'busy while an outsider holds the lock', 'free: it was granted twice');
  await world.giveBack(first);
  const third = await world.takeWithin(0);
  demand(third !== null, "tryLock's release", 'the lock is free after an outsider gave it back', 'busy');
  await world.giveBack(third);
}

async function perform(world: World, text: string): Promise<void> {
  for (const step of readSequence(text)) await PERFORM[step.verb](world, step);
}

/** The lock between a runner and an outsider: both must mean the same one. */
async function checkRunnerAndLock(world: World): Promise<void> {
  await perform(world, 'START');
  const attempt = world.attempt(1);
  demand(
    attempt.refusal === undefined,
    'start',
    'to start on a free session',
    `it threw: ${String(attempt.refusal)}`,
  );
  const runs = await world.patience.until(() => attempt.calls > 0, world.waitMs);
  demand(!attempt.ended || runs, 'ended', 'to be pending before the work was called', 'settled beforehand');
  demand(runs, 'start', 'to call the work on a free session within waitMs', 'the work was not called');
  await world.patience.turn();
  demand(!attempt.ended, 'ended', 'to be pending while the work goes on', 'settled beforehand');
  demand(
    typeof attempt.signal?.aborted === 'boolean',
    'start',
    'to hand an AbortSignal to the work',
    String(attempt.signal),
  );
  const taken = await world.tryLock();
  demand(
    taken === null,
    'tryLock',
    'busy while the work of an attempt runs',
    "free: it does not see the runner's lock",
  );
  await checkWriter(world);
  attempt.settle('ok');
  await world.patience.until(() => attempt.ended, world.settleMs);
}

/** Write and read, while the work runs and nothing is wrong. */
async function checkWriter(world: World): Promise<void> {
  const { port, session } = world;
  demand(
    !port.write === !port.read,
    port.write ? 'read' : 'write',
    'write and read, or neither',
    'one of them',
  );
  if (!port.write || !port.read) return;
  await perform(world, 'WRITE');
  const texts = await world.patience.answer('read', () => port.read?.(session) ?? []);
  const [written] = world.attempt(1).written;
  demand(written?.acknowledged === true, 'write', 'to succeed while the work runs', 'it was refused');
  demand(
    texts.includes(written.text),
    'read',
    `to show ${JSON.stringify(written.text)}, just written`,
    JSON.stringify(texts),
  );
}

async function checkOutsiderFirst(world: World): Promise<void> {
  await perform(world, 'HOLD START YIELD YIELD YIELD');
  const ran = world.attempt(1).calls > 0;
  demand(
    !ran,
    'tryLock',
    "the outsider's lock to keep the runner out",
    'the runner ran: they lock different things',
  );
  world.attempt(1).settle('ok');
  await perform(world, 'FREE');
  await world.patience.until(() => world.attempt(1).ended, world.waitMs + world.settleMs);
}

/** A failing release that does not fail would make M06 a check that cannot fail. */
async function checkFailRelease(world: World): Promise<void> {
  if (!world.port.failRelease) return;
  await perform(world, 'FAIL_RELEASE(always) START RUN SETTLED(ok)');
  await world.patience.pass(Math.min(world.settleMs, (world.port.bounds.leaseMs ?? Infinity) / 2));
  const release = await world.tryLock();
  if (release) await world.giveBack(release);
  world.failRelease(0);
  demand(
    release === null,
    'failRelease',
    'no release to work after failRelease(Infinity)',
    'the lock was free after the end',
  );
}

/** Does the runner know this kind? Whether it does right by it is the runner's affair. */
async function knows(makePort: MakePort, kind: AbortKind): Promise<boolean | 'noAbort'> {
  return withPort(makePort, async (world) => {
    await perform(world, 'START RUN');
    if (!world.attempt(1).handle?.abort) return 'noAbort';
    try {
      await perform(world, `ABORT(${kind})`);
      return true;
    } catch (error) {
      if (error instanceof Inconclusive) return false;
      throw error;
    }
  });
}

const knowsLimit = (makePort: MakePort): Promise<boolean> =>
  withPort(makePort, async (world) => {
    await perform(world, 'START(limit,obeys) RUN');
    return perform(world, 'TICK(timeoutMs)').then(
      () => true,
      (error: unknown) => {
        if (error instanceof Breach) return false;
        throw error;
      },
    );
  });

async function withPort<A>(makePort: MakePort, use: (world: World) => Promise<A>): Promise<A> {
  const port = await openPort(makePort);
  checkShape(port);
  const world = new World(port, 'M07');
  const leave = async (): Promise<void> => {
    for (const attempt of world.attempts.values()) attempt.settle('ok');
    if (world.releasesFail) world.failRelease(0);
    await closePort(world);
  };
  const result = await use(world).catch(async (error: unknown) => {
    await leave().catch(() => undefined); // the first fault is the news; what follows from it is not
    if (!(error instanceof Breach)) throw error;
    throw new PortFault('start', `a plain attempt on a free session: ${error.message}`, { cause: error });
  });
  await leave();
  return result;
}

/**
 * Checks a port on ports of its own.
 * @returns what it can do
 * @throws PortFault naming the member that lies
 */
export async function checkPort(makePort: MakePort): Promise<Abilities> {
  const members = await withPort(makePort, async (world) => {
    await checkLock(world);
    return membersOf(world.port);
  });
  await withPort(makePort, checkRunnerAndLock);
  await withPort(makePort, checkOutsiderFirst);
  await withPort(makePort, checkFailRelease);
  const causes: Cause[] = [];
  const missing: string[] = [];
  let abort = true;
  for (const kind of ['user', 'timeout', 'shutdown'] as const) {
    const known = await knows(makePort, kind);
    if (known === true) causes.push(kind);
    else if (known === false) missing.push(`ABORT(${kind}): the runner knows none`);
    else abort = false;
  }
  if (!abort) missing.push(`ABORT: ${NO_ABORT}`);
  if (await knowsLimit(makePort)) causes.push('limit');
  else missing.push(NO_LIMIT);
  return { ...members, causes, missing, abort };
}
