/**
 * The life of one attempt as others on its session see it: nodes, what shows of each, and labelled edges.
 * Owns: what is visible. A node is a world of one attempt's walk, or what is left of one after its process crashed.
 * Must not know: that there are other attempts, or which node a walk merges with which (see quotient.ts).
 */
import { somebodyRenews } from '../driver.js';
import { moveNamed, type Moves } from '../moves.js';
import { storeMoves } from '../store.js';
import type { Walked } from '../walk.js';
import { ASK, GRANT, MAIL, grant, isFresh, outsideOf, stateOf } from '../world.js';

/** What an edge does to others. `silent`: nothing. The others are what the session's rules speak of. */
export const LABEL = { silent: 0, give: 1, end: 2, free: 3, expire: 4, open: 5, crash: 6 } as const;
export type Label = (typeof LABEL)[keyof typeof LABEL];

/** What shows of a node; the two lowest bits are what has become of its grant, as in world.ts. */
export const SHOWS = {
  grant: 3,
  /** The gate is open: the work's writer or the cleanup's. */
  gateOpen: 1 << 2,
  /** It once had a writer: from here on a record with its token may land at any time, whatever becomes of it. */
  mayWrite: 1 << 3,
  over: 1 << 4,
  /** Its report owns up that a grant nobody knew of may outlive it (see S6 in the invariants). */
  ownsUp: 1 << 5,
  crashed: 1 << 6,
  /** An ask for release is on its way to the store, and may arrive at any time. */
  askOut: 1 << 7,
  /** Somebody renews the lease, if there is one. */
  renews: 1 << 8,
  releaseBegun: 1 << 9,
  /** An ask for the release of the grant before the last may still be on its way. */
  oldAskOut: 1 << 10,
  /** Its work has given the lock up for a window. */
  yielded: 1 << 11,
} as const;

export interface Life {
  readonly size: number;
  /** Nodes to begin in: one for each set-up. */
  readonly firsts: readonly number[];
  /** What shows of each node. */
  readonly shows: Uint16Array;
  /** Edges of node n are those from starts[n] to starts[n + 1]. */
  readonly starts: Int32Array;
  readonly labels: Uint8Array;
  readonly targets: Int32Array;
}

/** A life whose nodes can be told as a story: with the move of each edge. A crash is no move of the attempt's walk. */
export interface Lived extends Life {
  readonly moves: Int16Array;
}

export const CRASH = -1;
/** A move of the store after the crash; the place among the store's moves is what is above it. */
export const AFTER_CRASH = 1_000;

const GRANTS = moveNamed('grants');
const ENDS = moveNamed('ends the lease');
const OPENED = moveNamed('session.opened');
/** What a store does without a client: it grants, ends a lease, performs asks that reach it. */
const WITHOUT_CLIENT = storeMoves.flatMap(({ name }, index) => (/^(grants|ends|performs)/.test(name) ? [index] : []));
const FIRST_STORE = GRANTS - storeMoves.findIndex(({ name }) => name === 'grants');
const ANY_ASK = ASK.last | ASK.earlier | ASK.stray;
const NO_MAIL = ~Object.values(MAIL).reduce((all, bit) => all | bit, 0);

interface Edge { readonly move: number; readonly label: Label; readonly to: number }

function labelOf(move: number, before: number, after: number, letsWrite: boolean): Label {
  if (move === OPENED && letsWrite) return LABEL.open;
  if (before === GRANT.live && after === GRANT.givenBack) return LABEL.free;
  if (before === GRANT.live && after === GRANT.ended) return move === ENDS ? LABEL.end : LABEL.expire;
  return before !== GRANT.live && after === GRANT.live ? LABEL.give : LABEL.silent;
}

class Recorder {
  readonly nodes: { readonly shows: number; readonly edges: Edge[] }[] = [];
  readonly #crashed = new Map<number, number>();

  constructor(readonly can: Moves, readonly walked: Walked) {}

