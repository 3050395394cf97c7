/**
 * How much room a text takes, without a browser: the advance widths of Helvetica (its AFM file), which
 * Arial and Liberation Sans share. Readers without any of them get another sans serif, so air is added.
 * Must not know: what is written or where.
 */

/** Enough for DejaVu Sans, the widest of the usual stand-ins, to stay clear of most neighbours. */
const AIR = 1.1;
/** Bold letters of the same family are wider by about this much. */
const BOLD = 1.07;
/** Distance of baselines in font sizes: short lines of a label still read as one block. */
const LINE = 1.28;

/** Thousandths of the font size for the characters from space to tilde. */
const WIDTHS = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
  556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
  1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
  667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
  333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
  556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

export interface Font {
  readonly size: number;
  readonly bold?: boolean;
}

/** @returns the width of one line in user units; characters outside ASCII count as an average letter. */
export function widthOf(text: string, { size, bold = false }: Font): number {
  let thousandths = 0;
  for (const char of text) thousandths += WIDTHS[char.charCodeAt(0) - 32] ?? 600;
  return (thousandths / 1000) * size * AIR * (bold ? BOLD : 1);
}

export const lineHeight = ({ size }: Font): number => Math.round(size * LINE);

/** Breaks each line at spaces so that it fits; a word wider than the room stands alone and sticks out. */
export function wrap(lines: readonly string[], width: number, font: Font): string[] {
  return lines.flatMap((line) => {
    const broken: string[] = [];
    for (const word of line.split(' ')) {
      const longer = broken.length > 0 ? `${broken.at(-1)} ${word}` : word;
      if (broken.length > 0 && widthOf(longer, font) <= width) broken[broken.length - 1] = longer;
      else broken.push(word);
    }
    return broken;
  });
}
