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
  of: string, lines: readonly string[], role: TextLine['role'], at: LabelPlace, tone: Tone,
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

/** @returns the lines inside a box. @throws Error where they need more height than it has. */
export function textsIn(place: Place, said: readonly Said[]): TextLine[] {
  const texts: TextLine[] = [];
  let top = place.y + 7;
  for (const { role, text, answer } of said) {
    if (answer && place.answersFrom !== undefined) top = Math.max(top, place.answersFrom);
    const room = place.width - 2 * PAD;
    const parts = widthOf(text, fonts[role]) <= room ? [text] : wrap([text], room - HANG, fonts[role]);
    for (const [nth, part] of parts.entries()) {
      const y = Math.round(top + fonts[role].size * ASCENT);
      const x = place.x + PAD + (nth > 0 ? HANG : 0);
      texts.push({ text: part, role, align: 'start', tone: 'plain', x, y });
      top += lineHeight(fonts[role]);
    }
  }
  const needed = top - place.y;
  if (needed > place.height) throw new Error(`"${said[0]?.text}" needs a height of ${needed}: make room.`);
  return texts;
}
