/**
 * Reads a machine into plain data: every state and every transition, in the order of the file.
 * Owns: the walk, and the ids by which every picture names a transition.
 * Must not know: what anything means, or how it is drawn.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

export interface State {
  /** Dotted path from the root, '' for the root itself. */
  readonly path: string;
  readonly name: string;
  readonly type: string;
  readonly initial: string | null;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly children: readonly string[];
}

export interface Transition {
  /** Source and trigger, numbered where one trigger has several guarded targets: `running always 2`. */
  readonly id: string;
  readonly source: string;
  readonly kind: 'event' | 'after' | 'always';
  /** The event's name, the delay's name, or nothing. */
  readonly trigger: string;
  readonly guard: string | null;
  readonly actions: readonly string[];
  /** Null: an internal transition that only acts. */
  readonly target: string | null;
  readonly reenter: boolean;
}

export interface Graph {
  readonly id: string;
  readonly states: readonly State[];
  readonly transitions: readonly Transition[];
}

const pathOf = (node: AnyStateNode): string => node.path.join('.');

/**
 * Inline functions have no name to show; the machine promises to have none, and the picture holds it to
 * that.
 */
function nameOf(what: unknown, where: string): string {
  if (typeof what === 'string') return what;
  const type = typeof what === 'object' && what !== null && 'type' in what ? what.type : undefined;
  if (typeof type === 'string') return type;
  throw new TypeError(`${where}: expected a named action or guard, got an inline one. Name it in setup().`);
}

function namesOf(what: unknown, where: string): string[] {
  const list: unknown[] = what === undefined ? [] : Array.isArray(what) ? what : [what];
  return list.map((one) => nameOf(one, where));
}

/** `entry` and `exit` come from the written config: XState adds its own timers to the compiled lists. */
function stateOf(node: AnyStateNode): State {
  const path = pathOf(node);
  return {
    path,
    name: node.key,
    type: node.type,
    initial: node.type === 'compound' ? pathOf(node.initial.target[0]!) : null,
    entry: namesOf(node.config.entry, `${path} entry`),
    exit: namesOf(node.config.exit, `${path} exit`),
    children: Object.values(node.states).map((child) => pathOf(child)),
  };
}

interface Trigger {
  readonly source: string;
  readonly kind: Transition['kind'];
  readonly trigger: string;
}

function transitionOf(from: Trigger, one: AnyTransitionDefinition, nth: number): Transition {
  const { source, kind, trigger } = from;
  const named = kind === 'event' ? trigger : kind === 'after' ? `after ${trigger}` : 'always';
  const id = `${source} ${named}${nth > 0 ? ` ${nth + 1}` : ''}`.trim();
  return {
    id,
    source,
    kind,
    trigger,
    guard: one.guard === undefined ? null : nameOf(one.guard, id),
    actions: namesOf(one.actions, id),
    target: one.target?.[0] ? pathOf(one.target[0]) : null,
    reenter: one.reenter,
  };
}

function transitionsOf(node: AnyStateNode): Transition[] {
  const source = pathOf(node);
  // Delays stand in this map too, under names of XState's own making; they are read from their own list.
  const events = [...node.transitions].filter(([event]) => !event.startsWith('xstate.after.'));
  const byDelay = new Map<string, AnyTransitionDefinition[]>();
  for (const one of node.after) {
    const delay = String(one.delay);
    byDelay.set(delay, [...(byDelay.get(delay) ?? []), one]);
  }
  const all = (kind: Trigger['kind'], trigger: string, list: readonly AnyTransitionDefinition[]) =>
    list.map((one, nth) => transitionOf({ source, kind, trigger }, one, nth));
  return [
    ...events.flatMap(([event, list]) => all('event', event, list)),
    ...[...byDelay].flatMap(([delay, list]) => all('after', delay, list)),
    ...all('always', '', node.always ?? []),
  ];
}

/** Parents before children, siblings in the order of the file. */
const withDescendants = (node: AnyStateNode): AnyStateNode[] =>
  [node, ...Object.values(node.states).flatMap((child) => withDescendants(child as AnyStateNode))];

/**
 * @returns the machine as data. @throws TypeError where an action or guard has no name.
 */
export function readGraph(machine: AnyStateMachine): Graph {
  const nodes = withDescendants(machine.root);
  return { id: machine.id, states: nodes.map(stateOf), transitions: nodes.flatMap(transitionsOf) };
}

/** The state a path lies in: 'aborting' for 'aborting.user', '' for a top-level state. */
export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')));
