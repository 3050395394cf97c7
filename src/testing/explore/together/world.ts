/**
 * A world of several attempts on one session, packed into one number below 2^53: the class of each attempt, and the
 * pattern of tokens among them. Owner of the lock is whose grant is live, so it needs no bits.
 * Owns: the layout, and which worlds are the same. Must not know: what may happen (see moves.ts).
 *
 * Of tokens only their order matters, for the next one is higher than all: so they are numbered from 1 by rank. A
 * token under which nothing can land any more that a reader takes is forgotten. What is left are few patterns, which
 * are numbered as they are met.
 */
import { SHOWS, type Life } from './life.js';
import { honestRules, isGone, isLive, type Rules } from './rules.js';

/** Tokens take three bits: two attempts times three, and the highest a reader has seen. */
const TOKEN_BITS = 3;
export const HIGHEST_TOKEN = 2 ** TOKEN_BITS - 1;
/** Room for patterns; no walk has met half as many. */
const PATTERNS = 2 ** 15;

/** One world, unpacked. Reused: expanding millions of worlds must not make millions of objects. */
export interface Table {
  /** The node of each attempt in its life. */
  readonly nodes: number[];
  readonly tokens: number[];
  /** The token each attempt had before its window; 0: none that matters. */
  readonly olds: number[];
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
  nodes: zeros(count), tokens: zeros(count), olds: zeros(count),
  past: 0, highest: 0, accepted: 0, counter: 0, given: 0,
});

export class Layout {
  readonly count: number;
  /** Attempts that lead the same life are interchangeable: their order says nothing. */
  readonly #areAlike: boolean;
  /** A store that gives tokens by other rules has them as they are, up to the highest there is room for. */
  readonly #areRanked: boolean;
  readonly #sizes: readonly number[];
  /** One unit for each attempt: node, token, old token. */
  readonly #units: number[];
  readonly #ranks = new Uint8Array(HIGHEST_TOKEN + 2);
  readonly #patterns: number[] = [];
  readonly #ids = new Map<number, number>();

  constructor(readonly lives: readonly Life[], readonly rules: Rules = honestRules) {
    this.count = lives.length;
    this.#areAlike = lives.every((life) => life === lives[0]);
    this.#areRanked = rules.nextToken === honestRules.nextToken;
    this.#sizes = lives.map(({ size }) => size);
    this.#units = zeros(this.count);
    const size = this.#sizes.reduce((product, one) => product * one, PATTERNS);
    if (size > Number.MAX_SAFE_INTEGER) throw new RangeError(`worlds of this many nodes do not fit a number: ${size}`);
  }

  unpack(world: number, into: Table): void {
    let rest = Math.floor(world / PATTERNS);
    let bits = this.#patterns[world - rest * PATTERNS]!;
    for (let who = 0; who < this.count; who += 1) {
      const size = this.#sizes[who]!;
      const next = Math.floor(rest / size);
      into.nodes[who] = rest - next * size;
      rest = next;
      into.olds[who] = bits & HIGHEST_TOKEN;
      into.tokens[who] = (bits >>> TOKEN_BITS) & HIGHEST_TOKEN;
      bits >>>= 2 * TOKEN_BITS;
    }
    into.past = bits & 1;
    into.highest = (bits >>> 1) & HIGHEST_TOKEN;
    into.accepted = (bits >>> 4) & HIGHEST_TOKEN;
    into.counter = (bits >>> 7) & HIGHEST_TOKEN;
    into.given = (bits >>> 10) & HIGHEST_TOKEN;
  }

  /** @param order gets, if given, which attempt has come to stand where */
  pack(table: Table, order?: number[]): number {
    const units = this.#units;
    for (let who = 0; who < this.count; who += 1) {
      units[who] = this.#unitOf(table, who);
      if (order) order[who] = who;
    }
    if (this.#areAlike) this.#sort(order);
    const { past, highest, accepted, counter, given } = table;
    const rankOf = this.#rank(table);
    let bits = past | (rankOf[highest]! << 1) | (rankOf[accepted]! << 4) | (rankOf[counter]! << 7) | (rankOf[given]! << 10);
    let rest = 0;
    for (let who = this.count - 1; who >= 0; who -= 1) {
      const unit = units[who]!;
      rest = rest * this.#sizes[who]! + (unit >>> 8);
      bits = (bits << (2 * TOKEN_BITS)) | (rankOf[(unit >>> 4) & 15]! << TOKEN_BITS) | rankOf[unit & 15]!;
    }
    return rest * PATTERNS + this.#idOf(bits);
  }

  /** Before ranks are given a token may be one higher than there is room for. */
  #unitOf({ nodes, tokens, olds, highest }: Table, who: number): number {
    const shows = this.lives[who]!.shows[nodes[who]!]!;
    const { accepts, highestAfter } = this.rules;
    const mayLand = (token: number): boolean => accepts(token, highest) || highestAfter(token, highest) !== highest;
    const mayWrite = (shows & SHOWS.mayWrite) !== 0 || !isGone(shows);
    const token = isLive(shows) || (mayWrite && mayLand(tokens[who]!)) ? tokens[who]! : 0;
    const old = (shows & SHOWS.mayWrite) !== 0 && mayLand(olds[who]!) ? olds[who]! : 0;
    return (nodes[who]! << 8) | (token << 4) | old;
  }

  /** What each token is called in the packed world. */
  #rank({ highest, accepted, counter, given }: Table): Uint8Array {
    const ranks = this.#ranks;
    if (!this.#areRanked) {
      for (let token = 0; token < ranks.length; token += 1) ranks[token] = Math.min(token, HIGHEST_TOKEN);
      return ranks;
    }
    ranks.fill(0);
    for (let who = 0; who < this.count; who += 1) {
      const unit = this.#units[who]!;
      ranks[(unit >>> 4) & 15] = 1;
      ranks[unit & 15] = 1;
    }
    ranks[highest] = ranks[accepted] = ranks[counter] = ranks[given] = 1;
    ranks[0] = 0;
    for (let token = 1, rank = 0; token < ranks.length; token += 1) if (ranks[token] === 1) ranks[token] = ++rank;
    if (ranks[HIGHEST_TOKEN + 1]! > HIGHEST_TOKEN) throw new RangeError('more tokens matter at once than there is room for');
    return ranks;
  }

  #idOf(bits: number): number {
    const known = this.#ids.get(bits);
    if (known !== undefined) return known;
    const id = this.#patterns.push(bits) - 1;
    if (id >= PATTERNS) throw new RangeError('more patterns of tokens than there is room for');
    this.#ids.set(bits, id);
    return id;
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
