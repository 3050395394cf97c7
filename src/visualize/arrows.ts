/**
 * Which transitions are drawn as one arrow. The rules look only at the shape of the machine, not at names:
 *  - transitions between the same two states share an arrow;
 *  - states with the same guarded `always` list share one way out: an arrow each in, one out per guard;
 *  - where two states have the same transitions into the parts of a third, the later one shows them singly
 *    (it is the fuller story) and the earlier one as a fan: one arrow to the whole.
 * Must not know: positions, words, colours.
 */
import { parentOf, type Graph, type Transition } from './graph.js';

export interface Arrow {
  /** `from > to`, the name under which a route and a highlight speak of it. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly kind: 'plain' | 'fan' | 'intoWay' | 'outOfWay';
  readonly transitions: readonly Transition[];
}

/** The node all sharers of a way out pass through. Not a state of the machine. */
export const WAY_OUT = 'wayOut';

export interface Drawing {
  readonly arrows: readonly Arrow[];
  /** States whose `always` is the shared way out; empty where there is none. */
  readonly wayOutOf: readonly string[];
  /** Transitions without a target: shown inside their state, or, of the root, as a note. */
  readonly internal: readonly Transition[];
}

function groupBy<T>(list: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}

/** The same trigger to the same place doing the same things, whoever it starts from. */
const sameness = (one: Transition): string =>
  JSON.stringify([one.kind, one.trigger, one.guard, one.actions, one.target, one.reenter]);

const arrow = (kind: Arrow['kind'], from: string, to: string, transitions: readonly Transition[]): Arrow =>
  ({ id: `${from} > ${to}`, from, to, kind, transitions });

function sharedWayOut(always: readonly Transition[]): Transition[] {
  const lists = groupBy(always, (one) => one.source);
  const alike = groupBy([...lists.values()], (list) => JSON.stringify(list.map(sameness)));
  const shared = [...alike.values()].filter((lists_) => lists_.length > 1);
  if (shared.length > 1) throw new Error(`Expected one shared way out at most, found ${shared.length}.`);
  return shared.flat(2);
}

function wayOutArrows(shared: readonly Transition[]): Arrow[] {
  const into = groupBy(shared, (one) => one.source);
  const outOf = groupBy(shared, (one) => one.target!);
  return [
    ...[...into].map(([from, list]) => arrow('intoWay', from, WAY_OUT, list)),
    ...[...outOf].map(([to, list]) => arrow('outOfWay', WAY_OUT, to, list)),
  ];
}

/** Bundles from one state into two or more parts of another that a later state has just the same. */
function fanOf(moving: readonly Transition[]): Transition[][] {
  const inner = moving.filter((one) => parentOf(one.target!) !== parentOf(one.source));
  const bundles = [...groupBy(inner, (one) => `${one.source} > ${parentOf(one.target!)}`).values()]
    .filter((list) => new Set(list.map((one) => one.target)).size > 1);
  const alike = groupBy(bundles, (list) => JSON.stringify(list.map(sameness)));
  return [...alike.values()].flatMap((same) => same.slice(0, -1));
}

/**
 * @returns every transition of the graph exactly once, except that a way out has it on the way in and out.
 */
export function drawingOf(graph: Graph): Drawing {
  const internal = graph.transitions.filter((one) => one.target === null);
  const moving = graph.transitions.filter((one) => one.target !== null);
  const wayOut = sharedWayOut(moving.filter((one) => one.kind === 'always'));
  const fans = fanOf(moving.filter((one) => one.kind !== 'always'));
  const taken = new Set([...wayOut, ...fans.flat()]);
  const plain = groupBy(moving.filter((one) => !taken.has(one)), (one) => `${one.source} > ${one.target}`);
  return {
    arrows: [
      ...[...plain.values()].map((list) => arrow('plain', list[0]!.source, list[0]!.target!, list)),
      ...fans.map((list) => arrow('fan', list[0]!.source, parentOf(list[0]!.target!), list)),
      ...wayOutArrows(wayOut),
    ],
    wayOutOf: [...new Set(wayOut.map((one) => one.source))],
    internal,
  };
}
