/**
 * Every file of `visualizations/`, made in memory: `main.ts` writes them, a test compares them.
 * Owns: the list of files. Must not know: a disk.
 */
import type { AttemptMachine } from '../../machines/attempt.machine.js';
import { drawingOf } from './arrows.js';
import { writeDefinition } from './definition.js';
import { readGraph } from './graph.js';
import { writeIndex } from './index-page.js';
import { sceneOf } from './layout.js';
import { writeMermaid } from './mermaid.js';
import { play, withStates } from './play.js';
import type { Scene } from './scene.js';
import { incidents, stories } from './stories.js';
import { linesOf, stripScene, type Strip } from './strip.js';
import { writeSvg } from './svg.js';

/** A strip with the name of its file. */
export interface NamedStrip extends Strip {
  readonly name: string;
}

/** @returns the stories, played on the machine, and the incidents, played on it with the bug and without. */
export function stripsOf(machine: AttemptMachine): readonly NamedStrip[] {
  return [
    ...stories.map(({ name, title, says, script }) =>
      ({ name, title, says, columns: [{ heading: '', frames: play(machine, script).frames }] })),
    ...incidents.map(({ name, title, says, bug, breaks, script }) => ({
      name, title, says,
      columns: [
        { heading: bug, frames: play(withStates(machine, breaks), script).frames },
        { heading: 'here', frames: play(machine, script).frames },
      ],
    })),
  ];
}

/** @returns every picture before it is written, by the name of its file. */
export const scenesOf = (machine: AttemptMachine): Readonly<Record<string, Scene>> => ({
  'attempt.svg': sceneOf(readGraph(machine)),
  ...Object.fromEntries(stripsOf(machine).map((strip) => [`${strip.name}.svg`, stripScene(strip)])),
});

/** @returns file name -> text; the same bytes for the same machine. */
export function picturesOf(machine: AttemptMachine): Readonly<Record<string, string>> {
  const graph = readGraph(machine);
  const scenes = scenesOf(machine);
  const strips = stripsOf(machine).map((strip) => ({ ...strip, lines: linesOf(strip) }));
  return {
    ...Object.fromEntries(Object.entries(scenes).map(([name, scene]) => [name, writeSvg(scene)])),
    'attempt.mmd': writeMermaid(graph, drawingOf(graph)),
    'attempt.json': writeDefinition(graph),
    'index.html': writeIndex(scenes['attempt.svg']!, strips),
  };
}
