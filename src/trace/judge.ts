/**
 * Judges a recorded path: is it one the machine can take, and does it keep the invariants? The two are asked apart: the
 * machine replays the events; the invariants look only at what was recorded, so that they also speak of a path the
 * machine would never take.
 * Owns: the comparison. Must not know: who wrote the trace.
 */
import { initialTransition, transition, type AnyMachineSnapshot, type SnapshotFrom } from 'xstate';
import { commands } from '../../machines/attempt.actions.js';
import { invariants, pathOf } from '../../machines/attempt.invariants.js';
import { attemptMachine } from '../../machines/attempt.machine.js';
import type { AttemptEvent, AttemptInput } from '../../machines/attempt.types.js';
import { factsOf, recordedEnd, type AttemptRecord, type EndRecord, type TransitionRecord } from './record.js';
import { RecordedWorld } from './recorded-world.js';
import type { TraceLine } from './read-trace.js';

export interface TraceFinding {
  /** Of the trace, counted from 1. */
  readonly line: number;
  /** The invariant that does not hold (`S6`), or null: only the machine would not go there. */
  readonly invariant: string | null;
  readonly what: string;
}

export interface JudgedAttempt {
  readonly attemptId: string;
  readonly session: string;
  /** `legal`: a whole path of the machine. `unfinished`: the beginning of one. `illegal`: see the findings. */
  readonly verdict: 'legal' | 'unfinished' | 'illegal';
  readonly steps: number;
  readonly findings: readonly TraceFinding[];
}

/** More of them say nothing new. */
const MOST_FINDINGS = 20;

type Snapshot = SnapshotFrom<typeof attemptMachine>;

const inputOf = ({ input }: AttemptRecord): AttemptInput => ({
  ...input,
  budgets: Object.fromEntries(Object.entries(input.budgets).map(([name, ms]) => [name, ms ?? Infinity])) as never,
});

/** The event as the machine knows it: a limit of a state has a name that depends on where we are. */
function eventOf({ event }: TransitionRecord, snapshot: Snapshot): AttemptEvent | null {
  if (!event.type.startsWith('after.')) return event as AttemptEvent;
  const limit = event.type.slice('after.'.length);
  const timers = (snapshot as AnyMachineSnapshot)._nodes.flatMap((node) => node.after);
  const timer = timers.find(({ delay }) => delay === limit);
  return timer ? { type: timer.eventType } as never : null;
}

/** Replays one attempt on the machine. */
class Replay {
  #snapshot: Snapshot;
  /** Once the paths part there is nothing to compare any more. */
  #parted = false;

  constructor(start: AttemptRecord) {
    [this.#snapshot] = initialTransition(attemptMachine, inputOf(start));
  }

  get isDone(): boolean {
    return this.#snapshot.status === 'done';
  }

  /** @returns how the step differs from the machine's; null where it does not, or after the first that did. */
  step(record: TransitionRecord): string | null {
    if (this.#parted) return null;
    const difference = this.#difference(record);
    this.#parted = difference !== null;
    return difference;
  }

  #difference(record: TransitionRecord): string | null {
    const from = pathOf(this.#snapshot.value);
    if (record.from !== from) return `the machine is in ${from}, the trace leaves ${record.from}`;
    if (this.isDone) return `nothing happens after the end, the trace has ${record.event.type}`;
    const event = eventOf(record, this.#snapshot);
    if (event === null) return `no limit ${record.event.type} runs in ${from}`;
    const [after, actions] = transition(attemptMachine, this.#snapshot, event);
    this.#snapshot = after;
    const to = pathOf(after.value);
    if (record.to !== to) return `${record.event.type} leads from ${from} to ${to}, the trace goes to ${record.to}`;
    const named = actions.map(({ type }) => type).filter((type) => type in commands).join(', ');
    const told = record.commands.join(', ');
    if (told !== named) return `${record.event.type} in ${from} commands [${named}], the trace has [${told}]`;
    const [facts, said] = [JSON.stringify(sorted(factsOf(after.context))), JSON.stringify(sorted(record.after))];
    return facts === said ? null : `after ${record.event.type} the machine remembers ${facts}, the trace ${said}`;
  }

  end(record: EndRecord): string | null {
    if (this.#parted) return null;
    if (!this.isDone) return `the machine is in ${pathOf(this.#snapshot.value)}, the trace has ended`;
    const said = record as unknown as Record<string, unknown>;
    const { code: _, ...expected } = recordedEnd(this.#snapshot.output!);
    const wrong = Object.entries(expected).find(([name, value]) => JSON.stringify(said[name]) !== JSON.stringify(value));
    return wrong ? `the machine ends with ${wrong[0]} ${JSON.stringify(wrong[1])}, the trace says ${
      JSON.stringify(said[wrong[0]])}` : null;
  }
}

const sorted = (facts: object): object => Object.fromEntries(Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1)));

const checks = invariants.filter(({ check }) => check);

function judgeOne(lines: readonly TraceLine[]): JudgedAttempt {
  const [first] = lines as readonly [TraceLine];
  const findings: TraceFinding[] = [];
  const find = (line: number, what: string | null, invariant: string | null = null): void => {
    if (what !== null && findings.length < MOST_FINDINGS) findings.push({ line, invariant, what });
  };
  if (first.record.kind !== 'attempt') find(first.line, 'its beginning is missing, so only invariants are checked');
  const replay = first.record.kind === 'attempt' ? new Replay(first.record) : null;
  const world = new RecordedWorld();
  let [steps, at, ended] = [0, 0, false];
  for (const { line, record } of lines) {
    if (record.kind === 'attempt') {
      if (record !== first.record) find(line, 'a second beginning of the same attempt', 'S8');
      continue;
    }
    if (ended) find(line, 'something happened after the end', 'S8');
    if (record.at < at) find(line, `time ran backwards, from ${at} to ${record.at} ms`);
    at = record.at;
    if (record.kind === 'end') {
      ended = true;
      if (replay) find(line, replay.end(record));
      continue;
    }
    steps += 1;
    if (replay && record.n !== steps) find(line, `expected step ${steps}, got ${record.n}: some are missing`);
    if (replay) find(line, replay.step(record));
    const { now, history, store } = world.step(record);
    for (const { id, check } of checks) find(line, check!(now, history, store), id);
  }
  const { attemptId, session } = first.record;
  const verdict = findings.length > 0 ? 'illegal' : ended ? 'legal' : 'unfinished';
  return { attemptId, session, verdict, steps, findings };
}

/**
 * Judges every attempt of a trace.
 * @param lines as `readTrace` gives them; attempts may be mixed
 * @returns one judgement for each attempt, in order of appearance
 */
export function judgeTrace(lines: readonly TraceLine[]): readonly JudgedAttempt[] {
  const byAttempt = new Map<string, TraceLine[]>();
  for (const one of lines) {
    const mine = byAttempt.get(one.record.attemptId);
    if (mine) mine.push(one);
    else byAttempt.set(one.record.attemptId, [one]);
  }
  return [...byAttempt.values()].map(judgeOne);
}
