/** The engine by itself, under a host that only notes what it is told: the order of commands, who is told when, and the end. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AttemptEvent, AttemptInput } from '../../machines/attempt.types.js';
import { Engine, pathOf, type Command } from '../../src/driver/engine.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import type { TraceRecord } from '../../src/trace/record.js';
import { Watch } from '../../src/trace/watch.js';

const budgets = {
  waitMs: 1_000, answerMs: 1_000, openMs: 1_000, timeoutMs: 500, idleTimeoutMs: Infinity, settleMs: 50, cleanupMs: 50, leaseMs: 10_000,
};
const input: AttemptInput = { budgets, hasCleanup: false, onUnsettled: 'fence', leaseEnds: true };

/** @param answers events a command comes back with, within itself */
function engineWith(answers: (command: Command, seq: number, engine: Engine) => AttemptEvent | void, clock = new VirtualClock()) {
  const said: string[] = [];
  const records: TraceRecord[] = [];
  const watch = new Watch({ attemptId: 'id', session: 's', labels: {}, clock, trace: (record) => void records.push(record) }, input);
  const engine: Engine = new Engine(input, clock, {
    perform(command, seq) {
      said.push(command);
      const event = answers(command, seq, engine);
      if (event) engine.dispatch(event);
      said.push(`/${command}`);
    },
    moved: (from, to, event) => void said.push(`${from} > ${to} by ${event}`),
    ended: ({ outcome, lease }) => void said.push(`${outcome}, ${lease}`),
  }, watch);
  return { clock, engine, said, records };
}

const granting = (command: Command, seq: number): AttemptEvent | void => {
  switch (command) {
    case 'requestLock': return { type: 'lock.granted', seq, token: 1 };
    case 'openSession': return { type: 'session.opened', seq };
    case 'askRelease': return { type: 'release.confirmed', seq };
    default: return undefined;
  }
};

/** What XState says of events that come after the end. */
const complaints = vi.fn();
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(complaints.mockClear()));
afterEach(() => void vi.restoreAllMocks());

describe('the engine', () => {
  test('performs a command that an event of another names after that one, and finds the machine in its new state', () => {
    const { engine, said } = engineWith(granting);
    engine.dispatch({ type: 'start' });
    expect(said).toEqual([
      'idle > acquiring.waiting by start',
      'requestLock', 'acquiring.waiting > locked by lock.granted', '/requestLock',
      'openSession', 'locked > running.working by session.opened', '/openSession',
      'endOpening', '/endOpening', 'startWork', '/startWork',
    ]);
    expect(engine.state).toBe('running.working');
    engine.dispatch({ type: 'work.returned', value: 1 });
  });

  test('S8: ends once, when every command has been performed; what comes later changes nothing', async () => {
    const { clock, engine, said, records } = engineWith(granting);
    engine.dispatch({ type: 'start' });
    said.length = 0;
    engine.dispatch({ type: 'work.returned', value: 1 });
    expect(said).toEqual([
      'running.working > releasing.asking by work.returned', 'closeWriter', '/closeWriter',
      'askRelease', 'releasing.asking > released by release.confirmed', '/askRelease', 'completed, released',
    ]);
    engine.dispatch({ type: 'abort.user' });
    engine.dispatch({ type: 'start' });
    engine.tell(() => said.push('told after the end'));
    await clock.advance(100_000);
    expect([said.at(-1), said.length, clock.armed]).toEqual(['told after the end', 8, 0]);
    expect(complaints).not.toHaveBeenCalled();
    expect(records.map(({ kind }) => kind)).toEqual(['attempt', ...Array<string>(5).fill('transition'), 'end']);
  });

  test('who watches is told of each step with the commands it named, and with no other that still waits', () => {
    const { engine, records } = engineWith((command, seq) => (command === 'closeWriter' ? { type: 'work.returned' } : granting(command, seq)));
    engine.dispatch({ type: 'start' });
    engine.dispatch({ type: 'abort.user' }); // in whose first command the work returns, while the second waits
    expect(records.flatMap((record) => (record.kind === 'transition' ? [[record.event.type, ...record.commands]] : []))).toEqual([
      ['start', 'requestLock'], ['lock.granted', 'openSession'], ['session.opened', 'endOpening', 'startWork'],
      ['abort.user', 'closeWriter', 'tellWork'], ['work.returned', 'askRelease'], ['release.confirmed'],
    ]);
  });

  test('a limit of time is named by its own name', async () => {
    const { clock, engine, said } = engineWith(granting);
    engine.dispatch({ type: 'start' });
    said.length = 0;
    await clock.advance(500);
    expect(said[0]).toBe('running.working > aborting.timeout by work.overran');
    await clock.advance(50);
    expect(said).toContain('aborting.timeout > releasing.asking by settleMs');
  });

  test('who looks on is told when no command is waiting, and an abort from there comes after them', () => {
    const { engine, said } = engineWith((command, seq, one) => {
      if (command === 'closeWriter') one.tell(() => said.push('told'));
      return granting(command, seq);
    });
    engine.dispatch({ type: 'start' });
    said.length = 0;
    engine.dispatch({ type: 'abort.user' });
    expect(said).toEqual([
      'running.working > aborting.user by abort.user', 'closeWriter', '/closeWriter', 'tellWork', '/tellWork', 'told',
    ]);
  });

  test('L5: a timer that a clock lets fire though it was cleared makes no step', async () => {
    const clock = new VirtualClock();
    clock.clearTimeout = () => {};
    const { engine, said, records } = engineWith(granting, clock);
    engine.dispatch({ type: 'start' });
    engine.dispatch({ type: 'work.returned', value: 1 });
    const before = [said.length, records.length];
    await clock.advance(100_000);
    expect([said.length, records.length]).toEqual(before);
  });

  test('a state is told as a path', () => {
    expect([pathOf('idle'), pathOf({ aborting: 'user' }), pathOf({ running: { yielding: 'asking' } })])
      .toEqual(['idle', 'aborting.user', 'running.yielding.asking']);
  });
});
