/**
 * A violation as a story somebody can read: what happened, in order, and what was wrong at its end.
 * Must not know: how the trace was found.
 */
import { invariants } from '../../../machines/attempt.invariants.js';
import type { Moves } from './moves.js';
import type { Found, Walked } from './walk.js';
import { pack } from './world.js';

/** The moves from the first world to the one the violation was found in. */
function traceTo(walked: Walked, at: number): number[] {
  const trace: number[] = [];
  for (let index = at; index > 0; index = walked.parents[index]!) trace.unshift(index);
  return trace;
}

/** One move as a line: what happened, where it led, what the machine commanded. */
export function lineOf(can: Moves, from: number, move: number): string {
  const made = can.make(from, move);
  const what = can.describe(from, move);
  if (!made?.step) return what;
  return `${what.padEnd(44)} -> ${can.place(made.to).padEnd(22)} ${made.step.commands.join(' ')}`.trimEnd();
}

/** The shortest way there is to this violation, one line a move, taken again with every cause told apart. */
export function tell(can: Moves, walked: Walked, found: Found, variant: string): string {
  const moves = traceTo(walked, found.at).map((index) => walked.moves[index]!);
  if (found.move >= 0) moves.push(found.move);
  let world = pack(can.states.first, 0);
  const lines = moves.map((move) => {
    const text = lineOf(can, world, move);
    world = can.make(world, move)!.to;
    return text;
  });
  const statement = invariants.find(({ id }) => id === found.id)?.statement ?? '';
  return [
    `${found.id} violated: ${found.what}`, `  ${statement}`, `  with ${variant}`,
    ...lines.map((text, index) => `${String(index + 1).padStart(4)}. ${text}`),
  ].join('\n');
}
