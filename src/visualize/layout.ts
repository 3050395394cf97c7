/**
 * Puts what the machine says where the placement says: the scene.
 * Owns: the agreement of the two.
 * Must not know: how a scene is written down.
 */
import { drawingOf, WAY_OUT, type Arrow, type Drawing } from './arrows.js';
import type { Graph, State } from './graph.js';
import { lockIn } from './held.js';
import { description, legend } from './legend.js';
import { captionPlace, HEIGHT, places, routes, starts, titleAt, WIDTH } from './placement.js';
import { pointsOf } from './routing.js';
import type { Box, Label, Line, Point, Scene, Tone } from './scene.js';
import { block, textsIn, type Said } from './text-blocks.js';
import { arrowWords, exactWords, stateWords, WAY_OUT_ASKS, WAY_OUT_CAPTION } from './words.js';

function found<T>(table: Readonly<Record<string, T>>, id: string, what: string): T {
  const entry = table[id];
  if (entry !== undefined) return entry;
  throw new Error(`The machine has "${id}", but ${what} does not know it. Add it there.`);
}

function noneLeftOver(table: object, used: ReadonlySet<string>, what: string): void {
  const extra = Object.keys(table).filter((id) => !used.has(id)).join(', ');
  if (extra) throw new Error(`${what} speaks of ${extra}, which the machine does not have. Take it out.`);
}

function boxOf(state: State, drawing: Drawing): Box {
  const place = found(places, state.path, 'placement.ts');
  const { held, says } = found(lockIn, state.path, 'held.ts');
  const { doings, answers } = stateWords(state, drawing.internal);
  const said: Said[] = [
    { role: 'name', text: state.name },
    ...(says ? [{ role: 'says' as const, text: says }] : []),
    ...doings.map((text) => ({ role: 'does' as const, text })),
    ...answers.map((text) => ({ role: 'does' as const, text, answer: true })),
  ];
  const own = drawing.internal.filter((one) => one.source === state.path).map(exactWords);
  const hover = [state.path, `entry / ${state.entry.join(', ')}`, `exit / ${state.exit.join(', ')}`, ...own];
  return {
    id: state.path,
    rect: { x: place.x, y: place.y, width: place.width, height: place.height },
    kind: state.type === 'final' ? 'end' : state.children.length > 0 ? 'whole' : 'state',
    held,
    texts: textsIn(place, said),
    hover: hover.filter((line) => !line.endsWith('/ ')).join('\n'),
  };
}

function wayOutBox(): Box {
  const rect = found(places, WAY_OUT, 'placement.ts');
  const [x, y] = [rect.x + rect.width / 2, rect.y + rect.height / 2];
  const at = { x, y, align: 'middle', stand: 'middle', width: rect.width } as const;
  const { texts } = block(WAY_OUT, WAY_OUT_ASKS, 'says', at, 'plain');
  return { id: WAY_OUT, rect, kind: 'way', held: 'not', texts, hover: WAY_OUT_CAPTION };
}

/** The state whose way out the picture is about. Work that ended by itself takes it too, by a plain line. */
const TRUNK_FROM = 'aborting';

/** Two causes are told apart by colour and stroke, and so is the way out; everything else is plain. */
function toneOf(arrow: Arrow): Tone {
  if (arrow.kind === 'outOfWay') return 'way';
  if (arrow.kind === 'intoWay') return arrow.from === TRUNK_FROM ? 'trunk' : 'plain';
  const triggers = new Set(arrow.transitions.map((one) => one.trigger));
  if (triggers.size > 1) return 'plain';
  return triggers.has('abort.user') ? 'user' : triggers.has('abort.timeout') ? 'timeout' : 'plain';
}

function lineOf(arrow: Arrow): Line {
  const route = found(routes, arrow.id, 'placement.ts');
  return {
    id: arrow.id,
    transitions: arrow.transitions.map((one) => one.id),
    points: pointsOf(arrow, route),
    tone: toneOf(arrow),
    end: typeof route.enter === 'string' ? 'arrow' : 'joint',
    start: false,
    hover: arrow.transitions.map(exactWords).join('\n'),
  };
}

function startLine(path: string, dot: Point, graph: Graph): Line {
  const whole = graph.states.find((state) => state.path === path);
  if (!whole?.initial) throw new Error(`placement.ts starts "${path}", which has no first part.`);
  const first = found(places, whole.initial, 'placement.ts');
  const end = dot.x > first.x + first.width ? { x: first.x + first.width, y: dot.y }
    : dot.x < first.x ? { x: first.x, y: dot.y } : { x: dot.x, y: first.y };
  return {
    id: `start > ${whole.initial}`,
    transitions: [],
    points: [dot, end],
    tone: 'plain',
    end: 'arrow',
    start: true,
    hover: `begins with ${whole.initial}`,
  };
}

function labelOf(arrow: Arrow, tone: Tone): Label[] {
  const { label } = found(routes, arrow.id, 'placement.ts');
  return label ? [block(arrow.id, arrowWords(arrow), 'label', label, tone)] : [];
}

/** @returns the whole picture. @throws Error where machine, placement and table of locks disagree. */
export function sceneOf(graph: Graph): Scene {
  const drawing = drawingOf(graph);
  const states = graph.states.filter((state) => state.path !== '');
  noneLeftOver(places, new Set([...states.map((state) => state.path), WAY_OUT]), 'placement.ts');
  noneLeftOver(lockIn, new Set(states.map((state) => state.path)), 'held.ts');
  noneLeftOver(routes, new Set(drawing.arrows.map((arrow) => arrow.id)), 'placement.ts');
  const title = 'The life of an attempt';
  const { labels: notes, samples } = legend(drawing);
  const lines = drawing.arrows.map(lineOf);
  return {
    width: WIDTH,
    height: HEIGHT,
    title,
    description: description(drawing, states),
    boxes: [...states.map((state) => boxOf(state, drawing)), wayOutBox()],
    lines: [...lines, ...Object.entries(starts).map(([path, dot]) => startLine(path, dot, graph))],
    labels: [
      block('title', [title], 'title', { ...titleAt, align: 'start', stand: 'middle', width: 500 }, 'plain'),
      ...drawing.arrows.flatMap((arrow, nth) => labelOf(arrow, lines[nth]!.tone)),
      block(`${TRUNK_FROM} > ${WAY_OUT}`, [WAY_OUT_CAPTION], 'says', captionPlace, 'plain'),
      ...notes,
    ],
    samples,
  };
}
