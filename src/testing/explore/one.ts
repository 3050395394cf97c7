/**
 * The walk of one attempt, set-up by set-up. Owns: how the parts of a walk meet and what is summed up over set-ups.
 * Must not know: that several attempts can share a session (see together/).
 */
import { invariants } from '../../../machines/attempt.invariants.js';
import { attemptMachine } from '../../../machines/attempt.machine.js';
import { findDeadEnd, findStateTimersCannotEnd } from './ends.js';
import type { Cause, Explored, ExploreOptions, Violation } from './explored.js';
import { KinStates } from './kin.js';
import { Moves } from './moves.js';
import { AttemptStates } from './states.js';
import { tell } from './story.js';
import { allVariants, type Variant } from './variants.js';
import { walk, type Found, type Walked } from './walk.js';
import { pack } from './world.js';

const MOST_FOUND = 8;
const ALL_CAUSES: readonly Cause[] = ['user', 'timeout', 'shutdown', 'superseded'];

/** Decided by every walk of one attempt. S18 and L7 compare ways, so the walk itself checks them. */
export const CHECKED_ALONE: readonly string[] =
  invariants.filter(({ scope }) => scope === 'machine').map(({ id }) => id);

/** One set-up, walked. */
export interface Part {
  readonly states: number;
  readonly machineTransitions: number;
  readonly isWhole: boolean;
  readonly walked: Walked;
  readonly violations: readonly Violation[];
  /** The moves of the walk. */
  readonly can: Moves;
}

const statesOf = ({ input }: Variant, { machine = attemptMachine, lateAborts = 1 }: ExploreOptions): AttemptStates =>
  new AttemptStates(machine, input, lateAborts);

/** The moves of a walk with every cause told apart: for stories. */
export const movesApart = (variant: Variant, options: ExploreOptions): Moves =>
  new Moves(statesOf(variant, options), options.causes ?? ALL_CAUSES, variant.habits);

export function exploreVariant(variant: Variant, options: ExploreOptions): Part {
  const each = statesOf(variant, options);
  const causes = options.causes ?? ALL_CAUSES;
  const kin = options.tellCausesApart ? null : new KinStates(each);
  const can = new Moves(kin ?? each, causes, variant.habits);
  const limits = {
    mostWorlds: options.mostWorlds ?? 2_000_000, mostFound: options.mostFound ?? MOST_FOUND,
    onProgress: (worlds: number, done: number) => options.onProgress?.({ what: variant.name, worlds, done }),
  };
  const walked = walk(can, pack(can.states.first, 0), limits);
  const { isWhole } = walked;
  const ends = isWhole ? [findStateTimersCannotEnd(each, walked), findDeadEnd(can.states, walked)] : [];
  const apart = new Moves(each, causes, variant.habits);
  const part = { states: each.size, machineTransitions: each.transitions, isWhole, walked, can };
  // A violation of one cause among many may be off the walk's own path: then its story is looked for cause by cause.
  const isElsewhere = kin && [...each.findings.keys()].some((id) => !walked.found.some((one) => one.id === id));
  if (isElsewhere) return { ...part, ...exploreVariant(variant, { ...options, tellCausesApart: true, mostFound: 1 }) };
  const found: Found[] = [...walked.found, ...ends.filter((end) => end !== null)];
  return {
    ...part,
    violations: found.map((one) => ({ id: one.id, what: one.what, story: tell(apart, walked, one, variant.name) })),
  };
}

const lineOf = (name: string, { walked: { worlds, edges, depth }, states, isWhole }: Part, seconds: number): string =>
  `${name}: ${worlds.length} worlds, ${edges} transitions, depth ${depth}, ${states} states of the attempt, `
  + `${Math.round(worlds.length / seconds)} worlds/s${isWhole ? '' : ', NOT WHOLE'}`;

/** Walks one attempt in each set-up; `use` gets each part, before it is forgotten. */
export function exploreOne(options: ExploreOptions, use?: (part: Part, variant: Variant) => void): Explored {
  const total = { worlds: 0, transitions: 0, states: 0, machineTransitions: 0, depth: 0, isWhole: true };
  const violations = new Map<string, Violation>();
  const begun = performance.now();
  for (const variant of options.variants ?? allVariants) {
    const start = performance.now();
    const { worlds: before } = total;
    const part = exploreVariant(variant, {
      ...options,
      onProgress: ({ what, worlds, done }) =>
        options.onProgress?.({ what: `one attempt: ${what}`, worlds: before + worlds, done: before + done }),
    });
    options.print?.(lineOf(variant.name, part, (performance.now() - start) / 1_000));
    total.worlds += part.walked.worlds.length;
    total.transitions += part.walked.edges;
    total.states += part.states;
    total.machineTransitions += part.machineTransitions;
    total.depth = Math.max(total.depth, part.walked.depth);
    total.isWhole &&= part.isWhole;
    for (const violation of part.violations) if (!violations.has(violation.id)) violations.set(violation.id, violation);
    if (violations.size >= (options.mostFound ?? MOST_FOUND)) break;
    use?.(part, variant);
  }
  const seconds = (performance.now() - begun) / 1_000;
  return {
    attempts: 1, ...total, alone: null, seconds, worldsPerSecond: Math.round(total.worlds / seconds),
    checked: CHECKED_ALONE, violations: [...violations.values()],
  };
}