  record(): void {
    const { worlds, ways, wayMoves } = this.walked;
    for (const world of worlds) this.nodes.push({ shows: this.#showsOf(world), edges: [] });
    wayMoves.forEach((move, way) => {
      const [from, to] = [ways[2 * way]!, ways[2 * way + 1]!];
      const letsWrite = (this.nodes[to]!.shows & ~this.nodes[from]!.shows & SHOWS.gateOpen) !== 0;
      const [before, after] = [grant.get(outsideOf(worlds[from]!)), grant.get(outsideOf(worlds[to]!))];
      this.nodes[from]!.edges.push({ move, label: labelOf(move, before, after, letsWrite), to });
    });
    worlds.forEach((world, node) => {
      this.nodes[node]!.edges.push({ move: CRASH, label: LABEL.crash, to: this.#afterCrash(world, outsideOf(world)) });
    });
  }

  #showsOf(world: number): number {
    const { driver, snapshot: { status, context } } = this.can.states.at(stateOf(world));
    const outside = outsideOf(world);
    const isOver = status === 'done';
    const has = (condition: boolean, bit: number): number => (condition ? bit : 0);
    return grant.get(outside)
      | has(driver.writerOpen || driver.cleanupOpen, SHOWS.gateOpen)
      | has(driver.starts > 0, SHOWS.mayWrite)
      | has(isOver, SHOWS.over)
      | has(isOver && context.lease === 'unconfirmed' && !driver.granted, SHOWS.ownsUp)
      | has((outside & ANY_ASK) !== 0, SHOWS.askOut)
      | has(!isOver && somebodyRenews(driver), SHOWS.renews)
      | has(driver.asks > 0, SHOWS.releaseBegun)
      | has(driver.oldAskSeq > 0, SHOWS.oldAskOut)
      | has(driver.yields > 0, SHOWS.yielded);
  }

  /** The node for a crashed process with this outside; only the store can still act, and a write on its way land. */
  #afterCrash(world: number, outsideNow: number): number {
    const { driver } = this.can.states.at(stateOf(world));
    const outside = isFresh.set(outsideNow & NO_MAIL, 0);
    const kept = (driver.starts > 0 ? SHOWS.mayWrite : 0) | (driver.oldAskSeq > 0 ? SHOWS.oldAskOut : 0)
      | (driver.yields > 0 ? SHOWS.yielded : 0);
    const key = (outside * 2 + (driver.askedByOwner ? 1 : 0)) * 2 ** 12 + kept;
    const known = this.#crashed.get(key);
    if (known !== undefined) return known;
    const asks = outside & ANY_ASK ? SHOWS.askOut : 0;
    const edges: Edge[] = [];
    const node = this.nodes.push({ shows: grant.get(outside) | SHOWS.crashed | kept | asks, edges }) - 1;
    this.#crashed.set(key, node);
    for (const place of WITHOUT_CLIENT) {
      const after = storeMoves[place]!.happen(outside, driver);
      if (after < 0) continue;
      const label = labelOf(FIRST_STORE + place, grant.get(outside), grant.get(after), false);
      const to = this.#afterCrash(world, after);
      if (to !== node) edges.push({ move: AFTER_CRASH + place, label, to });
    }
    return node;
  }
}

/** The life behind a whole walk of one attempt, with a crash possible in every world. */
export function lifeOf(can: Moves, walked: Walked): Lived {
  const recorder = new Recorder(can, walked);
  recorder.record();
  const { nodes } = recorder;
  const starts = new Int32Array(nodes.length + 1);
  nodes.forEach(({ edges }, node) => { starts[node + 1] = starts[node]! + edges.length; });
  const all = nodes.flatMap(({ edges }) => edges);
  return {
    size: nodes.length, firsts: [0], starts,
    shows: Uint16Array.from(nodes, ({ shows }) => shows),
    labels: Uint8Array.from(all, ({ label }) => label),
    targets: Int32Array.from(all, ({ to }) => to),
    moves: Int16Array.from(all, ({ move }) => move),
  };
}

/** Several lives as one: which of them an attempt leads is settled before it begins. */
export function oneOf(lives: readonly Lived[]): Lived {
  const nodes: number[] = [];
  const edges: number[] = [];
  let [size, many] = [0, 0];
  for (const life of lives) {
    nodes.push(size);
    edges.push(many);
    size += life.size;
    many += life.labels.length;
  }
  const starts = new Int32Array(size + 1);
  starts[size] = many;
  const all: Lived = {
    size, starts, firsts: lives.flatMap(({ firsts }, place) => firsts.map((first) => first + nodes[place]!)),
    shows: new Uint16Array(size), labels: new Uint8Array(many), targets: new Int32Array(many),
    moves: new Int16Array(many),
  };
  lives.forEach((life, place) => {
    all.shows.set(life.shows, nodes[place]!);
    all.labels.set(life.labels, edges[place]!);
    all.moves.set(life.moves, edges[place]!);
    starts.set(life.starts.subarray(0, life.size).map((at) => at + edges[place]!), nodes[place]!);
    all.targets.set(life.targets.map((to) => to + nodes[place]!), edges[place]!);
  });
  return all;
}
