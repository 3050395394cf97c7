/** Delicate sections by themselves: their names, what is refused, and when none is begun. */
import { describe, expect, test } from 'vitest';
import { LazyAbort } from '../../src/driver/lazy-abort.js';
import { Sections } from '../../src/driver/sections.js';

describe('sections', () => {
  const host = (state: string, told = new LazyAbort()) => {
    const heard: string[] = [];
    return { heard, told, session: 's', dispatch: ({ type }: { type: string }) => void heard.push(type), state: () => state, ranMs: () => 5,
      changed: (what: string) => void heard.push(what) };
  };

  test('open ones are named outermost first, and only while they are open', async () => {
    const { heard, ...rest } = host('running.working');
    const sections = new Sections({ ...rest, dispatch: () => {} });
    expect(sections.open).toBeNull();
    await sections.run('a'.repeat(64), () => sections.run('b', () => expect(sections.open).toBe(`${'a'.repeat(64)} > b`)));
    expect(sections.open).toBeNull();
    expect(heard.at(-1)).toBe(`section.left ${'a'.repeat(64)}`);
  });

  test.each([
    ['section', '', () => {}, {}], ['section', 'a'.repeat(65), () => {}, {}], ['section', ['a'], () => {}, {}], ['section', 'a', 'no function', {}],
    ['graceMs', 'a', () => {}, { graceMs: -1 }], ['pauseTimeout', 'a', () => {}, { pauseTimeout: 'yes' }],
  ])('%s: what cannot be is refused before anything is told', async (option, name, fn, options) => {
    const { heard, ...rest } = host('running.working');
    const refused = new Sections(rest).run(name as string, fn as () => void, options as object);
    await expect(refused).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(new RegExp(`^${option}: `)) as string });
    expect(heard).toEqual([]);
  });

  test('none is begun where the attempt does not run any more, or was told to end', async () => {
    const ended = new Sections(host('released')).run('a', () => {});
    await expect(ended).rejects.toMatchObject({ code: 'WRITER_CLOSED' });
    const reason = new Error('told to end');
    const told = new LazyAbort();
    told.abort(reason);
    await expect(new Sections(host('running.working', told)).run('a', () => {})).rejects.toBe(reason);
  });
});
