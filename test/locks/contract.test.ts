/**
 * The contract on our own stores, and on stores that are broken on purpose: each of these it must catch.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromAcquire, type Release } from '../../src/locks/from-acquire.js';
import { localFileLocks } from '../../src/locks/file/local-file-locks.js';
import { memoryLocks } from '../../src/locks/memory-locks.js';
import { lockStoreContract, type MakeStore } from '../../src/testing/lock-store-contract.js';
import { CountingClock, watchers } from '../support/counting-clock.js';
import { temporaryDirectory } from '../support/temporary.js';
import { brokenStores } from './broken-stores.js';

/** A lock "one already has": single tries and a queue, like many on npm. */
function borrowed(clock: CountingClock) {
  const lines = new Map<string, (() => void)[]>();
  return fromAcquire((session, { signal, waitMs }) => new Promise<Release | null>((resolve) => {
    const line = lines.get(session) ?? [];
    lines.set(session, line);
    if (line.length > 0 && waitMs === 0) return resolve(null);
    const place = (): void => resolve(() => {
      line.splice(line.indexOf(place), 1);
      line[0]?.();
    });
    if (line.push(place) === 1) return place();
    signal.addEventListener('abort', () => {
      const at = line.indexOf(place);
      if (at > 0) line.splice(at, 1);
      resolve(null);
    });
  }), { clock });
}

const stores: Record<string, (clock: CountingClock) => ReturnType<MakeStore>> = {
  memoryLocks: (clock) => ({ store: memoryLocks({ clock }), session: 'a key' }),
  localFileLocks: (clock) => fileStore(clock),
  'localFileLocks with a directory': (clock) => fileStore(clock, 'elsewhere'),
  fromAcquire: (clock) => ({ store: borrowed(clock), session: 'a key' }),
};

function fileStore(clock: CountingClock, directory?: string) {
  const home = temporaryDirectory();
  const session = join(home, 'sessions', 'one.jsonl');
  const store = localFileLocks({ clock, ...(directory && { directory: join(home, directory) }) });
  return { store, session, close: () => expectNoLitter(directory ? join(home, directory) : dirname(session)) };
}

function expectNoLitter(directory: string): void {
  if (!existsSync(directory)) return;
  const names = readdirSync(directory, { recursive: true }).map(String);
  expect(names.filter((name) => !/\.attempt$|[/\\](token\.(\d+|first)|boot\.[^/]+|reports)$/.test(name))).toEqual([]);
}

describe.each(Object.entries(stores))('%s', (_name, makeStore) => {
  const clock = new CountingClock();
  const cases = lockStoreContract(() => makeStore(clock));

  test.each(cases.map((one) => [one.title, one] as const))('%s', async (title, one) => {
    const result = await one.run();
    expect(clock.armed, 'L5: timers left').toBe(0);
    expect(watchers(), 'L5: watchers left').toBe(0);
    if (result !== 'kept') console.warn(`NOT EXERCISED on ${_name}: ${title} (${result.notExercised})`);
  });
});

describe('the contract is able to fail', () => {
  test.each(Object.entries(brokenStores))('a store that %s', async (_what, { make, caughtBy }) => {
    const violated: string[] = [];
    const cases = lockStoreContract(() => ({ store: make(), session: 'a key' }));
    for (const one of cases.filter(({ title }) => title.includes(caughtBy))) {
      await one.run().catch((error: Error) => violated.push(`${one.title}: ${error.message}`));
    }
    expect(violated.join('\n')).toMatch(caughtBy);
  });
});
