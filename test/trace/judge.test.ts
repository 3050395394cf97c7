/**
 * What real attempts record is a legal path; every way of bending it is found, and the bugs of the incidents are told by
 * the invariant they break.
 */
import { initialTransition, transition } from 'xstate';
import { describe, expect, test } from 'vitest';
import { commands } from '../../machines/attempt.actions.js';
import { pathOf } from '../../machines/attempt.invariants.js';
import { attemptMachine, type AttemptMachine } from '../../machines/attempt.machine.js';
import type { AttemptEvent, AttemptInput } from '../../machines/attempt.types.js';
import { createAttempt, memoryLocks, runAttempt, type AttemptOptions, type TraceRecord } from '../../src/index.js';
import { judgeTrace } from '../../src/trace/judge.js';
import { parseTrace } from '../../src/trace/read-trace.js';
import { factsOf, recordedEvent, recordedInput, type Command } from '../../src/trace/record.js';
import { withStates } from '../../src/visualize/play.js';
import { incidents } from '../../src/visualize/stories.js';

const textOf = (records: readonly object[]): string => records.map((one) => `${JSON.stringify(one)}\n`).join('');
const judge = (records: readonly object[]) => judgeTrace(parseTrace(textOf(records)));

type Some = Partial<AttemptOptions<unknown>>;

async function recorded(options: Some, meanwhile?: (attempt: ReturnType<typeof createAttempt>) => void): Promise<TraceRecord[]> {
  const records: TraceRecord[] = [];
  const attempt = createAttempt<unknown>({
    session: 'a', locks: memoryLocks(), records: 'none', work: () => 'done', trace: (one) => records.push(one), ...options,
  });
  const done = attempt.start();
  meanwhile?.(attempt as never);
  await done;
  return records;
}

const untilStopped: Some['work'] = ({ signal }) =>
  new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason as Error)); });
/** Aborts in the tick in which the work has started. */
const stoppedBy = (abort: (attempt: ReturnType<typeof createAttempt>) => void) =>
  (attempt: ReturnType<typeof createAttempt>) => {
    attempt.subscribe(({ state }) => { if (state === 'running.working') abort(attempt); });
  };

describe('a recorded life is a legal path', () => {
  test.each<[string, Some, ((attempt: ReturnType<typeof createAttempt>) => void)?]>([
    ['finished, with a window, a section and a cleanup', {
      work: async ({ yieldLock, section, progress }) => {
        progress('begun');
        await yieldLock(() => 1);
        return section('repair', () => 2, { graceMs: 5 });
      },
      cleanup: () => {},
    }],
    ['thrown', { work: () => { throw new Error('secret'); } }],
    ['stopped by the user, then by a shutdown', { work: untilStopped }, stoppedBy((attempt) => {
      attempt.abort('secret');
      attempt.abort('secret', { by: 'shutdown' });
    })],
    ['over time, never settling', { work: () => new Promise(() => {}), timeoutMs: 1, settleMs: 1 }],
    ['stopped before it asked', { signal: AbortSignal.abort('secret') }],
  ])('%s', async (_, options, meanwhile) => {
    const records = await recorded(options, meanwhile);
    expect(judge(records)).toMatchObject([{ verdict: 'legal', findings: [] }]);
    expect(records.at(0)?.kind).toBe('attempt');
    expect(records.at(-1)?.kind).toBe('end');
    expect(JSON.stringify(records)).not.toContain('secret');
    expect(judge(records.slice(0, -1))).toMatchObject([{ verdict: 'unfinished' }]);
  });

  test('two attempts on one session, mixed in one trace', async () => {
    const [locks, records] = [memoryLocks(), [] as TraceRecord[]];
    const one = () => runAttempt({
      session: 'a', locks, records: 'none', trace: (record) => records.push(record), work: async ({ yieldLock }) => yieldLock(() => 1),
    });
    await Promise.all([one(), one()]);
    expect(judge(records).map(({ verdict }) => verdict)).toEqual(['legal', 'legal']);
  });

  test('what throws in the hook is a warning, and the attempt goes on', async () => {
    const warned = new Promise<Error>((resolve) => { process.once('warning', resolve); });
    const report = await runAttempt({
      session: 'a', locks: memoryLocks(), records: 'none', work: () => 1, trace: () => { throw new Error('broken'); },
    });
    expect(report.outcome).toBe('completed');
    expect((await warned).message).toMatch(/trace threw: broken/);
  });
});

