/**
 * The walk over several attempts: breadth first, so that the first violation found has a shortest story; then
 * whether every world still has a way to an end without any further bad luck.
 * Owns: which worlds were seen. Must not know: what may happen (see moves.ts).
 */
import { SHOWS, type Life } from './life.js';
import { Together, nameOf, type Kind } from './moves.js';
import { isGone, isLive, type Rules } from './rules.js';
import { Layout, newTable } from './world.js';
import { Worlds } from './worlds.js';

export interface FoundTogether {
  readonly id: string;
  readonly what: string;
  /** Index of the world the violation starts from. */
  readonly at: number;
  /** The move that violates; null where the world itself does. */
  readonly move: { readonly kind: Kind; readonly who: number; readonly edge: number } | null;
}

export interface WalkedTogether {
  readonly layout: Layout;
  readonly worlds: Worlds;
  readonly transitions: number;
  readonly depth: number;
  readonly isWhole: boolean;
  readonly found: readonly FoundTogether[];
}

export interface TogetherLimits {
  readonly mostWorlds: number;
  readonly mostFound: number;
  /** How many of the attempts may have a window. Default: all. */
  readonly mostWindows?: number;
  /** Called every so often: worlds seen, how many of them are done, and whether ends are looked for by now. */
  readonly onProgress?: ((seen: number, done: number, forEnds: boolean) => void) | undefined;
}

const PROGRESS_EVERY = 1 << 12;

/** Every choice of a node to begin in for each attempt. */
function beginnings(layout: Layout): number[] {
  const table = newTable(layout.count);
  const worlds = new Set<number>();
  const choose = (who: number): void => {
    if (who === layout.count) {
      worlds.add(layout.pack(table));
      return;
    }
    for (const first of layout.lives[who]!.firsts) {
      table.nodes[who] = first;
      choose(who + 1);
    }
  };
  choose(0);
  return [...worlds];
}

class Walk {
  readonly worlds = new Worlds();
  readonly found: FoundTogether[] = [];
  readonly layout: Layout;
  readonly #together: Together;
  readonly #table;
  #at = -1;
  transitions = 0;
  depth = 0;

  constructor(lives: readonly Life[], readonly rules: Rules, readonly limits: TogetherLimits) {
    this.layout = new Layout(lives, rules);
    this.#table = newTable(this.layout.count);
    this.#together = new Together(this.layout, rules, (to) => {
      this.transitions += 1;
      if (this.worlds.add(to, this.#at)) this.#look(to);
    }, (id, what, kind, who, edge) => this.#blame({ id, what, at: this.#at, move: { kind, who, edge } }));
    this.#together.mostWindows = limits.mostWindows ?? Infinity;
  }

  get isFull(): boolean {
    return this.worlds.size > this.limits.mostWorlds || this.found.length >= this.limits.mostFound;
  }

  run(): WalkedTogether {
    for (const world of beginnings(this.layout)) this.worlds.add(world, -1);
    let layerEnd = this.worlds.size;
    for (this.#at = 0; this.#at < this.worlds.size && !this.isFull; this.#at += 1) {
      if (this.#at === layerEnd) {
        layerEnd = this.worlds.size;
        this.depth += 1;
      }
      if (this.#at % PROGRESS_EVERY === 0) this.limits.onProgress?.(this.worlds.size, this.#at, false);
      this.#together.expand(this.worlds.at(this.#at));
    }
    const isWhole = !this.isFull;
    if (isWhole) this.#findDeadEnd();
    const { layout, worlds, transitions, depth, found } = this;
    return { layout, worlds, transitions, depth, isWhole, found };
  }

  /** S6 over all of them: whose attempt has ended owns no lease, but for the one case its report owns up to. */
  #look(world: number): void {
    this.layout.unpack(world, this.#table);
    for (let who = 0; who < this.layout.count; who += 1) {
      const shows = this.layout.lives[who]!.shows[this.#table.nodes[who]!]!;
      if (isLive(shows) && (shows & SHOWS.over) !== 0 && (shows & SHOWS.ownsUp) === 0) {
        this.#blame({ id: 'S6', what: `${nameOf(who)} has ended and holds the lock`, at: this.worlds.size - 1, move: null });
      }
    }
  }

  #blame(found: FoundTogether): void {
    if (!this.found.some(({ id }) => id === found.id)) this.found.push(found);
  }

  /**
   * From every world there is a way, without further crashes, force, or stalls, to one where all attempts are over
   * and the lock is free. Without stored edges: last seen first, for ways mostly lead to worlds seen later; again
   * until nothing changes.
   */
  #findDeadEnd(): void {
    const canEnd = new Uint8Array(this.worlds.size);
    let leadsOn = false;
    const calm = new Together(this.layout, this.rules, (to) => {
      leadsOn ||= canEnd[this.worlds.find(to)] === 1;
    }, () => {}); // What is wrong with a move was said when the walk made it.
    calm.isCalm = true;
    calm.mostWindows = this.#together.mostWindows;
    let done = 0;
    let looks = 0;
    for (let isChanged = true; isChanged;) {
      isChanged = false;
      for (let at = this.worlds.size - 1; at >= 0; at -= 1) {
        if (canEnd[at] === 1) continue;
        if ((looks += 1) % PROGRESS_EVERY === 0) this.limits.onProgress?.(this.worlds.size, done, true);
        leadsOn = this.#isEnd(this.worlds.at(at));
        if (!leadsOn) calm.expand(this.worlds.at(at));
        if (!leadsOn) continue;
        canEnd[at] = 1;
        done += 1;
        isChanged = true;
      }
    }
    const stuck = canEnd.indexOf(0);
    if (stuck >= 0) this.#blameStuck(stuck);
  }

  #isEnd(world: number): boolean {
    this.layout.unpack(world, this.#table);
    return this.#table.nodes.every((node, who) => {
      const shows = this.layout.lives[who]!.shows[node]!;
      return isGone(shows) && !isLive(shows);
    });
  }

  #blameStuck(at: number): void {
    this.layout.unpack(this.worlds.at(at), this.#table);
    const showsOf = (who: number): number => this.layout.lives[who]!.shows[this.#table.nodes[who]!]!;
    const holder = this.#table.nodes.findIndex((_, who) => isLive(showsOf(who)));
    const isDead = holder >= 0 && (showsOf(holder) & SHOWS.crashed) !== 0;
    const what = holder < 0 ? 'no end can be reached from here'
      : `the lock of ${nameOf(holder)}${isDead ? ', which crashed,' : ''} is never free again`;
    this.#blame({ id: isDead ? 'L3' : 'L7', what, at, move: null });
  }
}

/** Walks every world of attempts that lead these lives on one session, under these rules. */
export const walkTogether = (lives: readonly Life[], rules: Rules, limits: TogetherLimits): WalkedTogether =>
  new Walk(lives, rules, limits).run();
