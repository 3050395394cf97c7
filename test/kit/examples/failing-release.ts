/**
 * A lock store whose releases can be made to fail. What could not be given back ends with its lease: of a
 * store that renews by itself that end is played by a timer.
 */
import type { Clock } from '../../../src/clock.js';
import type { Lease, LockStore } from '../../../src/index.js';

/** The last renewal lies before the first ask, so that the lease ends sooner than a whole one after it. */
const RENEWED_BEFORE = 0.9;

export function failingRelease(
  store: LockStore,
  clock: Clock,
): LockStore & { failRelease(times: number): void } {
  let failing = 0;
  const wrap = (lease: Lease): Lease => {
    let ends = false;
    return {
      get token() {
        return lease.token;
      },
      get owner() {
        return lease.owner;
      },
      get deadline() {
        return lease.deadline;
      },
      get session() {
        return lease.session ?? '';
      },
      onNotice: (fn) => lease.onNotice(fn),
      async release() {
        if (failing <= 0) return lease.release();
        failing -= 1;
        if (!ends) clock.setTimeout(() => void lease.release(), store.capabilities.leaseMs * RENEWED_BEFORE);
        ends = true;
        return 'unknown';
      },
    };
  };
  return {
    capabilities: store.capabilities,
    async acquire(request) {
      const result = await store.acquire(request);
      return result.status === 'granted' ? { status: 'granted', lease: wrap(result.lease) } : result;
    },
    releaseOwner: (session, owner) => store.releaseOwner(session, owner),
    query: (session) => store.query(session),
    forceRelease: (session, proof) => store.forceRelease(session, proof),
    failRelease: (times) => {
      failing = times;
    },
  };
}