describe('a bent path is found', () => {
  const bend = (records: readonly TraceRecord[], how: (one: any) => void, at = 4): object[] => {
    const copy = structuredClone(records) as TraceRecord[];
    how(copy[at]);
    return copy;
  };
  test.each<[string, (records: TraceRecord[]) => object[], RegExp]>([
    ['another state', (r) => bend(r, (one) => { one.to = 'locked'; }), /leads from/],
    ['a command less', (r) => bend(r, (one) => { one.commands = []; }), /commands \[/],
    ['a step that is missing', (r) => r.filter((_, nth) => nth !== 3), /expected step|the machine is in/],
    ['another memory', (r) => bend(r, (one) => { one.after.token = 99; }), /remembers/],
    ['an invented limit', (r) => bend(r, (one) => { one.event = { type: 'after.cleanupMs' }; }), /no limit/],
    ['time that runs backwards', (r) => bend(r, (one) => { one.at = -5; }), /time ran backwards/],
    ['another end', (r) => bend(r, (one) => { one.lease = 'lost'; }, r.length - 1), /ends with lease "released"/],
    ['a life after the end', (r) => [...r, r.at(-2)!], /after the end/],
    ['no beginning', (r) => r.slice(1), /beginning is missing/],
  ])('%s', async (_, change, what) => {
    const [judged] = judge(change(await recorded({})));
    expect(judged?.verdict).toBe('illegal');
    expect(judged?.findings.map((one) => one.what).join('\n')).toMatch(what);
  });

  test.each<[string, string, RegExp]>([
    ['not JSON', 'hello\n', /line 1: expected JSON/], ['a list', '[]\n', /line 1: expected an object/],
    ['another version', '{"v":2}\n', /expected v: 1, got 2/], ['nothing', '', /found nothing/],
    ['half a line', '{"v":1', /expected a whole line/],
    ['a strange kind', '{"v":1,"attemptId":"a","session":"b","kind":"x"}\n', /expected kind/],
    ['no facts', '{"v":1,"attemptId":"a","session":"b","kind":"transition","n":1}\n', /expected n, at, event/],
  ])('not a trace: %s', (_, text, what) => {
    expect(() => parseTrace(text)).toThrow(what);
  });
});

/** Records what a machine does, as the driver would, from its pure transitions. */
function traceOf(machine: AttemptMachine, events: readonly ((seq: { last: number; request: number }) => AttemptEvent)[]): object[] {
  const input: AttemptInput = {
    budgets: {
      waitMs: 9, answerMs: 9, openMs: 9, timeoutMs: Infinity, idleTimeoutMs: Infinity, settleMs: 0, cleanupMs: 9, leaseMs: 9,
    },
    hasCleanup: false, onUnsettled: 'fence', leaseEnds: true,
  };
  const common = { v: 1, attemptId: 'x', session: 's' };
  let [snapshot] = initialTransition(machine, input);
  const records: object[] = [{ ...common, kind: 'attempt', at: 0, pid: 1, labels: {}, input: recordedInput(input) }];
  events.forEach((make, index) => {
    const event = make({ last: snapshot.context.seq, request: snapshot.context.request });
    const from = pathOf(snapshot.value);
    const [after, actions] = transition(machine, snapshot, event);
    snapshot = after;
    records.push({
      ...common, kind: 'transition', n: index + 1, at: index, event: recordedEvent(event), from, to: pathOf(after.value),
      commands: actions.map(({ type }) => type).filter((type): type is Command => type in commands), after: factsOf(after.context),
    });
  });
  return records;
}

const confirmed = ({ last }: { last: number }): AttemptEvent => ({ type: 'release.confirmed', seq: last });
const life = [
  (): AttemptEvent => ({ type: 'start' }), ({ request }: { request: number }): AttemptEvent => ({ type: 'lock.granted', seq: request, token: 1 }),
  ({ last }: { last: number }): AttemptEvent => ({ type: 'session.opened', seq: last }),
];
const stopped = [...life, (): AttemptEvent => ({ type: 'abort.user' })];
const bug = (name: string): AttemptMachine => withStates(attemptMachine, incidents.find((one) => one.name === name)!.breaks);

describe('a machine with a bug is told by the invariant it breaks', () => {
  const window = [...life, (): AttemptEvent => ({ type: 'lock.yield' }), confirmed, (): AttemptEvent => ({ type: 'abort.user' }),
    (): AttemptEvent => ({ type: 'window.ended' })];
  test.each<[string, AttemptMachine, string, typeof stopped]>([
    ['M01: a release that asks who aborted', bug('M01'), 'S6', stopped],
    ['M04: a torn-down attempt asks for the lock', bug('M04'), 'S11', window],
    ['M09: nothing closes the writer', bug('M09'), 'S5', stopped],
    ['a loss that does not abort', withStates(attemptMachine, ({ running, ...states }) =>
      ({ ...states, running: { ...running, on: { ...running.on, 'lease.lost': { actions: 'recordLoss' } } } })),
    'S12', [...life, (): AttemptEvent => ({ type: 'lease.lost' })]],
  ])('%s', (_, machine, invariant, events) => {
    const [judged] = judge(traceOf(machine, events));
    expect(judged?.verdict).toBe('illegal');
    expect(judged?.findings.map((one) => one.invariant)).toContain(invariant);
    expect(judge(traceOf(attemptMachine, [...stopped, confirmed]))[0]?.findings).toEqual([]);
  });
});
