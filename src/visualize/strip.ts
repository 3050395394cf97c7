/**
 * A story as a strip: one row a step, downwards; beside each column of states a bar for the lock and one for the
 * writer. An incident has two columns: the machine with the bug in it, and ours.
 * Owns: where rows and columns stand. Must not know: what happens in the story.
 */
import type { Held } from './held.js';
import { lineHeight, widthOf } from './measure.js';
import type { Frame } from './play.js';
import type { Box, Label, Rect, Scene, TextLine } from './scene.js';
import { fonts } from './svg.style.js';
import { block } from './text-blocks.js';

const WIDTH = 840;
const MARGIN = 24;
const CHIP = 22;
const GAP = 14;

interface Column {
  readonly heading: string;
  readonly frames: readonly Frame[];
  /** Left edges: of the lock's bar, the writer's bar, the state. */
  readonly lock: number;
  readonly writer: number;
  readonly state: number;
  /** What is done stands beside the state (its left edge) or, if not said, below. */
  readonly does?: number;
  readonly right: number;
}

export interface Strip {
  readonly title: string;
  readonly says: string;
  /** One column, or the bug's and ours. */
  readonly columns: readonly { readonly heading: string; readonly frames: readonly Frame[] }[];
}

function columnsOf({ columns }: Strip): { saysWidth: number; columns: Column[] } {
  const [one, other] = columns;
  if (!one) throw new Error('A strip needs a column.');
  if (!other) {
    const places = { lock: 290, writer: 326, state: 352, does: 592, right: WIDTH - MARGIN };
    return { saysWidth: 240, columns: [{ ...one, ...places }] };
  }
  return {
    saysWidth: 176,
    columns: [
      { ...one, lock: 222, writer: 250, state: 276, right: 510 },
      { ...other, lock: 542, writer: 570, state: 596, right: WIDTH - MARGIN },
    ],
  };
}

const label = (
  of: string, lines: readonly string[], role: TextLine['role'], at: Omit<Rect, 'height'>, tone: 'plain' | 'leak' = 'plain',
): Label => block(of, lines, role, { ...at, align: 'start', stand: 'under' }, tone);

/** A state's chip and what is done on the way into it. */
function cell(column: Column, frame: Frame, nth: number, y: number): { box: Box; labels: Label[]; height: number } {
  const id = `${column.heading || 'ours'} ${nth}`;
  const width = Math.min(widthOf(frame.state, fonts.name) * 1.1 + 20, (column.does ?? column.right + 12) - column.state - 12);
  const texts: TextLine[] = [
    { text: frame.state, role: 'name', align: 'start', tone: 'plain', x: column.state + 9, y: Math.round(y + 15.5) },
  ];
  const rect = { x: column.state, y, width, height: CHIP };
  const kind = frame.state === 'released' ? 'end' : 'state';
  const box: Box = { id, rect, kind, held: frame.lock, texts, hover: frame.does.join('; ') };
  if (frame.does.length === 0) return { box, labels: [], height: CHIP };
  const at = column.does === undefined
    ? { x: column.state + 2, y: y + CHIP + 3, width: column.right - column.state - 2 }
    : { x: column.does, y: y + 3, width: column.right - column.does };
  const done = label(id, [frame.does.join('; ')], 'label', at, frame.isHarm ? 'leak' : 'plain');
  return { box, labels: [done], height: done.rect.y + done.rect.height - y };
}

/** Neighbouring rows with the same thing to say share a bar. */
function bars(
  column: Column, tops: readonly number[], what: (frame: Frame) => Held | 'leak' | null, x: number, width: number, name: string,
): Box[] {
  const boxes: Box[] = [];
  column.frames.forEach((frame, nth) => {
    const held = what(frame);
    if (held === null) return;
    const [y, end] = [tops[nth]!, tops[nth + 1]!];
    const last = boxes.at(-1);
    if (last && last.held === held && last.rect.y + last.rect.height === y) {
      boxes[boxes.length - 1] = { ...last, rect: { ...last.rect, height: end - last.rect.y } };
    } else {
      const id = `${column.heading} ${name} ${nth}`;
      boxes.push({ id, rect: { x, y, width, height: end - y }, kind: 'bar', held, texts: [], hover: `${name}: ${held}` });
    }
  });
  return boxes;
}

