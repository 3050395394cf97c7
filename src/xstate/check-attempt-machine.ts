/**
 * Looks for the known ways in which a machine derived from ours forgets the lock, by comparing the two.
 *
 * A derived machine may add: entry actions, actions on edges, events of its own that leave no state, substates. What it
 * must not do is take an edge, a guard or an action away, or leave a state in which the lock may be held by a way that is
 * not ours. That it passes is no proof of it: `exploreAttempt` walks ours, not yours.
 */
import type { AnyStateNode } from 'xstate';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { findTop, partsOf, statesOf, type CheckedMachine, type Edge, type StateParts } from './state-parts.js';

const ours = statesOf(attemptMachine.root);
const topLevel = Object.keys(attemptMachine.root.states);

/** Every event the attempt hears: those of another machine are its own business. */
const vocabulary = new Set([...ours.values()].flatMap(({ edges }) => edges.map(({ on }) => on)).filter((on) => !on.includes('*')));

const hears = (on: string): boolean =>
  on === '*' || vocabulary.has(on) || (on.endsWith('.*') && [...vocabulary].some((one) => one.startsWith(on.slice(0, -1))));

/** States in which nothing of the lock is ours, nor asked for. */
const isFree = (path: string): boolean => path === 'idle' || path === 'released';

/** The state of ours in which this one lies: itself, or the nearest above. */
function homeOf(path: string): string {
  const keys = path === '' ? [] : path.split('.');
  while (keys.length > 0 && !ours.has(keys.join('.'))) keys.pop();
  return keys.join('.');
}

const RELEASES = /release|unlock|give.?back|free.?lock/i;

const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');
const called = (path: string): string => (path === '' ? 'the top state' : `\`${path}\``);
const edgeInWords = ({ on, guard }: Edge): string => `\`${on}\`${guard ? ` (if ${guard})` : ''}`;
const targetInWords = ({ targets }: Edge): string =>
  (targets.length === 0 ? 'no other state' : targets.map((one) => (one === null ? 'a state outside' : called(one))).join(' and '));

/** Are these names among those, in this order? What stands between them was added. */
function keeps(those: readonly string[], these: readonly string[]): boolean {
  let from = 0;
  return these.every((name) => {
    const at = those.indexOf(name, from);
    from = at + 1;
    return at >= 0;
  });
}

const isSame = (one: Edge, other: Edge): boolean =>
  one.on === other.on && one.guard === other.guard && one.targets.join() === other.targets.join()
  && keeps(one.actions, other.actions);

/** What ours has and theirs has not. */
function missing(theirs: StateParts, own: StateParts): string[] {
  const where = called(own.path);
  const found: string[] = [];
  if (theirs.type !== own.type && own.type === 'final') found.push(`${where} is not final any more: the attempt has no end.`);
  if (theirs.initial !== own.initial && own.type === 'compound') {
    found.push(`${where} begins in \`${theirs.initial}\`, not in \`${own.initial}\`.`);
  }
  for (const way of ['entry', 'exit'] as const) {
    if (!keeps(theirs[way], own[way])) {
      found.push(`${where} does not do ${list(own[way])} on ${way} any more (in this order): it does ${list(theirs[way]) || 'nothing'}.`);
    }
  }
  for (const edge of own.edges) {
    if (theirs.edges.some((one) => isSame(one, edge))) continue;
    const instead = theirs.edges.filter(({ on }) => on === edge.on).map((one) =>
      `${edgeInWords(one)} to ${targetInWords(one)} with ${list(one.actions) || 'no action'}`);
    const needed = edge.targets.includes('releasing') ? ' The lock is then not given back.' : '';
    found.push(`${where} has lost its edge ${edgeInWords(edge)} to ${targetInWords(edge)} with `
      + `${list(edge.actions) || 'no action'}; it has ${instead.join(', ') || 'none of that event'}.${needed}`);
  }
  return found;
}

/** An edge that ours has not. */
function added(edge: Edge, { path }: StateParts, states: ReadonlyMap<string, StateParts>): string[] {
  const where = called(path);
  const home = homeOf(path);
  const found: string[] = [];
  if (hears(edge.on)) {
    found.push(`${where} handles ${edgeInWords(edge)}, an event of the attempt, in a way of its own: a child overrides its `
      + 'parent, and a pattern catches what a guard refused. Hang your action on our edge instead.');
  }
  const leaves = edge.targets.filter((one) => one === null || homeOf(one) !== home || (one === home && one !== ''));
  if (leaves.length > 0 && !isFree(home)) {
    const final = leaves.some((one) => one !== null && states.get(one)?.type === 'final');
    found.push(`${where} can be left by ${edgeInWords(edge)} to ${targetInWords(edge)}, `
      + `${final ? 'a final state, and nothing gives the lock back on that way' : 'with the lock held or asked for'}. `
      + 'Send an abort (`abort.user`, ...) instead: the way out is the machine\'s.');
  }
  return found;
}

