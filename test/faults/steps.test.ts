/**
 * The wall clock of a machine is set, forwards and backwards, while a lock is held, renewed and waited for. And a
 * machine that sleeps, as far as one process can be made to believe it: it is stopped, and its monotonic clock with it.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test, vi, type TestContext } from 'vitest';
import { parseName, type OwnerName } from '../../src/locks/file/owner-entry.js';
import { readSession } from '../../src/session/read-session.js';
import { checkHistory, type HistoryEvent } from '../../src/testing/history.js';
import { temporaryDirectory } from '../support/temporary.js';
import { canRun, SteppingClock } from './stepping-clock.js';
import { Told, type Fact, type ToldChild } from './told-child.js';

vi.setConfig({ testTimeout: 60_000 });

const LEASE_MS = 2_000;
const HOUR_MS = 3_600_000;
const MOST_MS = 25_000;
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.mjs`, import.meta.url));

interface Person {
  readonly child: ToldChild;
  /** One attempt, under its own name; it stays in its work until `finish`. */
  asks(): void;
  isGranted(): Promise<unknown>;
  finish(): void;
  report(): Promise<Fact['report']>;
}

function people({ onTestFinished, skip }: TestContext, settings: { readonly monotonicToo?: boolean } = {}) {
  canRun('faketime', ['-f', '+60s', 'true'], skip);
  const directory = temporaryDirectory(onTestFinished);
  const session = join(directory, 's');
  const clock = new SteppingClock(join(directory, 'clock'), settings);
  const all: Person[] = [];
  const person = (name: string, env: object = clock.env): Person => {
    const wall = settings.monotonicToo ? ['--import', pathToFileURL(fixture('true-wall')).href] : [];
    const child = new Told(process.execPath, [...wall, fixture('rival')], { env: { ...process.env, ...env } });
    onTestFinished(async () => void await child.kill());
    const one: Person = {
      child,
      asks: () => child.send({ session, name, leaseMs: LEASE_MS, waitMs: MOST_MS, holdUntilTold: true }),
      isGranted: () => child.says((fact) => fact['is'] === 'written', MOST_MS),
      finish: () => child.send({ finish: true }),
      report: async () => (await child.says((fact) => fact.report !== undefined, MOST_MS))?.report,
    };
    all.push(one);
    return one;
  };
  const owner = (): OwnerName | null => {
    try {
      return readdirSync(`${session}.lock`).map(parseName).find((name) => name !== null) ?? null;
    } catch {
      return null; // given back a moment ago
    }
  };
  /** Until the lock's owner is one that `is` so. */
  const owned = async (is: (name: OwnerName) => boolean): Promise<void> => {
    const until = performance.now() + MOST_MS;
    for (let name = owner(); !name || !is(name); name = owner()) {
      if (performance.now() > until) expect.fail(`the owner is still ${JSON.stringify(name)}`);
      await pause(5);
    }
  };
  return {
    session, clock, person, owned,
    /** Renewed since the clock was set: its end is a lease away at most, on the clock as it is now. */
    isRenewed: ({ until }: OwnerName): boolean => until > clock.now() && until <= clock.now() + LEASE_MS + 50,
    /** All that was told, against what is read: everything but S2, which needs a clock that does not step (A5). */
    judge: async (): Promise<number[]> => {
      const { records } = await readSession(session);
      const events = all.flatMap(({ child }) => child.facts.filter((fact) => fact['is'] !== undefined)) as unknown as HistoryEvent[];
      const found = records.map(({ record, token }) => ({ token, record: (record as { record: string }).record }));
      const { violations } = checkHistory(events, new Map([[session, found]]));
      expect(violations.filter((one) => !one.startsWith('S2'))).toEqual([]);
      return records.map(({ token }) => Number(token));
    },
  };
}

const RIGHT = { outcome: 'completed', lease: 'released' };

test('S16: an hour forwards, back, and back again, while a lock is held and renewed: nothing happens', async (context) => {
  const { clock, person, owned, isRenewed, judge } = people(context);
  const first = person('first');
  first.asks();
  await first.isGranted();
  for (const byMs of [HOUR_MS, 0, -HOUR_MS, HOUR_MS]) {
    clock.step(byMs);
    await owned(isRenewed);
  }
  first.finish();
  expect(await first.report()).toMatchObject({ ...RIGHT, token: 1 });
  expect(await judge()).toEqual([1, 1]);
});

