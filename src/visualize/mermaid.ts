/**
 * Writes the machine as a mermaid state diagram, with the machine's own names: for pages that render
 * mermaid, and for reading as text.
 * Must not know: positions; mermaid finds its own.
 */
import { WAY_OUT, type Drawing } from './arrows.js';
import { parentOf, type Graph, type State, type Transition } from './graph.js';
import { exactLabel } from './words.js';

/** Mermaid's ids have no dots. */
export const mermaidId = (path: string): string => path.replaceAll('.', '_');

/** What belongs to a state rather than to an arrow. */
function inner(state: State, internal: readonly Transition[]): string[] {
  return [
    ...(state.entry.length > 0 ? [`entry / ${state.entry.join(', ')}`] : []),
    ...(state.exit.length > 0 ? [`exit / ${state.exit.join(', ')}`] : []),
    ...internal.filter((one) => one.source === state.path).map(exactLabel),
  ];
}

function declared(state: State, graph: Graph, indent: string): string[] {
  const id = mermaidId(state.path);
  const self = [`${indent}state "${state.name}" as ${id}${state.children.length > 0 ? ' {' : ''}`];
  if (state.children.length === 0) return self;
  const parts = graph.states.filter(({ path }) => parentOf(path) === state.path && path !== '');
  return [
    ...self,
    `${indent}  [*] --> ${mermaidId(state.initial!)}`,
    ...parts.flatMap((part) => declared(part, graph, `${indent}  `)),
    `${indent}}`,
  ];
}

const notes = (graph: Graph, { internal }: Drawing): string[] => graph.states
  .filter(({ path }) => path !== '')
  .map((state) => ({ id: mermaidId(state.path), lines: inner(state, internal) }))
  .filter(({ lines }) => lines.length > 0)
  .flatMap(({ id, lines }) => [`  note right of ${id}`, ...lines.map((line) => `    ${line}`), '  end note']);

/** @returns the file's text. A way out that states share is a choice both lead to. */
export function writeMermaid(graph: Graph, drawing: Drawing): string {
  const top = graph.states.filter(({ path }) => path !== '' && parentOf(path) === '');
  const anywhere = drawing.internal.filter(({ source }) => source === '');
  const ways = drawing.arrows.filter(({ kind }) => kind === 'intoWay' || kind === 'outOfWay');
  const shared = new Set(ways.flatMap(({ transitions }) => transitions));
  const moving = graph.transitions.filter((one) => one.target !== null && !shared.has(one));
  return [
    '%% Generated from the machine by `npm run visualize`. Do not edit.',
    ...anywhere.map((one) => `%% In any state, where it does not say otherwise: ${exactLabel(one)}`),
    'stateDiagram-v2',
    '  direction TB',
    ...top.flatMap((state) => declared(state, graph, '  ')),
    ...(ways.length > 0 ? [`  state ${WAY_OUT} <<choice>>`] : []),
    `  [*] --> ${mermaidId(graph.states[0]?.initial ?? '')}`,
    ...moving.map((one) => `  ${mermaidId(one.source)} --> ${mermaidId(one.target!)} : ${exactLabel(one)}`),
    ...ways.map(({ kind, from, to, transitions }) => {
      const label = kind === 'intoWay' ? 'always' : exactLabel(transitions[0]!);
      return `  ${mermaidId(from)} --> ${mermaidId(to)} : ${label}`;
    }),
    ...top.filter(({ type }) => type === 'final').map(({ path }) => `  ${mermaidId(path)} --> [*]`),
    ...notes(graph, drawing),
    '',
  ].join('\n');
}
