/**
 * That everything ends: every world has a way to an end; after an abort or an outcome timers alone go there; and
 * before that they lead on from wherever a store or a session is waited for.
 * Owns: reachability over what the walk has seen. Must not know: how a step is made.
 */
import { decidedOutcome, pathOf, type Snapshot } from '../../../machines/attempt.invariants.js';
import type { AttemptInput } from '../../../machines/attempt.types.js';
import { timerMove } from './moves.js';
import type { AttemptStates, Steps } from './states.js';
import type { Found, Walked } from './walk.js';
import { GRANT, grant, outsideOf, stateOf } from './world.js';

/** Which of `size` nodes can reach one of `goals`, given ways as pairs (from, to). */
function reaching(size: number, ways: readonly number[], goals: readonly number[]): Uint8Array {
  const starts = new Int32Array(size + 1);
  for (let i = 1; i < ways.length; i += 2) starts[ways[i]! + 1]! += 1;
  for (let node = 0; node < size; node += 1) starts[node + 1]! += starts[node]!;
  const next = starts.slice();
  const sources = new Int32Array(ways.length / 2);
  for (let i = 0; i < ways.length; i += 2) sources[next[ways[i + 1]!]!++] = ways[i]!;
  const canReach = new Uint8Array(size);
  const queue = [...goals];
  goals.forEach((goal) => { canReach[goal] = 1; });
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (let i = starts[node]!; i < starts[node + 1]!; i += 1) {
      const source = sources[i]!;
      if (!canReach[source]) { canReach[source] = 1; queue.push(source); }
    }
  }
  return canReach;
}

/** A world from which no end can be reached any more, where the lock is free for others; null if there is none. */
export function findDeadEnd(states: Steps, walked: Walked): Found | null {
  const goals = walked.worlds.flatMap((world, index) =>
    states.at(stateOf(world)).snapshot.status === 'done' && grant.get(outsideOf(world)) !== GRANT.live ? [index] : []);
  const canEnd = reaching(walked.worlds.length, walked.ways, goals);
  const stuck = canEnd.indexOf(0);
  return stuck < 0 ? null : { id: 'L7', what: 'no end can be reached from here', at: stuck, move: -1 };
}

/** Here only the caller has something to do. How long that may take is the business of budgets. */
const CALLERS = ['idle', 'running.working', 'running.yielded'];
const isCallers = ({ value, context }: Snapshot): boolean =>
  decidedOutcome(context) === null && CALLERS.includes(pathOf(value));

/** What the caller wants to last for ever: patience without end, or holding on to work that does not settle. */
const mayLast = ({ onUnsettled, budgets }: AttemptInput, { value, context }: Snapshot): boolean => {
  const at = pathOf(value);
  if (decidedOutcome(context) === null) return budgets.waitMs === Infinity && at.endsWith('.waiting');
  return onUnsettled === 'hold' && context.lock === 'held' && context.work === 'pending' && at.startsWith('aborting');
};

/** L7: a state from which timers alone do not lead to the end, or to where it is the caller's turn; null: none. */
export function findStateTimersCannotEnd(states: AttemptStates, walked: Walked): Found | null {
  const ways: number[] = [];
  const at = (id: number): Snapshot => states.at(id).snapshot;
  for (let id = 0; id < states.size; id += 1) { // States found on the way are numbered on, and looked at in turn.
    for (const [index, { delay }] of states.at(id).timers.entries()) {
      const { move, eventIn } = timerMove(index);
      if (delay !== Infinity) ways.push(id, states.step(id, move, eventIn).to);
    }
  }
  const ids = Array.from({ length: states.size }, (_, id) => id);
  const canEnd = reaching(states.size, ways, ids.filter((id) => at(id).status === 'done' || isCallers(at(id))));
  const isStuck = (id: number): boolean => !canEnd[id] && !mayLast(states.input, at(id));
  const stuck = walked.worlds.findIndex((world) => isStuck(stateOf(world)));
  return stuck < 0 ? null : { id: 'L7', what: 'timers alone do not lead to the end from here', at: stuck, move: -1 };
}