const lockBar = ({ lock }: Frame): Held | 'leak' | null => (lock === 'not' ? null : lock);
/** An open writer is drawn like a held lock; open after the end it is what leaks. */
const writerBar = ({ writerOpen, state }: Frame): Held | 'leak' | null =>
  (writerOpen ? (state === 'released' ? 'leak' : 'held') : null);

const words = ({ lock, writerOpen, state, does }: Frame): string => {
  const locks = { held: 'lock held', perhaps: 'lock perhaps held', not: 'no lock', leak: 'LOCK LEFT BEHIND', parts: '' };
  return `${state} (${locks[lock]}${writerOpen ? ', writer open' : ''})${does.length > 0 ? `, ${does.join(', ')}` : ''}`;
};

/** The strip in words, a line for each step: the same for who hears it and who reads the page's list. */
export const linesOf = ({ columns }: Strip): string[] => columns[0]!.frames.map(({ says }, nth) => {
  const told = columns.map(({ frames }) => words(frames[nth]!));
  return `${says}: ${told.length > 1 ? `with the bug, ${told[0]}; here, ${told[1]}` : told[0]}`;
});

/** The key to the bars, at the foot. */
function key(y: number): { labels: Label[]; samples: Scene['samples'] } {
  const entries = [
    ['held', 'held; writer open'], ['perhaps', 'may be held, until an answer'], ['leak', 'left behind'],
  ] as const;
  let x = MARGIN;
  const labels: Label[] = [];
  const samples: Scene['samples'][number][] = [];
  for (const [held, says] of entries) {
    samples.push({ rect: { x, y, width: 24, height: 14 }, shows: { held } });
    labels.push(label('key', [says], 'note', { x: x + 32, y: y - 1, width: 300 }));
    x += 32 + widthOf(says, fonts.note) + 28;
  }
  return { labels, samples };
}

/** @returns the strip as a scene that the same writer prints and the same checks judge. */
export function stripScene(strip: Strip): Scene {
  const { saysWidth, columns } = columnsOf(strip);
  const head = [
    label('title', [strip.title], 'title', { x: MARGIN, y: 16, width: WIDTH - 2 * MARGIN }),
    label('says', [strip.says], 'note', { x: MARGIN, y: 46, width: WIDTH - 2 * MARGIN }),
  ];
  let y = head[1]!.rect.y + head[1]!.rect.height + 12;
  const labels = [...head];
  for (const { heading, lock, writer, state } of columns) {
    if (heading) labels.push(label('heading', [heading], 'name', { x: lock, y, width: 300 }));
    const below = y + (columns.length > 1 ? 20 : 0);
    labels.push(label('heading', ['lock'], 'note', { x: lock - 6, y: below, width: 40 }));
    labels.push(label('heading', ['writer'], 'note', { x: writer - 4, y: below, width: 50 }));
    if (columns.length === 1) labels.push(label('heading', ['state'], 'note', { x: state + 20, y: below, width: 60 }));
  }
  y += (columns.length > 1 ? 20 : 0) + 24;
  const boxes: Box[] = [];
  const tops: number[] = [];
  columns[0]!.frames.forEach(({ says }, nth) => {
    tops.push(y);
    const event = label(`step ${nth + 1}`, [says], 'label', { x: MARGIN, y: y + 3, width: saysWidth });
    const cells = columns.map((column) => cell(column, column.frames[nth]!, nth, y));
    boxes.push(...cells.map(({ box }) => box));
    labels.push(event, ...cells.flatMap((one) => one.labels));
    y += Math.max(event.rect.height + 3, ...cells.map(({ height }) => height)) + GAP;
  });
  tops.push(y);
  boxes.push(...columns.flatMap((column) => [
    ...bars(column, tops, lockBar, column.lock, 16, 'lock'), ...bars(column, tops, writerBar, column.writer, 8, 'writer'),
  ]));
  const foot = key(y + 12);
  return {
    width: WIDTH, height: Math.round(y + 12 + lineHeight(fonts.note) + 14), title: strip.title,
    description: `${strip.says} ${linesOf(strip).join('. ')}.`,
    boxes, lines: [], labels: [...labels, ...foot.labels], samples: foot.samples,
  };
}
