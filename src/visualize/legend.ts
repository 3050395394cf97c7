/**
 * What the picture says about itself: the legend, the note on late aborts, and the picture in words.
 * Must not know: where states and arrows stand.
 */
import type { Drawing } from './arrows.js';
import type { State } from './graph.js';
import { lockIn } from './held.js';
import { legendAt } from './placement.js';
import type { Label, Sample } from './scene.js';
import { block } from './text-blocks.js';

const SAMPLE = { width: 34, height: 18 };
const ROW = 26;

const rows: readonly { shows: Sample['shows']; says: string }[] = [
  { shows: { held: 'held' }, says: 'the lock is held' },
  { shows: { held: 'perhaps' }, says: 'the lock may be held, until an answer' },
  { shows: { held: 'not' }, says: 'the lock is not held' },
  { shows: { tone: 'user' }, says: 'the user stops the work' },
  { shows: { tone: 'timeout' }, says: 'a time limit stops it, and does more' },
  { shows: { tone: 'trunk' }, says: 'the way out, whatever the cause' },
];

/** Transitions of the root without a target: what holds wherever no state says otherwise. */
const lateAborts = (drawing: Drawing): string[] =>
  drawing.internal.filter((one) => one.source === '').map((one) => one.trigger);

export function legend(drawing: Drawing): { labels: Label[]; samples: Sample[] } {
  const { x, y, width } = legendAt;
  const textX = x + SAMPLE.width + 10;
  const textWidth = x + width - textX;
  const samples = rows.map(({ shows }, nth) => ({ rect: { x, y: y + ROW * nth, ...SAMPLE }, shows }));
  const labels = rows.map(({ says }, nth) => block('legend', [says], 'note', {
    x: textX, y: y + ROW * nth + SAMPLE.height / 2, align: 'start', stand: 'middle', width: textWidth,
  }, 'plain'));
  const late = lateAborts(drawing).map((trigger) =>
    `Where no arrow says otherwise, an abort (${trigger}) is late: it is recorded and changes nothing. `
    + 'The first abort stays the cause.');
  const names = 'Inside a state, in: and out: are what is done on entering and leaving; the other lines are '
    + 'answered without leaving. Opened by itself, the picture shows exact names under the pointer.';
  const notes = [...late, names];
  let top = y + ROW * rows.length + 10;
  for (const note of notes) {
    const at = { x, y: top, align: 'start', stand: 'under', width } as const;
    const label = block('legend', [note], 'note', at, 'plain');
    labels.push(label);
    top += label.rect.height + 10;
  }
  return { labels, samples };
}

/**
 * A reader who hears the picture gets the states in order, the lock in each, and the two things it is drawn
 * for.
 */
export function description(drawing: Drawing, states: readonly State[]): string {
  const held = states.filter(({ path }) => lockIn[path]?.held === 'held').map(({ path }) => path);
  const top = states.filter(({ path }) => !path.includes('.')).map(({ path }) => path);
  return `State diagram of one attempt at work under a session's lock. In order of life: ${top.join(', ')}. `
    + `The lock is held in ${held.join(', ')}. A user's stop and a timeout are two arrows from running into `
    + 'two parts of aborting; only the timeout calls onTimeout and marks the run abandoned if its work had '
    + `started. One way out, shared by ${drawing.wayOutOf.join(' and ')}, leads on to cleaning, releasing or `
    + 'released: it asks about work and lease, never who aborted. Only released is final.';
}
