/**
 * Blocks of text with a place: beside a line, in the legend, inside a box.
 * Owns: where each line of a block stands, and whether it fits.
 * Must not know: what is written, how it looks.
 */
import { lineHeight, widthOf, wrap } from './measure.js';
import type { LabelPlace, Place } from './placement.js';
import type { Label, TextLine, Tone } from './scene.js';
import { fonts } from './svg.style.js';

/** From the top of a line of text down to the feet of its letters, in font sizes. */
const ASCENT = 0.95;
/** Between a box's edge and its text. */
const PAD = 10;
/** Lines that go on are set in a little, so that one thing said can be told from two. */
const HANG = 9;

/** A block of lines whose place is given by one of its corners or middles. */
export function block(
  of: string, lines: readonly string[], role: TextLine['role'], at: LabelPlace, tone: Tone | 'leak',
): Label {
  const font = fonts[role];
  const wrapped = wrap(lines, at.width, font);
  const step = lineHeight(font);
  const height = step * wrapped.length;
  const width = Math.max(...wrapped.map((text) => widthOf(text, font)));
  const top = at.stand === 'on' ? at.y - height : at.stand === 'under' ? at.y : at.y - height / 2;
  const left = at.align === 'start' ? at.x : at.align === 'end' ? at.x - width : at.x - width / 2;
  const texts = wrapped.map((text, nth) =>
    ({ text, role, align: at.align, tone, x: at.x, y: Math.round(top + step * nth + font.size * ASCENT) }));
  return { of, rect: { x: left, y: top, width, height }, texts };
}

export interface Said {
  readonly role: TextLine['role'];
  readonly text: string;
  readonly answer?: boolean;
}

/** What is said, broken where the room ends; lines that go on are set in. */
function broken({ role, text }: Said, room: number): { readonly text: string; readonly setIn: number }[] {
  const parts = widthOf(text, fonts[role]) <= room ? [text] : wrap([text], room - HANG, fonts[role]);
  return parts.map((part, nth) => ({ text: part, setIn: nth > 0 ? HANG : 0 }));
}

/** @returns the lines of a column, and where it ends. */
function column(said: readonly Said[], x: number, from: number, room: number): [TextLine[], number] {
  const texts: TextLine[] = [];
  let top = from;
  for (const one of said) {
    for (const { text, setIn } of broken(one, room)) {
      const y = Math.round(top + fonts[one.role].size * ASCENT);
      texts.push({ text, role: one.role, align: 'start', tone: 'plain', x: x + setIn, y });
      top += lineHeight(fonts[one.role]);
    }
  }
  return [texts, top];
}

/** @returns the lines inside a box. @throws Error where they need more height than it has. */
export function textsIn(place: Place, said: readonly Said[]): TextLine[] {
  const room = place.width - 2 * PAD;
  const [head, below] = column(said.filter(({ answer }) => !answer), place.x + PAD, place.y + 7, room);
  const answers = said.filter(({ answer }) => answer);
  const count = place.columns ?? 1;
  const each = Math.ceil(answers.length / count);
  const step = (room + PAD) / count;
  const columns = Array.from({ length: count }, (_, nth) => column(
    answers.slice(nth * each, (nth + 1) * each),
    place.x + PAD + nth * step, Math.max(below, place.answersFrom ?? 0), step - PAD,
  ));
  const needed = Math.max(below, ...columns.map(([, end]) => end)) - place.y;
  if (needed > place.height) throw new Error(`"${said[0]?.text}" needs a height of ${needed}: make room.`);
  return [...head, ...columns.flatMap(([texts]) => texts)];
}
