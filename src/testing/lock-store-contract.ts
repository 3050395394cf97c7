/**
 * What every lock store has to keep, as cases that anyone can run on theirs, with any test runner.
 * Owns: the cases. Must not know: a particular store, a test framework.
 */
import { expect, expectMs } from '../config-checks.js';
import type { LockStore } from '../locks/lock-store.js';
import { Asker, ContractViolation, demand, eventually, type StoreUnderTest } from './store-under-test.js';
import { askingCases } from './lock-store-contract.asking.js';
import { ownershipCases } from './lock-store-contract.ownership.js';

/** One promise of the contract. */
export interface LockStoreCase {
  readonly title: string;
  /** Ids of the invariants it is about (SPEC section 6). */
  readonly invariants: readonly string[];
  /** Needs tokens: not exercised on a store whose `tokenScope` is `none`. */
  readonly needsTokens?: true;
  /** Needs `askHolder`: not exercised on a store that cannot ask. */
  readonly needsAsking?: true;
  /** Rejects on a violation, with what was expected and what was found. */
  run(asker: Asker): Promise<void>;
}

/** Makes a store with nothing held in it, and names a session of it that was never used. Called once a case. */
export type MakeStore = () => StoreUnderTest | Promise<StoreUnderTest>;

export interface LockStoreContractOptions {
  /** Longest time one case may take before the store is said to hang, milliseconds from 1. Default: 30 000. */
  readonly caseMs?: number;
}

/** A promise of the contract, bound to a store: give `title` and `run` to your test runner, or call `run` yourself. */
export interface ContractCase {
  /** Begins with the ids of the invariants it is about. */
  readonly title: string;
  readonly invariants: readonly string[];
  /**
   * Makes a store, tries the promise on it, and closes it.
   * @returns `kept`, or why the promise could not be tried on this store
   * @throws (rejects) {@link ContractViolation}: what was expected and what was found; whatever the store itself throws
   */
  run(): Promise<'kept' | { readonly notExercised: string }>;
}

/**
 * The contract for one store: what every `LockStore` has to keep. The cases share nothing; they may run at a time.
 * @param makeStore see {@link MakeStore}
 * @param options see {@link LockStoreContractOptions}
 * @returns the cases, twenty of them, most some milliseconds long
 * @throws AttemptError `CONFIG_INVALID` for a bad option
 */
export function lockStoreContract(
  makeStore: MakeStore, { caseMs = 30_000 }: LockStoreContractOptions = {},
): readonly ContractCase[] {
  expect(typeof makeStore === 'function', 'makeStore', 'a function that makes a store', makeStore);
  expectMs('caseMs', caseMs, { min: 1 });
  return lockStoreCases.map((one) => ({
    title: `${one.invariants.join(' ')}: ${one.title}`,
    invariants: one.invariants,
    async run() {
      const made = await makeStore();
      expect(typeof made?.store?.acquire === 'function', 'makeStore()', '{ store, session }', made);
      try {
        return await within(caseMs, tryOn(made, one));
      } finally {
        await made.close?.();
      }
    },
  }));
}

async function tryOn(made: StoreUnderTest, one: LockStoreCase): Promise<'kept' | { readonly notExercised: string }> {
  if (one.needsTokens && !hasTokens(made.store)) return { notExercised: 'the store has no tokens' };
  if (one.needsAsking && !made.store.askHolder) return { notExercised: 'the store cannot ask a holder to end (askHolder)' };
  const asker = new Asker(made);
  await one.run(asker);
  await asker.leave();
  return 'kept';
}

