/**
 * The walk: every world that can be reached, breadth first, so that the first violation found has a shortest story.
 * Owns: which worlds were seen and how. Must not know: what machine, store or driver do (see moves.ts).
 */
import { invariants, type History, type World } from '../../../machines/attempt.invariants.js';
import type { Driver } from './driver.js';
import { MOVES, type Moves } from './moves.js';
import type { Finding } from './states.js';
import { GRANT, GRANT_NAMES, REQUEST, grant, outsideOf, request, stateOf, tombstone } from './world.js';

export interface Found extends Finding {
  /** Index of the world the last move starts from, and that move; -1 for a world without a way on. */
  readonly at: number;
  readonly move: number;
}

export interface Walked {
  readonly worlds: readonly number[];
  readonly parents: readonly number[];
  readonly moves: readonly number[];
  readonly depth: number;
  readonly edges: number;
  /** Pairs of indices, from and to; kept to look for worlds without a way to an end. */
  readonly ways: readonly number[];
  /** The move of each way. */
  readonly wayMoves: readonly number[];
  readonly isWhole: boolean;
  readonly found: readonly Found[];
}

export interface WalkLimits {
  readonly mostWorlds: number;
  /** How many violations to collect before the walk stops, each of another invariant. */
  readonly mostFound: number;
  /** Called every so often with the number of worlds seen, and how many of them are done. */
  readonly onProgress?: ((seen: number, done: number) => void) | undefined;
}

/** Steps of the machine are made once each, most of them early: the first worlds take a hundred times as long as the last. */
const PROGRESS_EVERY = 1 << 6;

const worldChecks = invariants.filter(({ decidedBy }) => decidedBy === 'world');

/** Checks of worlds look at the snapshot, the world, and what the driver was told of: at no step. */
const knownTo = (driver: Driver): History => driver as unknown as History;

const viewOf = (outside: number): World => ({
  grant: GRANT_NAMES[grant.get(outside)]!,
  requestOpen: request.get(outside) === REQUEST.open && grant.get(outside) === GRANT.none && !tombstone.get(outside),
});

class Walk {
  readonly worlds: number[] = [];
  readonly parents: number[] = [];
  readonly moves: number[] = [];
  readonly ways: number[] = [];
  readonly wayMoves: number[] = [];
  readonly found: Found[] = [];
  readonly #indices = new Map<number, number>();
  readonly #blamed = new Set<string>();
  depth = 0;
  edges = 0;

  constructor(readonly can: Moves, readonly limits: WalkLimits) {}

  run(first: number): Walked {
    this.#see(first, -1, -1);
    let layerEnd = 1;
    for (let index = 0; index < this.worlds.length && !this.isFull; index += 1) {
      if (index === layerEnd) {
        layerEnd = this.worlds.length;
        this.depth += 1;
      }
      if (index % PROGRESS_EVERY === 0) this.limits.onProgress?.(this.worlds.length, index);
      this.#expand(index);
    }
    return { ...this.#result(), isWhole: !this.isFull };
  }

  get isFull(): boolean {
    return this.worlds.length > this.limits.mostWorlds || this.found.length >= this.limits.mostFound;
  }

  #expand(index: number): void {
    const world = this.worlds[index]!;
    for (let move = 0; move < MOVES; move += 1) {
      const made = this.can.make(world, move);
      if (!made) continue;
      this.edges += 1;
      made.step?.findings.forEach((finding) => this.#blame(finding, index, move));
      if (made.to === world) continue;
      this.ways.push(index, this.#see(made.to, index, move));
      this.wayMoves.push(move);
    }
  }

  #see(world: number, parent: number, move: number): number {
    const known = this.#indices.get(world);
    if (known !== undefined) return known;
    const index = this.worlds.length;
    this.#indices.set(world, index);
    this.worlds.push(world);
    this.parents.push(parent);
    this.moves.push(move);
    const { snapshot, driver } = this.can.states.at(stateOf(world));
    for (const { id, check } of worldChecks) {
      const what = check!(snapshot, knownTo(driver), viewOf(outsideOf(world)));
      if (what !== null) this.#blame({ id, what }, parent, move);
    }
    return index;
  }

  #blame(finding: Finding, at: number, move: number): void {
    if (this.#blamed.has(finding.id)) return;
    this.#blamed.add(finding.id);
    this.found.push({ ...finding, at, move });
  }

  #result(): Omit<Walked, 'isWhole'> {
    const { worlds, parents, moves, depth, edges, ways, wayMoves, found } = this;
    return { worlds, parents, moves, depth, edges, ways, wayMoves, found };
  }
}

/** Walks every world reachable from this one. */
export const walk = (can: Moves, first: number, limits: WalkLimits): Walked => new Walk(can, limits).run(first);
