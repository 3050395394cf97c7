/**
 * A store as the contract sees it: asks of it with short words, and remembers what was asked.
 */
import type { AcquireRequest, AcquireResult, Holder, HolderInfo, Lease, LockStore } from '../locks/lock-store.js';

/** What a maker of stores hands over for one case. */
export interface StoreUnderTest {
  readonly store: LockStore;
  /** Never used before in this store. */
  readonly session: string;
  /** Called when the case is over, kept or not. */
  close?(): Promise<void> | void;
}

/** A promise of the contract was broken: the message says what was expected and what was found. */
export class ContractViolation extends Error {
  override readonly name = 'ContractViolation';
}

/** Throws unless `ok`. */
export function demand(ok: boolean, expected: string, found: unknown): asserts ok {
  if (ok) return;
  const shown = typeof found === 'object' ? JSON.stringify(found) : String(found);
  throw new ContractViolation(`expected ${expected}, found ${shown}`);
}

/** Longest time a fact may take to become visible, milliseconds. A store on a network needs less, too. */
const MOST_MS = 1_000;

/** Waits for a fact. */
export async function eventually(what: string, is: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + MOST_MS;
  while (!await is()) {
    demand(performance.now() < until, `${what} within ${MOST_MS} ms`, 'otherwise');
    await new Promise((resolve) => { setTimeout(resolve, 2); });
  }
}

type AskOptions = Partial<Pick<AcquireRequest, 'waitMs' | 'signal' | 'tokenFloor'>>
  & Partial<Pick<HolderInfo, 'state' | 'note' | 'labels' | 'supersedable'>>;

let runs = 0;

/** Asks for one session of one store. */
export class Asker {
  readonly store: LockStore;
  readonly session: string;
  readonly #run = (runs += 1);
  readonly #answered = new Set<string>();
  readonly #leases: Lease[] = [];

  constructor({ store, session }: StoreUnderTest) {
    this.store = store;
    this.session = session;
  }

  ownerOf(who: string): string {
    return `contract/${this.#run}/${who}`;
  }

  async ask(who: string, options: AskOptions = {}): Promise<AcquireResult> {
    const { waitMs = 0, signal = new AbortController().signal, tokenFloor = async () => 0 } = options;
    const { state = 'acquiring.waiting', note = null, labels = {}, supersedable = true } = options;
    try {
      const answer = await this.store.acquire({
        session: this.session, owner: this.ownerOf(who), waitMs, signal, tokenFloor,
        info: { attemptId: who, pid: 4711, host: 'here', state, note, labels, supersedable },
      });
      if (answer.status === 'granted') this.#leases.push(answer.lease);
      return answer;
    } finally {
      this.#answered.add(who);
    }
  }

  /** Gives back what the case still holds. */
  async leave(): Promise<void> {
    for (const lease of this.#leases) await lease.release();
  }

  answered(who: string): boolean {
    return this.#answered.has(who);
  }

  async granted(who: string, options?: AskOptions): Promise<{ lease: Lease }> {
    const answer = await this.ask(who, options);
    demand(answer.status === 'granted', `a grant to ${who}`, answer.status);
    return answer;
  }

  /** The holder as the store tells it. */
  async holder(): Promise<Holder> {
    const holder = (await this.store.query(this.session))[0]?.holder ?? null;
    demand(holder !== null, 'a holder', holder);
    return holder;
  }

  releaseOwner(who: string) {
    return this.store.releaseOwner(this.session, this.ownerOf(who));
  }

  /** How many the store says are waiting. */
  async waiting(): Promise<number> {
    return (await this.store.query(this.session))[0]?.waiting.length ?? 0;
  }

  /** A single try by somebody new is granted. */
  async expectFree(when = 'now'): Promise<void> {
    const answer = await this.ask(`outsider ${when} ${Math.random()}`);
    demand(answer.status === 'granted', `the lock to be free ${when}`, answer.status);
    await answer.lease.release();
  }

  async expectHeld(when: string): Promise<void> {
    const answer = await this.ask(`outsider ${when} ${Math.random()}`);
    demand(answer.status === 'busy', `the lock to be held ${when}`, answer.status);
  }
}
