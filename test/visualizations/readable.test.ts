/**
 * Nothing lies on anything else. Each kind of collision is shown to be found, in a picture spoilt for it.
 */
import { describe, expect, test } from 'vitest';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { collisionsIn } from '../../src/visualize/collisions.js';
import { readGraph } from '../../src/visualize/graph.js';
import { sceneOf } from '../../src/visualize/layout.js';
import { scenesOf } from '../../src/visualize/pictures.js';
import type { Label, Point, Rect, Scene } from '../../src/visualize/scene.js';
import { fonts } from '../../src/visualize/svg.style.js';

const scene = sceneOf(readGraph(attemptMachine));
/** Widths in a README, in pixels. */
const README = 830;
const SMALLEST = 11;

const rectOf = (id: string): Rect => scene.boxes.find((box) => box.id === id)!.rect;
const moveLabel = (of: string, to: Point): Scene => ({
  ...scene,
  labels: scene.labels.map((label): Label =>
    (label.of === of ? { ...label, rect: { ...label.rect, x: to.x, y: to.y } } : label)),
});
const moveLine = (id: string, points: readonly Point[]): Scene =>
  ({ ...scene, lines: scene.lines.map((line) => (line.id === id ? { ...line, points } : line)) });
const labelRect = (of: string): Rect => scene.labels.find((label) => label.of === of)!.rect;

describe('the pictures can be read', () => {
  test.each(Object.entries(scenesOf(attemptMachine)))('%s: nothing lies on anything else', (_, one) => {
    expect(collisionsIn(one)).toEqual([]);
    expect(one.width).toBe(scene.width);
    expect(one.description.length).toBeGreaterThan(100);
  });

  test('no text is smaller than 11 pixels at the width of a README', () => {
    const sizes = Object.values(fonts).map(({ size }) => size * README / scene.width);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(SMALLEST);
  });
});

describe('a spoilt picture is found out', () => {
  const user = 'running > aborting.user';
  test.each<[string, Scene, RegExp]>([
    ['a label on another', moveLabel(user, labelRect('running > aborting.shutdown')),
      /stop \(user\).* lies on "shutdown"/],
    ['a label on a foreign box', moveLabel(user, rectOf('cleaning')),
      /stop \(user\).* lies on the box of cleaning/],
    ['a label across an edge', moveLabel(user, { x: 455, y: 350 }),
      /stop \(user\).* lies on the box of acquiring/],
    ['a label on a line', moveLabel(user, { x: 600, y: 720 }),
      /stop \(user\).* lies on the line running > aborting.superseded/],
    ['a line across a box', moveLine('cleaning > releasing', [{ x: 385, y: 1268 }, { x: 385, y: 1640 }]),
      /cleaning > releasing runs over the box of released/],
    ['two lines that cross', moveLine(user, [{ x: 560, y: 567 }, { x: 620, y: 567 }, { x: 620, y: 690 }]),
      /running > aborting.user and running > aborting.timeout cross/],
    ['two lines on top of each other', moveLine(user, [{ x: 560, y: 647 }, { x: 690, y: 647 }]),
      /running > aborting.user and running > aborting.timeout cross/],
    ['something beyond the edge', moveLabel(user, { x: 820, y: 1360 }), /stop \(user\).* sticks out/],
  ])('%s', (_, spoilt, sentence) => {
    expect(collisionsIn(spoilt)).toContainEqual(expect.stringMatching(sentence));
  });
});
