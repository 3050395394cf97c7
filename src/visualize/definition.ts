/**
 * Writes the machine as plain JSON: for tools that draw or compare it, and for diffs people read.
 * Owns: the shape and the order of keys. Must not know: how anything is drawn.
 */
import { parentOf, type Graph, type State, type Transition } from './graph.js';
import { lockIn } from './held.js';

/** Keys stand in the order they are written here; what is not there is left out. */
function transitionJson(one: Transition): object {
  return {
    ...(one.kind === 'event' ? { on: one.trigger } : {}),
    ...(one.kind === 'after' ? { after: one.trigger } : {}),
    ...(one.kind === 'always' ? { always: true } : {}),
    ...(one.guard ? { guard: one.guard } : {}),
    target: one.target,
    ...(one.reenter ? { reenter: true } : {}),
    actions: one.actions,
  };
}

function stateJson(state: State, graph: Graph): object {
  const lock = lockIn[state.path];
  const parts = graph.states.filter(({ path }) => path !== '' && parentOf(path) === state.path);
  const states = Object.fromEntries(parts.map((part) => [part.name, stateJson(part, graph)]));
  return {
    type: state.type,
    ...(lock ? { lock: lock.held } : {}),
    ...(state.initial ? { initial: state.initial } : {}),
    entry: state.entry,
    exit: state.exit,
    transitions: graph.transitions.filter(({ source }) => source === state.path).map(transitionJson),
    ...(parts.length > 0 ? { states } : {}),
  };
}

/**
 * @returns the file's text. Targets are full paths from the root; a target of null acts without leaving.
 */
export const writeDefinition = (graph: Graph): string =>
  `${JSON.stringify({ id: graph.id, ...stateJson(graph.states[0]!, graph) }, null, 2)}\n`;
