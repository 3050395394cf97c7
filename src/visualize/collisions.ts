/**
 * What makes a picture hard to read, found in its coordinates: words on words, on boxes or on lines; lines
 * across boxes or each other; anything beyond the edge.
 * Must not know: the machine. It judges any scene.
 */
import { lineHeight, widthOf } from './measure.js';
import type { Box, Line, Point, Rect, Scene, TextLine } from './scene.js';
import { fonts } from './svg.style.js';

/** Baselines stand on whole units: neighbouring lines of a block may reach into each other by this much. */
const ROUNDING = 1;
/** Lines this near to a text already seem to run through it. */
const LINE_CLEARANCE = 1.5;

const overlap = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
const within = (a: Rect, b: Rect): boolean =>
  a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height;

function textRect({ text, role, align, x, y }: TextLine): Rect {
  const font = fonts[role];
  const width = widthOf(text, font);
  const left = align === 'start' ? x : align === 'end' ? x - width : x - width / 2;
  return { x: left, y: y - font.size * 0.95, width, height: lineHeight(font) - ROUNDING };
}

interface Segment {
  readonly of: Line;
  readonly a: Point;
  readonly b: Point;
}

const segmentsOf = (of: Line): Segment[] =>
  of.points.slice(1).map((b, nth) => ({ of, a: of.points[nth]!, b }));
const rectOf = ({ a, b }: Segment, air = 0): Rect => ({
  x: Math.min(a.x, b.x) - air, y: Math.min(a.y, b.y) - air,
  width: Math.abs(a.x - b.x) + 2 * air, height: Math.abs(a.y - b.y) + 2 * air,
});

/** Crossing, or running on top of each other. Meeting at an end is a joint or a corner, which is meant. */
const cross = (one: Segment, other: Segment): boolean => overlap(rectOf(one, 0.01), rectOf(other, 0.01))
  && ![one.a, one.b].some((p) => touches(p, other)) && ![other.a, other.b].some((p) => touches(p, one))
  || runsAlong(one, other);
function touches(p: Point, segment: Segment): boolean {
  return overlap({ ...p, width: 0.01, height: 0.01 }, rectOf(segment, 0.01));
}
function runsAlong(one: Segment, other: Segment): boolean {
  const [a, b] = [rectOf(one), rectOf(other)];
  const sharedX = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const sharedY = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const bothLevel = a.height === 0 && b.height === 0 && a.y === b.y;
  const bothUpright = a.width === 0 && b.width === 0 && a.x === b.x;
  return bothLevel && sharedX > 0.5 || bothUpright && sharedY > 0.5;
}

/** The boxes a line has business with: its ends, and the wholes those are parts of. */
function isHome(line: Line, box: Box): boolean {
  const ends = line.id.split(' > ');
  return ends.some((end) => end === box.id || end.startsWith(`${box.id}.`));
}

interface Words extends Rect {
  readonly name: string;
  readonly inside: string | null;
}

function wordsOf(scene: Scene): Words[] {
  return [
    ...scene.labels.map(({ of, rect, texts }) =>
      ({ ...rect, name: `"${texts[0]?.text}" (${of})`, inside: null })),
    ...scene.boxes.flatMap(({ id, texts }) =>
      texts.map((text) => ({ ...textRect(text), name: `"${text.text}" (in ${id})`, inside: id }))),
    ...scene.samples.map(({ rect }, nth) => ({ ...rect, name: `sample ${nth + 1}`, inside: null })),
  ];
}

/** Every unordered pair once. */
const pairs = <T>(list: readonly T[]): [T, T][] =>
  list.flatMap((one, nth) => list.slice(nth + 1).map((other): [T, T] => [one, other]));

function wordsOnWords(words: readonly Words[]): string[] {
  return pairs(words).filter(([a, b]) => overlap(a, b)).map(([a, b]) => `${a.name} lies on ${b.name}`);
}

/** A label may lie inside a whole, between its parts; it may not lie on a part or across an edge. */
function wordsOnBoxes(words: readonly Words[], boxes: readonly Box[]): string[] {
  return words.flatMap((word) => boxes
    .filter(({ id, rect, kind }) => {
      if (word.inside === id) return !within(word, rect);
      const around = kind === 'whole' && within(word, rect);
      return overlap(word, rect) && !around && !word.inside?.startsWith(`${id}.`);
    })
    .map(({ id }) => `${word.name} lies on the box of ${id}`));
}

const wordsOnLines = (words: readonly Words[], segments: readonly Segment[]): string[] =>
  words.flatMap((word) => segments.filter((segment) => overlap(word, rectOf(segment, LINE_CLEARANCE)))
    .map(({ of }) => `${word.name} lies on the line ${of.id}`));

const linesOnBoxes = (segments: readonly Segment[], boxes: readonly Box[]): string[] =>
  segments.flatMap((segment) => boxes
    .filter((box) => !isHome(segment.of, box) && overlap(rectOf(segment, LINE_CLEARANCE), box.rect))
    .map((box) => `the line ${segment.of.id} runs over the box of ${box.id}`));

const linesOnLines = (segments: readonly Segment[]): string[] =>
  pairs(segments).filter(([a, b]) => a.of !== b.of && cross(a, b))
    .map(([a, b]) => `the lines ${a.of.id} and ${b.of.id} cross`);

const isPartOf = (part: Box, whole: Box): boolean =>
  part.id.startsWith(`${whole.id}.`) && within(part.rect, whole.rect);

const boxesOnBoxes = (boxes: readonly Box[]): string[] =>
  pairs(boxes).filter(([a, b]) => overlap(a.rect, b.rect) && !isPartOf(a, b) && !isPartOf(b, a))
    .map(([a, b]) => `the boxes of ${a.id} and ${b.id} overlap`);

/** @returns a sentence for each thing in the way of reading; empty for a clean picture. */
export function collisionsIn(scene: Scene): string[] {
  const words = wordsOf(scene);
  const segments = scene.lines.flatMap(segmentsOf);
  const paper = { x: 0, y: 0, width: scene.width, height: scene.height };
  const boxes = scene.boxes.map(({ id, rect }) => ({ ...rect, name: `the box of ${id}` }));
  return [
    ...wordsOnWords(words),
    ...wordsOnBoxes(words, scene.boxes),
    ...wordsOnLines(words, segments),
    ...linesOnBoxes(segments, scene.boxes),
    ...linesOnLines(segments),
    ...boxesOnBoxes(scene.boxes),
    ...[...words, ...boxes].filter((one) => !within(one, paper))
      .map(({ name }) => `${name} sticks out of the picture`),
  ];
}
