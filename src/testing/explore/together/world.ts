/**
 * A world of several attempts on one session, packed into one number below 2^53: for each attempt its class and its
 * token, and what they share. Owner of the lock is whose grant is live, so it needs no bits.
 * Owns: the layout, and which worlds are the same. Must not know: what may happen (see moves.ts).
 */
import { SHOWS, type Life } from './life.js';
import { isGone, isLive } from './rules.js';

/** No attempt is granted twice, so there are never more grants than attempts: tokens go from 1 to 3, 0 is none. */
const TOKENS = 4;
const SHARED = TOKENS ** 4 * 2;

/** One world, unpacked. Reused: expanding millions of worlds must not make millions of objects. */
export interface Table {
  /** The node of each attempt in its life. */
  readonly nodes: number[];
  readonly tokens: number[];
  /** The deadline of the lease that is live has passed, and nobody has taken it. */
  past: number;
  /** The highest token a reader has seen in the file. */
  highest: number;
  /** The highest token of a record that was accepted: what S4 speaks of, whatever a reader's rule is. */
  accepted: number;
  /** The last token, as the store keeps it. */
  counter: number;
  /** The highest token that was ever given: what S1 and S3 speak of, whatever the store keeps. */
  given: number;
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

export const newTable = (count: number): Table => ({
  nodes: zeros(count), tokens: zeros(count),
  past: 0, highest: 0, accepted: 0, counter: 0, given: 0,
});

export class Layout {
  readonly count: number;
  /** Attempts that lead the same life are interchangeable: their order says nothing. */
  readonly #areAlike: boolean;
  readonly #radix: readonly number[];
  readonly #units: number[];

  constructor(readonly lives: readonly Life[]) {
    this.count = lives.length;
    this.#areAlike = lives.every((life) => life === lives[0]);
    this.#radix = lives.map(({ size }) => size * TOKENS);
    this.#units = zeros(this.count);
    const size = this.#radix.reduce((product, one) => product * one, SHARED);
    if (size > Number.MAX_SAFE_INTEGER) throw new RangeError(`worlds of this many nodes do not fit a number: ${size}`);
  }

  unpack(world: number, into: Table): void {
    let rest = Math.floor(world / SHARED);
    const bits = world - rest * SHARED;
    into.past = bits & 1;
    into.highest = (bits >>> 1) & 3;
    into.accepted = (bits >>> 3) & 3;
    into.counter = (bits >>> 5) & 3;
    into.given = (bits >>> 7) & 3;
    for (let who = 0; who < this.count; who += 1) {
      const next = Math.floor(rest / this.#radix[who]!);
      const unit = rest - next * this.#radix[who]!;
      into.nodes[who] = unit >>> 2;
      into.tokens[who] = unit & 3;
      rest = next;
    }
  }

  /**
   * A token that nobody will use again is forgotten, and attempts that lead the same life are put in order.
   * @param order gets, if given, which attempt has come to stand where
   */
  pack(table: Table, order?: number[]): number {
    const units = this.#units;
    for (let who = 0; who < this.count; who += 1) {
      const shows = this.lives[who]!.shows[table.nodes[who]!]!;
      const isDone = isGone(shows) && !isLive(shows) && (shows & SHOWS.mayWrite) === 0;
      units[who] = table.nodes[who]! * TOKENS + (isDone ? 0 : table.tokens[who]!);
      if (order) order[who] = who;
    }
    if (this.#areAlike) this.#sort(order);
    let rest = 0;
    for (let who = this.count - 1; who >= 0; who -= 1) rest = rest * this.#radix[who]! + units[who]!;
    const { past, highest, accepted, counter, given } = table;
    return rest * SHARED + (past | (highest << 1) | (accepted << 3) | (counter << 5) | (given << 7));
  }

  /** At most three: by exchange. */
  #sort(order?: number[]): void {
    const units = this.#units;
    for (let round = this.count - 1; round > 0; round -= 1) {
      for (let who = 0; who < round; who += 1) {
        const [one, other] = [units[who]!, units[who + 1]!];
        if (one <= other) continue;
        units[who] = other;
        units[who + 1] = one;
        if (order) [order[who], order[who + 1]] = [order[who + 1]!, order[who]!];
      }
    }
  }
}