/** What stands in any state that should not, whoever's it is. */
function misplaced(theirs: StateParts, own: StateParts | undefined): string[] {
  const where = called(theirs.path);
  const found: string[] = [];
  const exits = theirs.exit.filter((name) => RELEASES.test(name) && !own?.exit.includes(name));
  if (exits.length > 0) {
    found.push(`${where} releases in an exit action (${list(exits)}): XState runs no exit actions when an actor is stopped. `
      + 'Release is a state of its own.');
  }
  if (theirs.type === 'final' && theirs.invokes.length > 0) {
    found.push(`${where} is final and invokes ${list(theirs.invokes)}: that never runs.`);
  } else if (theirs.invokes.length > 0) {
    found.push(`${where} invokes ${list(theirs.invokes)}: when the state is left, what it still answers is swallowed, a lock `
      + 'that arrives late with it. Facts have to come in as events.');
  }
  if (theirs.type === 'final' && theirs.path !== 'released' && !theirs.path.includes('.')) {
    found.push(`${where} is a second end of the attempt: only \`released\` may be final.`);
  }
  return found;
}

/** The causes of `aborting` are labels: whatever they have of their own is a way out for one cause and not for another. */
function causeWithAWay({ path, node, entry, exit, edges, invokes }: StateParts): string[] {
  const below = Object.keys(node.states);
  if (!/^aborting\.[^.]+$/.test(path) || edges.length + entry.length + exit.length + invokes.length + below.length === 0) return [];
  const has = [...edges.map((edge) => `${edgeInWords(edge)} to ${targetInWords(edge)}`), ...entry, ...exit, ...invokes, ...below];
  return [`${called(path)} is a cause and must be a bare label, but it has ${has.join(', ')}: whether the lock is given back `
    + 'would depend on who aborted. The way out belongs to `aborting`.'];
}

/** Ways by which the states around leave the attempt before its end. */
function around(top: AnyStateNode): string[] {
  const found: string[] = [];
  for (let node = top.parent; node; node = node.parent) {
    const { edges, path } = partsOf(top.machine.root, node);
    const inside = top.path.join('.');
    for (const edge of edges) {
      const goes = edge.targets.some((one) => one === null || !`${one}.`.startsWith(`${inside}.`));
      if (!goes || edge.on === `xstate.done.state.${top.id}`) continue;
      found.push(`${called(path)}, around the attempt, can be left by ${edgeInWords(edge)} to ${targetInWords(edge)} before the `
        + 'attempt has ended. Send it an abort, and go on with `onDone`.');
    }
  }
  for (const edge of partsOf(top.machine.root, top).edges) {
    if (top.parent && edge.targets.length > 0 && edge.on !== `xstate.done.state.${top.id}` && !hears(edge.on)) {
      found.push(`${called(top.path.join('.'))} can be left by ${edgeInWords(edge)} to ${targetInWords(edge)} before the attempt `
        + 'has ended. Send it an abort, and go on with `onDone`.');
    }
  }
  return found;
}

/** Guards, delays and records are the machine's own decisions; commands are the driver's, and have to be there. */
function replaced(machine: CheckedMachine): string[] {
  const own = attemptMachine.implementations as unknown as Record<string, Record<string, unknown>>;
  const theirs = machine.implementations as unknown as Record<string, Record<string, unknown> | undefined>;
  const found: string[] = [];
  for (const [kind, one] of [['guards', 'guard'], ['delays', 'delay'], ['actions', 'action']] as const) {
    for (const [name, implementation] of Object.entries(own[kind] ?? {})) {
      const other = theirs[kind]?.[name];
      const isCommand = kind === 'actions' && typeof implementation === 'function' && !('resolve' in implementation);
      if (other === undefined) found.push(`The ${one} \`${name}\` has no implementation.`);
      else if (other !== implementation && !isCommand) found.push(`The ${one} \`${name}\` is not ours any more, and decides.`);
    }
  }
  return found;
}

/**
 * Checks a machine that was derived from `attemptMachine`: with `provide`, from its `config`, or as a part of a larger one.
 * Nothing is run.
 *
 * @param machine the derived machine
 * @returns what is wrong with it, one sentence or two for each; empty if nothing was found
 */
export function checkAttemptMachine(machine: CheckedMachine): readonly string[] {
  const top = findTop(machine, topLevel);
  if (!top) return [`No state of \`${machine.id}\` has the states of an attempt (${list(topLevel)}).`];
  const states = statesOf(top);
  const found = [...replaced(machine), ...around(top)];
  for (const [path, own] of ours) {
    const theirs = states.get(path);
    found.push(...(theirs ? missing(theirs, own) : [`${called(path)} is not there any more.`]));
  }
  for (const theirs of states.values()) {
    const own = ours.get(theirs.path);
    found.push(...misplaced(theirs, own), ...causeWithAWay(theirs));
    if (/^aborting\../.test(theirs.path) || (theirs.path === '' && top.parent)) continue; // said above
    const strange = theirs.edges.filter((edge) => !own?.edges.some((one) => isSame(edge, one)));
    // An edge of ours that was changed has been named among those that are missing.
    found.push(...strange.filter((edge) => !own?.edges.some(({ on }) => on === edge.on) || isMore(edge, theirs, own))
      .flatMap((edge) => added(edge, theirs, states)));
  }
  return found;
}

/** More edges of an event than we have: one of them was added, and may decide before ours. */
const isMore = ({ on }: Edge, theirs: StateParts, own: StateParts): boolean =>
  theirs.edges.filter((one) => one.on === on).length > own.edges.filter((one) => one.on === on).length;
