/**
 * The machine's shape: what can be seen in its config and its sources without running it.
 * Some mistakes change nothing a test could observe today and everything after the next edit; they are caught here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AnyStateNode } from 'xstate';
import * as guards from '../../machines/attempt.guards.js';
import { commands, recording } from '../../machines/attempt.actions.js';
import { delays } from '../../machines/attempt.delays.js';
import { invariants } from '../../machines/attempt.invariants.js';
import { attemptMachine } from '../../machines/attempt.machine.js';

type Json = null | string | number | boolean | undefined | Json[] | { [key: string]: Json };
interface Edge { target?: Json; guard?: Json; actions?: Json }

const folder = new URL('../../machines/', import.meta.url);
const sources = readdirSync(folder).filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }));
const nodesOf = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(nodesOf)];
const nodes = nodesOf(attemptMachine.root);
const list = (json: Json): Json[] => (json === undefined ? [] : Array.isArray(json) ? json : [json]);
const edgesOf = (json: Json): Edge[] =>
  list(json).map((edge) => (typeof edge === 'string' ? { target: edge } : edge) as unknown as Edge);
const configOf = (node: AnyStateNode): Record<string, Json> => node.config as unknown as Record<string, Json>;
const onOf = (node: AnyStateNode): [string, Edge[]][] =>
  Object.entries((configOf(node)['on'] ?? {}) as Record<string, Json>).map(([type, edges]) => [type, edgesOf(edges)]);
const allEdges = (node: AnyStateNode): Edge[] => [
  ...onOf(node).flatMap(([, edges]) => edges), ...edgesOf(configOf(node)['always']),
  ...Object.values((configOf(node)['after'] ?? {}) as Record<string, Json>).flatMap(edgesOf),
];
const find = (path: string): AnyStateNode => nodes.find((node) => node.path.join('.') === path)!;

describe('the way out belongs to the parent', () => {
  const causes = Object.keys(find('aborting').states);
  test('S18: the causes are all there and are bare labels', () => {
    expect(causes.sort()).toEqual(['leaseLost', 'shutdown', 'superseded', 'timeout', 'user']);
    for (const cause of causes) expect(configOf(find(`aborting.${cause}`)), cause).toEqual({});
  });

  test('S9: user and timeout are two transitions into two substates, and only the timeout does more', () => {
    for (const state of ['locked', 'running']) {
      const on = Object.fromEntries(onOf(find(state)));
      expect(on['abort.user'], state).toEqual([{ target: 'aborting.user', actions: 'recordAbort' }]);
      expect(on['abort.timeout'], state).toEqual(
        [{ target: 'aborting.timeout', actions: ['recordAbort', 'markAbandoned', 'callOnTimeout'] }]);
    }
  });

  test('S18: no guard on a way out names a cause', () => {
    const source = String(guards.canEnd) + String(guards.canRelease) + String(guards.canCleanUp);
    for (const cause of causes) expect(source).not.toContain(cause);
    expect(source).not.toMatch(/\.by\b/);
  });
});

describe('S6: one end', () => {
  test('`released` is the only final state', () => {
    expect(nodes.filter(({ type }) => type === 'final').map(({ path }) => path.join('.'))).toEqual(['released']);
  });
  test('no state invokes anything: a result that comes after its state would be swallowed', () => {
    for (const node of nodes) expect(configOf(node)['invoke'], node.id).toBeUndefined();
  });
});

describe('nothing inline', () => {
  const known = new Set([
    ...Object.keys(commands), ...Object.keys(recording), 'timeOut',
    ...['Run', 'Idle', 'Grace'].flatMap((name) => [`arm${name}Timer`, `disarm${name}Timer`]),
  ]);
  test('every guard, action and delay is a name that exists', () => {
    for (const node of nodes) {
      const actions = [...list(configOf(node)['entry']), ...list(configOf(node)['exit']),
        ...allEdges(node).flatMap((edge) => list(edge.actions))];
      for (const action of actions) expect(known, node.id).toContain(action);
      for (const { guard } of allEdges(node)) {
        if (guard !== undefined) expect(Object.keys(guards), node.id).toContain(guard);
      }
      for (const delay of Object.keys((configOf(node)['after'] ?? {}) as object)) {
        expect(Object.keys(delays), node.id).toContain(delay);
      }
    }
  });
  test('every command, record, guard and delay is used', () => {
    const text = sources.find(({ name }) => name === 'attempt.machine.ts')!.text;
    const config = text.slice(text.indexOf('.createMachine('));
    const shared = text.slice(0, text.indexOf('export const attemptMachine'))
      + sources.find(({ name }) => name === 'attempt.parts.ts')!.text;
    for (const name of [...known, ...Object.keys(guards), ...Object.keys(delays)]) {
      // Named by timers that have an id, and so cannot be an `after`.
      if (['idleTimeoutMs', 'runMs', 'graceMs'].includes(name)) continue;
      expect(new RegExp(`\\b${name}\\b`).test(config + shared), name).toBe(true);
    }
  });
});

describe('events', () => {
  test('no guarded edge stands where a wildcard of its own state would catch what it refuses', () => {
    for (const node of nodes) {
      const wildcards = onOf(node).map(([type]) => type).filter((type) => type.includes('*'));
      for (const [type, edges] of onOf(node)) {
        if (edges.some(({ guard }) => guard === undefined)) continue;
        const trap = wildcards.find((wildcard) => wildcard === '*' || type.startsWith(wildcard.slice(0, -1)));
        expect(trap, `${node.id} x ${type}`).toBeUndefined();
      }
    }
  });
  test('S12: a lost lease is a fact: no wildcard catches it', () => {
    const types = nodes.flatMap((node) => onOf(node).map(([type]) => type));
    expect(types.filter((type) => type === '*' || type.startsWith('lease.*'))).toEqual([]);
  });
});

// Stryker's copy is longer, and counts how often it is run by way of `process`.
describe.skipIf(process.env['ATTEMPT_MUTANTS'])('the sources', () => {
  test('machines/ imports xstate and its own folder only', () => {
    for (const { name, text } of sources) {
      for (const [, from] of text.matchAll(/\bfrom\s+'([^']+)'|\bimport\(\s*'([^']+)'/g)) {
        expect(from, name).toMatch(/^(xstate|\.\/[\w.-]+\.js)$/);
      }
    }
  });
  test('machines/ reads no clock, no chance and no disk, and never awaits', () => {
    for (const { name, text } of sources) {
      const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      expect(code, name).not.toMatch(/\bDate\b|performance\.|\bset(Timeout|Interval|Immediate)\b/);
      expect(code, name).not.toMatch(/Math\.random|crypto|process\./);
      expect(code, name).not.toMatch(/\bawait\b|\basync\b|\bPromise\b|console\./);
    }
  });
  test('the states stand on about one screen', () => {
    const text = sources.find(({ name }) => name === 'attempt.machine.ts')!.text;
    expect(text.slice(text.indexOf('.createMachine(')).split('\n').length).toBeLessThanOrEqual(150);
  });
});

describe('the invariants', () => {
  test('S1 to S19 and L1 to L8 are all there, once, each with a sentence', () => {
    const count = (letter: string, length: number): string[] => Array.from({ length }, (_, i) => `${letter}${i + 1}`);
    const numbered = [...count('S', 19), ...count('L', 8)];
    expect(invariants.map(({ id }) => id).filter((id) => !id.startsWith('R'))).toEqual(numbered);
    for (const { id, statement } of invariants) expect(statement, id).toMatch(/^\S.{20,}\.$/);
  });
});
