/**
 * Stores with one fault each, built on the one in memory.
 */
import type { AcquireRequest, AcquireResult, Lease, LeaseNotice, LockStore, ReleaseAnswer } from '../../src/locks/lock-store.js';
import { memoryLocks } from '../../src/locks/memory-locks.js';

interface Broken {
  readonly make: () => LockStore;
  /** A part of the title of the case that must catch it. */
  readonly caughtBy: string;
}

type Overrides = Partial<Pick<LockStore, 'acquire' | 'releaseOwner' | 'query' | 'forceRelease' | 'askHolder'>>;

const asks = async (right: LockStore, ...[session, whom, ask]: Parameters<NonNullable<LockStore['askHolder']>>) =>
  await right.askHolder?.(session, whom, ask) ?? 'unknown';

const over = (change: (right: LockStore) => Overrides) => (): LockStore => {
  const right = memoryLocks();
  return {
    capabilities: right.capabilities,
    acquire: (request) => right.acquire(request),
    releaseOwner: (session, owner) => right.releaseOwner(session, owner),
    query: (session) => right.query(session),
    forceRelease: (session, proof) => right.forceRelease(session, proof),
    askHolder: (session, whom, ask) => asks(right, session, whom, ask),
    ...change(right),
  };
};

/** Changes the lease of every grant. */
const leasing = (change: (lease: Lease, request: AcquireRequest, right: LockStore) => Partial<Lease>) => over((right) => ({
  async acquire(request) {
    const answer = await right.acquire(request);
    if (answer.status !== 'granted') return answer;
    const { lease } = answer;
    const base: Lease = {
      token: lease.token, owner: lease.owner, get deadline() { return lease.deadline; },
      release: () => lease.release(), onNotice: (fn) => lease.onNotice(fn),
    };
    return { status: 'granted', lease: Object.defineProperties(base, Object.getOwnPropertyDescriptors(change(lease, request, right))) };
  },
}));

const asking = (change: (request: AcquireRequest) => Partial<AcquireRequest>) => over((right) => ({
  acquire: (request) => right.acquire({ ...request, ...change(request) }),
}));

const never = new AbortController().signal;
let count = 0;

/** Serves who came last. */
function lastComeFirst(right: LockStore): Overrides {
  const waiting: AcquireRequest[] = [];
  return {
    async acquire(request) {
      waiting.push(request);
      for (;;) {
        const answer: AcquireResult = waiting.at(-1) === request
          ? await right.acquire({ ...request, waitMs: 0 }) : { status: 'busy', holder: null };
        if (answer.status !== 'busy' || request.waitMs === 0) {
          waiting.splice(waiting.indexOf(request), 1);
          return answer;
        }
        await new Promise((resolve) => { setTimeout(resolve, 1); });
      }
    },
    query: async (session = '') => [{ session, holder: null, waiting: waiting.map(() => ({}) as never) }],
  };
}

export const brokenStores: Record<string, Broken> = {
  'lets everybody in': {
    make: over((right) => ({ acquire: (request) => right.acquire({ ...request, session: `${request.session}${(count += 1)}` }) })),
    caughtBy: 'a single try is busy',
  },
  'gives the same token twice': { make: leasing(() => ({ token: 42 })), caughtBy: 'a higher token than any before' },
  'does not ask for the floor': { make: asking(() => ({ tokenFloor: async () => 0 })), caughtBy: 'the session\'s records' },
  'does not tell who holds it': {
    make: over((right) => ({
      async acquire(request) {
        const answer = await right.acquire(request);
        return answer.status === 'busy' ? { status: 'busy', holder: null } : answer;
      },
    })),
    caughtBy: 'told who holds it',
  },
  'grants to who has left': { make: asking(() => ({ signal: never })), caughtBy: 'a signal that fired beforehand' },
  'keeps what it grants after the signal': {
    make: over((right) => ({
      async acquire(request) {
        const answer = await right.acquire({ ...request, signal: never });
        return request.signal.aborted ? { status: 'busy', holder: null } : answer;
      },
    })),
    caughtBy: 'at any moment of a grant',
  },
  'does not look at the signal while the floor is read': {
    make: asking(() => ({ signal: never })), caughtBy: 'a signal while the floor is read',
  },
  'gives up at once': { make: asking(() => ({ waitMs: 0 })), caughtBy: 'waits without a limit' },
  'serves the last come first': { make: over(lastComeFirst), caughtBy: 'in the order of asking' },
  'always says released': {
    make: leasing((lease) => ({ release: () => lease.release().then((): ReleaseAnswer => 'released') })),
    caughtBy: 'a second release says so',
  },
  'releases by session': {
    make: leasing((_lease, { session }, right) => ({
      async release() {
        const [status] = await right.query(session);
        return status?.holder?.token ? right.forceRelease(session, { token: status.holder.token }) : 'notHeld';
      },
    })),
    caughtBy: 'a second release says so',
  },
  'has no tombstones': {
    make: over((right) => ({
      acquire: (request) => right.acquire({ ...request, owner: `${request.owner}${(count += 1)}` }),
    })),
    caughtBy: 'is a tombstone',
  },
  'buries, but grants to who waits': {
    make: over((right) => ({ releaseOwner: async () => 'notHeld', acquire: (request) => right.acquire(request) })),
    caughtBy: 'during the waiting',
  },
  'forgets who it granted to': { make: over(() => ({ releaseOwner: async () => 'notHeld' })), caughtBy: 'what the owner holds' },
  'lists nothing': { make: over((right) => ({ query: async (one) => (one ? right.query(one) : []) })), caughtBy: 'query without a session' },
  'takes any token for a proof': {
    make: over((right) => ({
      async forceRelease(session) {
        const [status] = await right.query(session);
        return right.forceRelease(session, { token: status?.holder?.token ?? 0 });
      },
    })),
    caughtBy: 'needs the holder\'s token',
  },
  'does not tell of a loss': { make: leasing(() => ({ onNotice: () => () => {} })), caughtBy: 'forceRelease tells the holder' },
  'tells a loss only to who listened': {
    make: leasing((lease) => {
      let lost = false;
      lease.onNotice(() => { lost = true; });
      return { onNotice: (fn: (notice: LeaseNotice) => void) => (lost ? () => {} : lease.onNotice(fn)) };
    }),
    caughtBy: 'one that listens late',
  },
  'keeps the lock when the floor cannot be read': {
    make: over((right) => ({
      async acquire(request) {
        const { tokenFloor, ...rest } = request;
        const answer = await right.acquire(rest);
        if (answer.status === 'granted') await tokenFloor?.();
        return answer;
      },
    })),
    caughtBy: 'a floor that cannot be read',
  },
  'asks whoever holds the lock by now': {
    make: over((right) => ({
      async askHolder(session, whom, ask) {
        const [status] = await right.query(session);
        return asks(right, session, status?.holder ?? whom, ask);
      },
    })),
    caughtBy: 'never the next',
  },
  'refuses a user, too': {
    make: over((right) => ({
      async askHolder(session, whom, ask) {
        const [status] = await right.query(session);
        return status?.holder?.supersedable === false ? 'refused' : asks(right, session, whom, ask);
      },
    })),
    caughtBy: 'a user is not refused',
  },
  'has a lease without an end': { make: leasing(() => ({ deadline: Infinity })), caughtBy: 'an end ahead of it' },
};
