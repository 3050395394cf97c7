/**
 * What the strips are drawn for is true when they are played: the harm is there with the bug and not without it,
 * every story of ours ends with nothing left behind, and the page opens from disk.
 */
import { describe, expect, test } from 'vitest';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { play, withStates, type Frame } from '../../src/visualize/play.js';
import { picturesOf } from '../../src/visualize/pictures.js';
import { incidents, stories } from '../../src/visualize/stories.js';

const last = (frames: readonly Frame[]): Frame => frames.at(-1)!;
const harmed = (frames: readonly Frame[]): boolean => frames.some(({ isHarm }) => isHarm);

describe('ours', () => {
  test.each([...stories, ...incidents].map((story) => [story.name, story] as const))(
    'S6: %s ends in released with nothing held, and nobody is harmed', (_, { script }) => {
      const { frames } = play(attemptMachine, script);
      expect(last(frames)).toMatchObject({ state: 'released', lock: 'not', writerOpen: false });
      expect(harmed(frames)).toBe(false);
      expect(frames.flatMap(({ does }) => does)).toContain('granted at once');
    },
  );

  test('S18: user and timeout take the same states out; only the timeout says abandoned and onTimeout', () => {
    const [user, timeout] = ['user-abort', 'timeout-abort'].map((name) =>
      play(attemptMachine, stories.find((story) => story.name === name)!.script).frames);
    const after = (frames: readonly Frame[]) => frames.slice(4).map(({ state, lock }) => [state, lock]);
    expect(after(user!)).toEqual(after(timeout!));
    const only = timeout![3]!.does.filter((what) => !user![3]!.does.includes(what));
    expect(only).toEqual(['onTimeout called', 'run marked abandoned if work had started']);
  });
});

describe('the bug', () => {
  test.each(incidents.map((one) => [one.name, one] as const))('%s does its harm where it is written in', (_, one) => {
    const { frames } = play(withStates(attemptMachine, one.breaks), one.script);
    expect(harmed(frames)).toBe(true);
  });

  test('M01, M04: the lock is left behind; M09: it is the writer', () => {
    const ends = Object.fromEntries(incidents.map(({ name, breaks, script }) =>
      [name, last(play(withStates(attemptMachine, breaks), script).frames)]));
    expect([ends['M01']!.lock, ends['M04']!.lock, ends['M09']!.lock]).toEqual(['leak', 'leak', 'not']);
    expect(ends['M09']!.writerOpen).toBe(true);
  });
});

test('index.html opens from disk: no script, nothing from elsewhere, every picture with words for it', () => {
  const pictures = picturesOf(attemptMachine);
  const page = pictures['index.html']!;
  expect(page).not.toMatch(/<script|https?:|@import|<link/i);
  const shown = [...page.matchAll(/<img src="([^"]+)" alt="([^"]+)"/g)];
  expect(shown.map(([, file]) => file).sort()).toEqual(Object.keys(pictures).filter((name) => name.endsWith('.svg')).sort());
  for (const [, file, words] of shown) expect(words!.length, file).toBeGreaterThan(30);
});
