/**
 * Nothing of the machine is missing from any of its pictures. The lists compared against are read from the
 * machine's written config here, not through the code under test.
 */
import { createMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { attemptMachine } from '../../machines/attempt.machine.js';
import { drawingOf, WAY_OUT } from '../../src/visualize/arrows.js';
import { readGraph } from '../../src/visualize/graph.js';
import { sceneOf } from '../../src/visualize/layout.js';
import { mermaidId } from '../../src/visualize/mermaid.js';
import { picturesOf } from '../../src/visualize/pictures.js';
import { exactWords } from '../../src/visualize/words.js';

interface Written {
  on?: Record<string, unknown>;
  after?: Record<string, unknown>;
  always?: unknown;
  states?: Record<string, Written>;
}
const count = (what: unknown): number => (what === undefined ? 0 : Array.isArray(what) ? what.length : 1);

/** `path trigger` for every transition as somebody wrote it down; a list of targets counts each. */
function written(config: Written, path = ''): { states: string[]; transitions: string[] } {
  const own = [
    ...Object.entries(config.on ?? {}),
    ...Object.entries(config.after ?? {}).map(([delay, to]) => [`after ${delay}`, to] as const),
    ['always', config.always] as const,
  ].flatMap(([trigger, to]) => Array.from({ length: count(to) }, () => `${path} ${trigger}`.trim()));
  const parts = Object.entries(config.states ?? {})
    .map(([name, part]) => written(part, path === '' ? name : `${path}.${name}`));
  return {
    states: [...(path === '' ? [] : [path]), ...parts.flatMap(({ states }) => states)],
    transitions: [...own, ...parts.flatMap(({ transitions }) => transitions)],
  };
}

const all = written(attemptMachine.config as Written);
const graph = readGraph(attemptMachine);
const drawing = drawingOf(graph);
const pictures = picturesOf(attemptMachine);
const unnumbered = (id: string): string => id.replace(/ \d+$/, '');
const unescape = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

describe('every state and transition of the machine', () => {
  test('is read', () => {
    expect(graph.states.map(({ path }) => path).filter(Boolean)).toEqual(all.states);
    expect(graph.transitions.map(({ id }) => unnumbered(id)).sort()).toEqual([...all.transitions].sort());
    expect(new Set(graph.transitions.map(({ id }) => id)).size).toBe(all.transitions.length);
  });

  test('is in attempt.svg: a box, and an arrow or a line inside its state, or the note on the root', () => {
    const svg = pictures['attempt.svg']!;
    const boxes = [...svg.matchAll(/data-state="([^"]+)"/g)].map(([, id]) => id);
    expect(boxes.filter((id) => id !== WAY_OUT).sort()).toEqual([...all.states].sort());
    const drawn = [...svg.matchAll(/data-transitions="([^"]+)"/g)].flatMap(([, ids]) => ids!.split('; '));
    const inside = graph.transitions.filter((one) => one.target === null);
    const shown = [...drawn, ...inside.map(({ id }) => id)];
    expect([...new Set(shown)].sort()).toEqual(graph.transitions.map(({ id }) => id).sort());
    const readable = unescape(svg);
    for (const one of graph.transitions.filter(({ source }) => source !== '')) {
      expect(readable, one.id).toContain(exactWords(one));
    }
    for (const one of inside.filter(({ source }) => source === '')) expect(readable).toContain(one.trigger);
  });

  test('is in attempt.mmd: a line each, the shared way out as one choice', () => {
    const lines = pictures['attempt.mmd']!.split('\n').map((line) => line.trim());
    for (const path of all.states) {
      const declared = new RegExp(`^state ".+" as ${mermaidId(path)}( \\{)?$`);
      expect(lines.filter((line) => declared.test(line)), path).toHaveLength(1);
    }
    for (const one of graph.transitions) {
      const isShared = one.kind === 'always' && drawing.wayOutOf.includes(one.source);
      const from = mermaidId(isShared ? WAY_OUT : one.source);
      const start = one.target === null ? '' : `${from} --> ${mermaidId(one.target)} : `;
      const guard = one.guard ? ` [${one.guard}]` : '';
      const trigger = { event: one.trigger, after: `after ${one.trigger}`, always: 'always' }[one.kind];
      const what = `${start}${trigger}${guard}`;
      // The root has no box in this picture: its transition stands in a comment.
      const found = lines.some((line) => (one.source === '' ? line.includes(what) : line.startsWith(what)));
      expect(found, one.id).toBe(true);
      if (isShared) expect(lines).toContain(`${mermaidId(one.source)} --> ${WAY_OUT} : always`);
    }
  });

  test('is in attempt.json', () => {
    interface Json {
      states?: Record<string, Json>;
      transitions: { on?: string; after?: string; target: string | null }[];
    }
    const flat = (json: Json, path = ''): string[] => [
      ...json.transitions.map(({ on, after, target }) =>
        `${path} ${on ?? (after ? `after ${after}` : 'always')} ${target}`.trim()),
      ...Object.entries(json.states ?? {})
        .flatMap(([name, part]) => flat(part, path ? `${path}.${name}` : name)),
    ];
    expect(flat(JSON.parse(pictures['attempt.json']!) as Json).sort())
      .toEqual(graph.transitions.map((one) => `${unnumbered(one.id)} ${one.target}`).sort());
  });
});

describe('what the picture is drawn for', () => {
  const scene = sceneOf(graph);
  const line = (id: string) => scene.lines.find((one) => one.id === id)!;

  test('S9: user and timeout are two arrows in two tones; each says what only it does', () => {
    expect(line('running > aborting.user').tone).toBe('user');
    expect(line('running > aborting.timeout').tone).toBe('timeout');
    const said = (id: string) =>
      scene.labels.find(({ of }) => of === id)!.texts.map(({ text }) => text).join(' ');
    expect(said('running > aborting.timeout')).toMatch(/abandoned if work had started.*onTimeout called/);
    expect(said('running > aborting.user')).not.toMatch(/abandoned|onTimeout/);
  });

  test('S18: one thick line leads out of aborting, and none out of its causes', () => {
    const out = scene.lines.filter(({ id }) => /^aborting.* > /.test(id) && !/ > aborting/.test(id));
    expect(out.map(({ id, tone }) => [id, tone])).toEqual([[`aborting > ${WAY_OUT}`, 'trunk']]);
  });

  test('both tones have a stroke of their own, not only a colour', () => {
    expect(pictures['attempt.svg']).toMatch(/\.line\.timeout\{[^}]*stroke-dasharray/);
    expect(pictures['attempt.svg']).not.toMatch(/\.line\.user\{[^}]*stroke-dasharray/);
  });

  test('a state without a place, and a place without a state, stop the drawing', () => {
    const more = createMachine({ id: 'attempt', initial: 'idle', states: { idle: { on: { go: 'idle' } } } });
    expect(() => sceneOf(readGraph(more))).toThrow(/placement.ts speaks of/);
    const states = [...graph.states, { ...graph.states[1]!, path: 'stray', name: 'stray' }];
    expect(() => sceneOf({ ...graph, states })).toThrow(/"stray".*placement.ts does not know it/);
  });
});
