/**
 * Every file of `visualizations/`, made in memory: `main.ts` writes them, a test compares them.
 * Owns: the list of files. Must not know: a disk.
 */
import type { AnyStateMachine } from 'xstate';
import { drawingOf } from './arrows.js';
import { writeDefinition } from './definition.js';
import { readGraph } from './graph.js';
import { sceneOf } from './layout.js';
import { writeMermaid } from './mermaid.js';
import { writeSvg } from './svg.js';

/** @returns file name -> text; the same bytes for the same machine. */
export function picturesOf(machine: AnyStateMachine): Readonly<Record<string, string>> {
  const graph = readGraph(machine);
  return {
    'attempt.svg': writeSvg(sceneOf(graph)),
    'attempt.mmd': writeMermaid(graph, drawingOf(graph)),
    'attempt.json': writeDefinition(graph),
  };
}
