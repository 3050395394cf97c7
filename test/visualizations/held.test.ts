/**
 * The shading tells the truth: the machine is walked, every reachable situation up to a bound, and what it
 * remembers of the lock is held against the table the picture is shaded from.
 */
import { initialTransition, transition, type SnapshotFrom } from 'xstate';
import { expect, test } from 'vitest';
import { attemptMachine } from '../../machines/attempt.machine.js';
import type { AttemptEvent } from '../../machines/attempt.types.js';
import { readGraph } from '../../src/visualize/graph.js';
import { lockIn, type Held } from '../../src/visualize/held.js';

type Snapshot = SnapshotFrom<typeof attemptMachine>;
const MS = 10;
const budgets = {
  waitMs: MS, answerMs: MS, openMs: MS, timeoutMs: MS, idleTimeoutMs: MS,
  settleMs: MS, cleanupMs: MS, leaseMs: MS,
};
/** Asking for release may go on for ever; twice shows all there is to see. */
const ASKS = 2;
/** Windows may follow each other for ever; one, and the way out of it, shows all there is to see. */
const COMMANDS = 6;

/**
 * Everything the world can say now: facts with their numbers, requests, and the timers of the states we are
 * in.
 */
function eventsAt({ context, _nodes }: Snapshot): AttemptEvent[] {
  const seq = context.seq;
  const plain = [
    'start', 'abort.user', 'abort.shutdown', 'abort.superseded', 'lease.lost',
    'work.returned', 'work.threw', 'work.progressed', 'work.idled', 'work.overran', 'lock.yield', 'window.ended',
  ] as const;
  const answers = [
    'lock.busy', 'lock.unknown', 'session.opened', 'session.failed', 'cleanup.ended', 'cleanup.failed',
    'release.confirmed', 'release.notHeld', 'release.unknown',
  ] as const;
  const timers = _nodes.flatMap((node) => node.after.map(({ eventType }) => ({ type: eventType }) as never));
  return [
    ...plain.map((type) => ({ type })),
    { type: 'abort.timeout', kind: 'run' },
    ...[...new Set([seq, context.request])].flatMap((n) => [
      ...answers.map((type) => ({ type, seq: n })), { type: 'lock.granted' as const, seq: n, token: 1 },
    ]),
    ...timers,
  ];
}

/** What later steps can depend on. Records for the report (late aborts, errors, values) decide nothing. */
function situation({ value, context }: Snapshot): string {
  const { lock, work, unsettled, abort, seq, request, asks, firstAsk } = context;
  return JSON.stringify([value, lock, work, unsettled, abort?.by, seq, request, asks, firstAsk]);
}

function walk(): Map<string, Set<string>> {
  const locks = new Map<string, Set<string>>();
  const seen = new Set<string>();
  const input = { budgets, hasCleanup: true, onUnsettled: 'fence', leaseEnds: true } as const;
  const [first] = initialTransition(attemptMachine, input);
  const queue: Snapshot[] = [first];
  for (let snapshot = queue.pop(); snapshot; snapshot = queue.pop()) {
    const key = situation(snapshot);
    if (seen.has(key) || snapshot.context.asks > ASKS || snapshot.context.seq > COMMANDS) continue;
    seen.add(key);
    for (const node of snapshot._nodes) {
      const path = node.path.join('.');
      locks.set(path, (locks.get(path) ?? new Set()).add(snapshot.context.lock));
    }
    if (snapshot.status !== 'active') continue;
    for (const event of eventsAt(snapshot)) queue.push(transition(attemptMachine, snapshot, event)[0]);
  }
  return locks;
}

/** What a state so drawn may be seen with. `parts` has none of its own: its parts are judged. */
const allowed: Readonly<Record<Exclude<Held, 'parts'>, readonly string[]>> = {
  held: ['held'], perhaps: ['asked', 'held', 'known'], not: ['none', 'refused', 'gone'],
};
/** What a state so drawn must be seen with at least once, or it is drawn too strongly or too weakly. */
const typical: Readonly<Record<Exclude<Held, 'parts'>, readonly string[]>> =
  { ...allowed, perhaps: ['asked', 'known'] };

/** What these locks are to a reader: all three, for a whole whose parts differ. */
const kinds = (seen: readonly string[]): number =>
  [['held'], ['asked', 'known'], ['none', 'refused', 'gone']].filter((kind) =>
    kind.some((lock) => seen.includes(lock))).length;

/** Is a state that was seen with these locks wrongly drawn as `held`? */
function isWrong(path: string, held: Held, seen: readonly string[]): boolean {
  // Gone or refused while aborting: lost, or a window was cut short. The machine keeps that in its context.
  const isAborting = path.startsWith('aborting');
  if (held === 'parts') return isAborting || kinds(seen) < 3;
  const onTheWay = isAborting && held === 'perhaps' ? allowed.not : [];
  const fits = seen.every((lock) => [...allowed[held], ...onTheWay].includes(lock));
  return !fits || !seen.some((lock) => typical[held].includes(lock));
}

const locks = walk();
const paths = readGraph(attemptMachine).states.map(({ path }) => path).filter((path) => path !== '');

test.each(paths)('%s is shaded as the machine holds the lock there', (path) => {
  const seen = [...locks.get(path) ?? []];
  expect(seen, 'never reached by the walk').not.toEqual([]);
  const { held } = lockIn[path]!;
  expect(isWrong(path, held, seen), `drawn as ${held}, but seen ${seen.join(', ')}`).toBe(false);
  const others = (['held', 'perhaps', 'not', 'parts'] as const).filter((other) => other !== held);
  expect(others.filter((other) => !isWrong(path, other, seen)), 'could as well be drawn as').toEqual([]);
});
