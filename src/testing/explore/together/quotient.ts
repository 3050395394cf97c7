/**
 * Nodes of a life that nobody outside can tell apart, merged: branching bisimulation, by signatures.
 * Two nodes stay apart if they show something else, or if one can silently come to do what the other cannot. What is
 * kept: every order of visible moves, and from where which of them can still be reached. Silent circles are merged,
 * so "goes round for ever" is not kept; that is checked on the attempt itself (L7), before it is merged.
 * Source: Blom and van de Pol, "Distributed branching bisimulation minimization by inductive signatures", 2009.
 */
import { LABEL, type Life } from './life.js';

export interface Quotient {
  readonly life: Life;
  /** The class of each node. */
  readonly classOf: Int32Array;
}

/** Sets of numbers, each kept once and named by a number; union is remembered. */
class Sets {
  readonly #ids = new Map<string, number>();
  readonly #members: (readonly number[])[] = [];
  readonly #unions = new Map<number, number>();

  intern(members: readonly number[]): number {
    const sorted = [...new Set(members)].sort((a, b) => a - b);
    const key = sorted.join();
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#members.push(sorted) - 1;
    this.#ids.set(key, id);
    return id;
  }

  union(one: number, other: number): number {
    if (one === other) return one;
    const key = Math.min(one, other) * 2 ** 26 + Math.max(one, other);
    const known = this.#unions.get(key);
    if (known !== undefined) return known;
    const id = this.intern([...this.#members[one]!, ...this.#members[other]!]);
    this.#unions.set(key, id);
    return id;
  }

  of(id: number): readonly number[] {
    return this.#members[id]!;
  }
}

const isInert = (life: Life, from: number, edge: number): boolean =>
  life.labels[edge] === LABEL.silent && life.shows[life.targets[edge]!] === life.shows[from];

/**
 * Silent circles among nodes that show the same (Tarjan's strongly connected components, without recursion).
 * @returns the circle of each node, numbered so that every silent way leads to a smaller number
 */
function circlesOf(life: Life): Int32Array {
  const { size, starts, targets } = life;
  const circle = new Int32Array(size).fill(-1);
  const order = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const next = starts.slice(0, size);
  const open: number[] = [];
  let [orders, circles] = [0, 0];
  for (let root = 0; root < size; root += 1) {
    if (order[root]! >= 0) continue;
    const path = [root];
    while (path.length > 0) {
      const node = path[path.length - 1]!;
      if (order[node]! < 0) {
        order[node] = low[node] = orders;
        orders += 1;
        open.push(node);
      }
      let isDeeper = false;
      for (let edge = next[node]!; edge < starts[node + 1]!; edge = ++next[node]!) {
        const to = targets[edge]!;
        if (!isInert(life, node, edge) || circle[to]! >= 0) continue;
        if (order[to]! < 0) {
          path.push(to);
          isDeeper = true;
          break;
        }
        low[node] = Math.min(low[node]!, low[to]!);
      }
      if (isDeeper) continue;
      path.pop();
      if (low[node] !== order[node]) continue;
      for (let member = open.pop()!; ; member = open.pop()!) {
        circle[member] = circles;
        if (member === node) break;
      }
      circles += 1;
    }
  }
  return circle;
}

/** Nodes sorted by their circle. */
function byCircle(circle: Int32Array): Int32Array {
  return Int32Array.from(circle.keys()).sort((a, b) => circle[a]! - circle[b]!);
}

const LABELS = 8; // More than there are labels: a visible step is (class * LABELS + label).

class Refinement {
  readonly #sets = new Sets();
  readonly #circle: Int32Array;
  readonly #order: Int32Array;
  /** By circle. */
  #classes: Int32Array;
  #signatures: Int32Array;
  count: number;

  constructor(readonly life: Life) {
    this.#circle = circlesOf(life);
    this.#order = byCircle(this.#circle);
    const circles = this.#circle.reduce((most, one) => Math.max(most, one + 1), 0);
    this.#signatures = new Int32Array(circles);
    const shown = new Map<number, number>();
    this.#classes = new Int32Array(circles);
    this.#circle.forEach((circle, node) => {
      const shows = life.shows[node]!;
      if (!shown.has(shows)) shown.set(shows, shown.size);
      this.#classes[circle] = shown.get(shows)!;
    });
    this.count = shown.size;
  }

  /** Splits classes whose members can do different things; true if any was split. */
  refine(): boolean {
    const names = new Map<number, number>();
    const classes = new Int32Array(this.#classes.length);
    for (let at = 0; at < this.#order.length;) {
      const circle = this.#circle[this.#order[at]!]!;
      const begin = at;
      while (at < this.#order.length && this.#circle[this.#order[at]!] === circle) at += 1;
      const signature = this.#signatureOf(circle, this.#order.subarray(begin, at));
      this.#signatures[circle] = signature;
      const name = this.#classes[circle]! * 2 ** 26 + signature;
      if (!names.has(name)) names.set(name, names.size);
      classes[circle] = names.get(name)!;
    }
    const isSplit = names.size > this.count;
    if (isSplit) {
      this.#classes = classes;
      this.count = names.size;
    }
    return isSplit;
  }

  /** What the circle can do: its own visible steps, and those of whatever of its class it can silently come to. */
  #signatureOf(circle: number, members: Int32Array): number {
    const { starts, labels, targets } = this.life;
    const steps: number[] = [];
    let inherited = -1;
    for (const node of members) {
      for (let edge = starts[node]!; edge < starts[node + 1]!; edge += 1) {
        const to = this.#circle[targets[edge]!]!;
        const isSilent = labels[edge] === LABEL.silent && this.#classes[to] === this.#classes[circle];
        if (!isSilent) steps.push(this.#classes[to]! * LABELS + labels[edge]!);
        else if (to !== circle) {
          inherited = inherited < 0 ? this.#signatures[to]! : this.#sets.union(inherited, this.#signatures[to]!);
        }
      }
    }
    const own = this.#sets.intern(steps);
    return inherited < 0 ? own : this.#sets.union(own, inherited);
  }

  result(): Quotient {
    const { life } = this;
    const classOf = Int32Array.from(this.#circle, (circle) => this.#classes[circle]!);
    const shows = new Uint16Array(this.count);
    const steps: (readonly number[])[] = [];
    classOf.forEach((one, node) => {
      shows[one] = life.shows[node]!;
      steps[one] = this.#sets.of(this.#signatures[this.#circle[node]!]!);
    });
    const starts = new Int32Array(this.count + 1);
    steps.forEach((list, one) => { starts[one + 1] = starts[one]! + list.length; });
    const all = steps.flat();
    return {
      classOf,
      life: {
        size: this.count, shows, starts, firsts: [...new Set(life.firsts.map((node) => classOf[node]!))],
        labels: Uint8Array.from(all, (step) => step % LABELS),
        targets: Int32Array.from(all, (step) => Math.floor(step / LABELS)),
      },
    };
  }
}

/** The smallest life nobody outside can tell from this one. */
export function quotientOf(life: Life): Quotient {
  const refinement = new Refinement(life);
  while (refinement.refine());
  return refinement.result();
}