/** A store that never answers must not hang whoever runs the contract without a test runner. */
function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const hangs = (): void => reject(new ContractViolation(`expected an answer within ${ms} ms, found none`));
    const timer = setTimeout(hangs, ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const hasTokens = (store: LockStore): boolean => store.capabilities.tokenScope !== 'none';

const waitingCases: readonly LockStoreCase[] = [
  {
    title: 'each grant has a higher token than any before, and than the session\'s records',
    invariants: ['S1', 'S3'],
    needsTokens: true,
    async run(asker) {
      let last = 41;
      for (const who of ['first', 'second', 'third']) {
        const { lease } = await asker.granted(who, { tokenFloor: async () => 41 });
        demand(Number.isSafeInteger(lease.token) && lease.token > last, `a token above ${last}`, lease.token);
        last = lease.token;
        demand(await lease.release() === 'released', 'released', 'another answer');
      }
    },
  },
  {
    title: 'while one holds it a single try is busy, and told who holds it',
    invariants: ['S2'],
    async run(asker) {
      const { lease } = await asker.granted('holder', { state: 'running', note: 'step 2', labels: { job: '7' } });
      const answer = await asker.ask('other', { waitMs: 0 });
      demand(answer.status === 'busy', 'busy', answer.status);
      const { holder } = answer;
      demand(holder !== null, 'the holder', holder);
      const expected = { attemptId: 'holder', owner: asker.ownerOf('holder'), state: 'running' };
      for (const [field, value] of Object.entries({ ...expected, note: 'step 2', sameProcess: true })) {
        const found = (holder as unknown as Record<string, unknown>)[field];
        demand(found === value, `${field} ${value}`, found);
      }
      demand(typeof holder.pid === 'number' && typeof holder.host === 'string', 'pid and host', holder);
      demand(holder.labels['job'] === '7', 'the label job=7', holder.labels);
      demand(Math.abs(Date.now() - (holder.since ?? 0)) < 60_000, 'since: just now', holder.since);
      demand(holder.token === (hasTokens(asker.store) ? lease.token : null), `token ${lease.token}`, holder.token);
    },
  },
  {
    title: 'patience that ends is a definite no, and leaves nobody in line',
    invariants: ['L1'],
    async run(asker) {
      const { lease } = await asker.granted('holder');
      const answer = await asker.ask('impatient', { waitMs: 30 });
      demand(answer.status === 'busy', 'busy', answer.status);
      await eventually('nobody waiting', async () => (await asker.waiting()) === 0);
      await lease.release();
      await asker.expectFree();
    },
  },
  {
    title: 'waits without a limit, and is granted when the lock is given back',
    invariants: ['S2', 'L4'],
    async run(asker) {
      const { lease } = await asker.granted('holder');
      const answer = asker.ask('waiter', { waitMs: Infinity });
      await eventually('one waiting', async () => (await asker.waiting()) === 1);
      demand(!asker.answered('waiter'), 'no answer while it is held', 'one');
      await lease.release();
      demand((await answer).status === 'granted', 'granted', (await answer).status);
    },
  },
  {
    title: 'serves those who wait in one process in the order of asking',
    invariants: ['L4'],
    needsTokens: true,
    async run(asker) {
      const { lease } = await asker.granted('holder');
      const served: string[] = [];
      const all: Promise<unknown>[] = [];
      for (const who of ['a', 'b', 'c', 'd']) {
        all.push(asker.ask(who, { waitMs: 10_000 }).then(async (answer) => {
          served.push(who);
          if (answer.status === 'granted') await answer.lease.release();
        }));
        await eventually(`${who} waiting`, async () => (await asker.waiting()) === all.length);
      }
      await lease.release();
      await Promise.all(all);
      demand(served.join() === 'a,b,c,d', 'a,b,c,d', served.join());
    },
  },
  {
    title: 'a signal that fired beforehand asks for nothing',
    invariants: ['S11', 'M02'],
    async run(asker) {
      const answer = await asker.ask('left', { signal: AbortSignal.abort() });
      demand(answer.status === 'busy', 'busy', answer.status);
      await asker.expectFree();
    },
  },
  {
    title: 'a signal ends the waiting, and those behind are served',
    invariants: ['S11', 'M02', 'L4'],
    async run(asker) {
      const { lease } = await asker.granted('holder');
      const leaves = new AbortController();
      const first = asker.ask('leaves', { waitMs: Infinity, signal: leaves.signal });
      await eventually('one waiting', async () => (await asker.waiting()) === 1);
      const second = asker.ask('stays', { waitMs: Infinity });
      leaves.abort();
      demand((await first).status === 'busy', 'busy', (await first).status);
      await lease.release();
      demand((await second).status === 'granted', 'granted', (await second).status);
    },
  },
  {
    title: 'a signal at any moment of a grant: either a lease, or nothing is held',
    invariants: ['S6', 'S11', 'M02'],
    async run(asker) {
      for (let ticks = 0; ticks < 25; ticks += 1) {
        const leaves = new AbortController();
        const asked = asker.ask(`tick-${ticks}`, { signal: leaves.signal });
        for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
        leaves.abort();
        const answer = await asked;
        const given = answer.status === 'granted' ? await answer.lease.release() : 'released';
        demand(given === 'released', 'released', given);
        await asker.expectFree(`after a signal ${ticks} ticks into the grant`);
      }
    },
  },
  {
    title: 'a signal while the floor is read: no grant, and nothing is held',
    invariants: ['S6', 'S11'],
    needsTokens: true,
    async run(asker) {
      const leaves = new AbortController();
      const answer = await asker.ask('left', {
        signal: leaves.signal,
        tokenFloor: async () => {
          leaves.abort();
          return 7;
        },
      });
      demand(answer.status !== 'granted', 'no grant', answer.status);
      await asker.expectFree();
    },
  },
  {
    title: 'a floor that cannot be read: no grant, and nothing is held',
    invariants: ['S1', 'S6', 'S14'],
    needsTokens: true,
    async run(asker) {
      const refused = asker.ask('unlucky', { tokenFloor: () => Promise.reject(new Error('no disk')) });
      const status = await refused.then((answer) => answer.status, () => 'unknown');
      demand(status === 'unknown', 'unknown', status);
      await asker.expectFree();
    },
  },
];

/** Every case. */
export const lockStoreCases: readonly LockStoreCase[] = [...waitingCases, ...ownershipCases, ...askingCases];
