/**
 * Writes a scene as SVG text. Same scene, same bytes: nothing here looks at a clock or a system.
 * Must not know: the machine, or why things stand where they stand.
 */
import type { Box, Label, Line, Point, Sample, Scene, TextLine, Tone } from './scene.js';
import { styleSheet } from './svg.style.js';

/** Lines turn corners softly, and stop short of the head that is drawn for them. */
const BEND = 6;
const HEAD = { plain: 8, user: 10, timeout: 10, way: 10, trunk: 15 } as const satisfies Record<Tone, number>;

const escape = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
const num = (value: number): string => String(Math.round(value * 100) / 100);
const at = ({ x, y }: Point): string => `${num(x)} ${num(y)}`;

/** The point `far` units before `to` on the way from `from`. */
function before(from: Point, to: Point, far: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const part = Math.min(1, far / length);
  return { x: to.x - (to.x - from.x) * part, y: to.y - (to.y - from.y) * part };
}

function pathOf(points: readonly Point[]): string {
  const parts = [`M${at(points[0]!)}`];
  for (let nth = 1; nth < points.length - 1; nth += 1) {
    const [a, corner, b] = [points[nth - 1]!, points[nth]!, points[nth + 1]!];
    parts.push(`L${at(before(a, corner, BEND))}Q${at(corner)} ${at(before(b, corner, BEND))}`);
  }
  return `${parts.join('')}L${at(points.at(-1)!)}`;
}

/** A filled triangle rather than a marker: a marker cannot take the colour of its line in all programs. */
function head(points: readonly Point[], size: number, tone: Tone): string {
  const tip = points.at(-1)!;
  const base = before(points.at(-2)!, tip, size);
  const [dx, dy] = [(tip.x - base.x) * 0.42, (tip.y - base.y) * 0.42];
  const corners = [tip, { x: base.x - dy, y: base.y + dx }, { x: base.x + dy, y: base.y - dx }];
  return `<path class="head ${tone}" d="M${corners.map(at).join('L')}Z"/>`;
}

const text = ({ text: words, role, align, tone, x, y }: TextLine): string => {
  const anchor = align === 'start' ? '' : ` text-anchor="${align}"`;
  const classes = tone === 'plain' ? role : `${role} ${tone}`;
  return `<text class="${classes}" x="${num(x)}" y="${num(y)}"${anchor}>${escape(words)}</text>`;
};

const rectangle = (rect: Sample['rect'], classes: string, round: number): string =>
  `<rect class="${classes}" x="${num(rect.x)}" y="${num(rect.y)}" width="${num(rect.width)}" `
  + `height="${num(rect.height)}" rx="${round}"/>`;

const hover = (words: string): string => (words ? `<title>${escape(words)}</title>` : '');

function box({ id, rect, kind, held, texts, hover: words }: Box): string {
  const round = { way: rect.height / 2, whole: 10, bar: 4, state: 7, end: 7 }[kind];
  const kinds = ['box', kind, ...(kind === 'way' ? [] : [held])].join(' ');
  const inner = [hover(words), rectangle(rect, kinds, round), ...texts.map(text)].join('');
  return `<g data-state="${escape(id)}">${inner}</g>`;
}

const dot = ({ x, y }: Point, radius: number): string =>
  `<circle class="dot" cx="${num(x)}" cy="${num(y)}" r="${radius}"/>`;

function line({ id, points, tone, end, start, transitions, hover: words }: Line): string {
  const size = HEAD[tone];
  const tip = points.at(-1)!;
  const shown = end === 'arrow' ? [...points.slice(0, -1), before(points.at(-2)!, tip, size - 1)] : points;
  return [
    `<g data-arrow="${escape(id)}" data-transitions="${escape(transitions.join('; '))}">${hover(words)}`,
    `<path class="line ${tone}" d="${pathOf(shown)}"/>`,
    end === 'arrow' ? head(points, size, tone) : dot(tip, 3),
    start ? dot(points[0]!, 5) : '',
    '</g>',
  ].join('');
}

const label = ({ of, texts }: Label): string =>
  `<g data-label="${escape(of)}">${texts.map(text).join('')}</g>`;

function sample({ rect, shows }: Sample): string {
  if ('held' in shows) return rectangle(rect, `box ${shows.held}`, 5);
  const y = rect.y + rect.height / 2;
  const points = [{ x: rect.x, y }, { x: rect.x + rect.width, y }];
  const size = HEAD[shows.tone];
  const short = [points[0]!, before(points[0]!, points[1]!, size - 1)];
  return `<path class="line ${shows.tone}" d="${pathOf(short)}"/>${head(points, size, shows.tone)}`;
}

/**
 * @returns the picture as a whole SVG file. Wholes first, then lines, then their parts, so that nothing is
 * hidden.
 */
export function writeSvg(scene: Scene): string {
  const wholes = scene.boxes.filter(({ kind }) => kind === 'whole');
  const parts = scene.boxes.filter(({ kind }) => kind !== 'whole');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${scene.width} ${scene.height}" `
      + `width="${scene.width}" height="${scene.height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escape(scene.title)}</title>`,
    `<desc id="description">${escape(scene.description)}</desc>`,
    `<style>\n${styleSheet()}\n</style>`,
    `<rect class="paper" width="${scene.width}" height="${scene.height}"/>`,
    ...wholes.map(box),
    ...scene.lines.map(line),
    ...parts.map(box),
    ...scene.labels.map(label),
    ...scene.samples.map(sample),
    '</svg>',
    '',
  ].join('\n');
}