test('S16 S4: an hour forwards while a lock is held and waited for: taken over or kept, and told so', async (context) => {
  const { clock, person, owned, isRenewed, judge } = people(context);
  const [first, second] = [person('first'), person('second')];
  first.asks();
  await first.isGranted();
  second.asks();
  clock.step(HOUR_MS);
  await owned((name) => name.token === 2 || isRenewed(name));
  first.finish();
  const { lease } = (await first.report())!;
  second.finish();
  expect(await second.report()).toMatchObject({ ...RIGHT, token: 2 });
  const tokens = (await judge()).join();
  if (lease !== 'lost') expect([lease, tokens]).toEqual(['released', '1,1,2,2']);
  else expect(['1,1,2,2', '1,2,2']).toContain(tokens); // its last write was before, or after, its successor's first
});

test('S16 L3: an hour backwards while a lock is held and waited for: given over when the first has ended', async (context) => {
  const { clock, person, owned, isRenewed, judge } = people(context);
  const [first, second] = [person('first'), person('second')];
  first.asks();
  await first.isGranted();
  second.asks();
  clock.step(-HOUR_MS);
  await owned(isRenewed);
  expect(second.child.facts.filter((fact) => fact['is'] === 'granted')).toEqual([]);
  first.finish();
  expect(await first.report()).toMatchObject({ ...RIGHT, token: 1 });
  second.finish();
  expect(await second.report()).toMatchObject({ ...RIGHT, token: 2 });
  expect(await judge()).toEqual([1, 1, 2, 2]);
});

test('S16 L3: an hour backwards, and the holder is killed: who waits does not wait for that hour', async (context) => {
  const { clock, person, judge } = people(context);
  const [first, second] = [person('first'), person('second')];
  first.asks();
  await first.isGranted();
  second.asks();
  clock.step(-HOUR_MS);
  await first.child.kill();
  await second.isGranted();
  second.finish();
  expect(await second.report()).toMatchObject({ ...RIGHT, token: 2 });
  expect(await judge()).toEqual([1, 2, 2]);
});

test('S16 S4: forwards while the holder is stopped: it wakes to a successor, and writes nothing', async (context) => {
  const { clock, person, judge } = people(context);
  const [first, second] = [person('first'), person('second')];
  first.asks();
  await first.isGranted();
  process.kill(first.child.pid, 'SIGSTOP');
  second.asks();
  clock.step(HOUR_MS);
  await second.isGranted();
  first.finish();
  process.kill(first.child.pid, 'SIGCONT');
  expect(await first.report()).toMatchObject({ lease: 'lost', token: 1 });
  second.finish();
  expect(await second.report()).toMatchObject({ ...RIGHT, token: 2 });
  expect(await judge()).toEqual([1, 2, 2]);
});

/** Longer than a lease and what `os.uptime` cannot tell from none. */
const SLEEP_MS = LEASE_MS + 2_000;

/** The process sleeps as in a suspended machine: for its monotonic clock no time has passed. */
async function sleep({ child }: Person, clock: SteppingClock, meanwhile: () => Promise<unknown> = async () => {}): Promise<void> {
  const since = performance.now();
  process.kill(child.pid, 'SIGSTOP');
  await meanwhile();
  await pause(Math.max(0, SLEEP_MS - (performance.now() - since)));
  clock.step(since - performance.now());
}

test('M11: a machine sleeps through a lease that nobody else wants: in doubt, revived, goes on', async (context) => {
  const { clock, person, session, owned, isRenewed } = people(context, { monotonicToo: true });
  const first = person('first');
  first.asks();
  await first.isGranted();
  await sleep(first, clock);
  process.kill(first.child.pid, 'SIGCONT');
  await owned(isRenewed);
  first.finish();
  expect(await first.report()).toMatchObject({ ...RIGHT, token: 1 });
  expect((await readSession(session)).records).toHaveLength(2);
});

test('S4 S12: a machine sleeps through its lease, another takes over: it wakes and passes its gate not even once', async (context) => {
  const { clock, person, session } = people(context, { monotonicToo: true });
  const [first, second] = [person('first'), person('second', {})];
  first.asks();
  await first.isGranted();
  await sleep(first, clock, async () => {
    second.asks();
    await second.isGranted();
    first.finish();
  });
  process.kill(first.child.pid, 'SIGCONT');
  expect(await first.report()).toMatchObject({ lease: 'lost', token: 1 });
  expect(first.child.facts.filter((fact) => fact['is'] === 'holds')).toEqual([]);
  second.finish();
  expect(await second.report()).toMatchObject({ ...RIGHT, token: 2 });
  expect((await readSession(session)).records.map(({ token }) => token)).toEqual([1, 2, 2]);
});
