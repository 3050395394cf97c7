/**
 * A state machine as it can be compared: states by path, and for each its edges and actions by name.
 * Reads XState's resolved nodes, so that it does not matter how a config was written. Decides nothing.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** What is looked at of a machine. */
export type CheckedMachine = Pick<AnyStateMachine, 'id' | 'root' | 'implementations'>;

/** One transition of a state. */
export interface Edge {
  /** The event's type (or pattern), `after <delay>`, or `always`. */
  readonly on: string;
  readonly guard: string | null;
  readonly actions: readonly string[];
  /** Paths from the top of the part that is looked at; null: outside of it. None: the state is not left. */
  readonly targets: readonly (string | null)[];
}

export interface StateParts {
  readonly path: string;
  readonly node: AnyStateNode;
  readonly type: string;
  readonly initial: string | null;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invokes: readonly string[];
  readonly edges: readonly Edge[];
}

const INLINE = 'an inline function';

/** The name of an action or a guard; of an inline one its source, since that may tell what it does. */
function nameOf(thing: unknown): string {
  if (typeof thing === 'string') return thing;
  if (typeof thing === 'function') return `${INLINE}: ${thing.toString().replaceAll(/\s+/g, ' ').slice(0, 200)}`;
  return String((thing as { type?: unknown } | null)?.type ?? INLINE);
}

/** XState's own: a state's timers are raised on entry and cancelled on exit. */
const isOwn = (action: unknown): boolean => typeof action === 'function' && 'resolve' in action;

const namesOf = (actions: readonly unknown[]): string[] => actions.filter((one) => !isOwn(one)).map(nameOf);

/** `xstate.after.settleMs.attempt.aborting` is `after settleMs`, wherever the state has its place. */
function eventOf(type: string, node: AnyStateNode): string {
  if (type === '') return 'always';
  const after = /^xstate\.after\.(.+)$/.exec(type)?.[1];
  return after === undefined ? type : `after ${after.endsWith(`.${node.id}`) ? after.slice(0, -node.id.length - 1) : after}`;
}

/** @param top the state whose part of the machine is looked at; its own path is empty */
export function pathFrom(top: AnyStateNode, node: AnyStateNode): string | null {
  const isInside = top.path.every((key, index) => node.path[index] === key);
  return isInside ? node.path.slice(top.path.length).join('.') : null;
}

export function partsOf(top: AnyStateNode, node: AnyStateNode): StateParts {
  const transitions = [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
  return {
    path: pathFrom(top, node) ?? '', node, type: node.type,
    initial: node.type === 'compound' ? node.initial.target[0]?.key ?? null : null,
    entry: namesOf(node.entry), exit: namesOf(node.exit),
    invokes: node.invoke.map(({ src }) => nameOf(src)),
    edges: transitions.map(({ eventType, guard, actions, target }) => ({
      on: eventOf(eventType, node), guard: guard === undefined ? null : nameOf(guard),
      actions: namesOf(actions), targets: (target ?? []).map((one) => pathFrom(top, one as AnyStateNode)),
    })),
  };
}

const withAllBelow = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(withAllBelow)];

/** Every state from `top` down, by its path. */
export const statesOf = (top: AnyStateNode): ReadonlyMap<string, StateParts> =>
  new Map(withAllBelow(top).map((node) => partsOf(top, node)).map((parts) => [parts.path, parts]));

/** The shallowest state that has these children: where a machine has been made a part of another. */
export function findTop(machine: CheckedMachine, children: readonly string[]): AnyStateNode | null {
  const candidates = withAllBelow(machine.root).filter(({ states }) =>
    children.filter((child) => child in states).length > children.length / 2);
  return candidates.sort((a, b) => a.path.length - b.path.length)[0] ?? null;
}
