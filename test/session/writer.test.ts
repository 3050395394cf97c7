/** The writer handed to work: what it lets through, what it refuses, what it waits for and what it counts. */
import { describe, expect, it, vi } from 'vitest';
import { LeaseCertainty, WriteGate } from '../../src/session/gate.js';
import type { OpenedSession, SessionRecord } from '../../src/session/session-records.js';
import { createWriter, weakerFencing } from '../../src/session/writer.js';
import { FakeClock, thrown } from './support.js';

const LEASE_MS = 10_000;
const ANSWER_MS = 500;

function setup(more: Partial<OpenedSession> = {}, records: 'memory' | 'none' = 'memory') {
  const clock = new FakeClock();
  const state = { open: true, lost: false, deadline: clock.now() + LEASE_MS };
  const written: unknown[] = [];
  const append = (record: SessionRecord): void => { written.push(record); };
  const opened: OpenedSession = {
    fencing: 'stamped', append, appendSync: append,
    replace: (all) => { written.splice(0, Infinity, ...all); }, close: () => undefined, ...more,
  };
  const gate = new WriteGate({
    isOpen: () => state.open, isLost: () => state.lost, token: 7, certainty: new LeaseCertainty(state, clock),
  });
  const writer = createWriter({ gate, opened: records === 'none' ? null : opened, clock, answerMs: ANSWER_MS });
  const renew = () => { state.deadline = clock.now() + LEASE_MS; };
  return { clock, state, written, writer, renew, session: writer.session };
}

const code = (promise: Promise<unknown>) => promise.then(
  () => 'fulfilled',
  (error: unknown) => (error as { code?: string }).code ?? String(error),
);

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => { resolve = yes; reject = no; });
  return { promise, resolve, reject };
}

describe('an open writer', () => {
  it('writes in the tick of the call, in order, and is idle at once', async () => {
    const { session, written, writer } = setup();
    const { append, appendSync, guard } = session; // none needs `this`
    const first = append({ n: 1 });
    expect(written).toEqual([{ n: 1 }]);
    appendSync({ n: 2 });
    guard(() => written.push('guarded'));
    expect(written).toEqual([{ n: 1 }, { n: 2 }, 'guarded']);
    expect(writer.pending).toBe(0);
    await first;
    await writer.idle();
  });

  it('says which protection was used: the weakest counts', async () => {
    const { session, writer } = setup();
    expect(writer.used).toBe('none');
    await session.append({ n: 1 });
    expect(writer.used).toBe('stamped');
    session.guard(() => undefined);
    await session.append({ n: 2 });
    expect(writer.used).toBe('gated');
    expect([weakerFencing('none', 'none'), weakerFencing('none', 'stamped'), weakerFencing('stamped', 'gated'),
      weakerFencing('gated', 'none')]).toEqual(['none', 'stamped', 'gated', 'gated']);
  });

  it('rejects, never throws, from append and replace', async () => {
    const { session } = setup({ append: () => { throw new Error('engine'); } });
    await expect(session.append({})).rejects.toThrow('engine');
    expect(await code(session.replace(null as never))).toBe('RECORD_INVALID');
  });

  it('tracks what an engine has not acknowledged yet', async () => {
    const ack = deferred<void>();
    const { session, writer } = setup({ append: () => ack.promise });
    const appended = session.append({ n: 1 });
    let idle = false;
    const waiting = writer.idle().then(() => { idle = true; });
    expect(writer.pending).toBe(1);
    await Promise.resolve();
    expect(idle).toBe(false);
    ack.resolve();
    await Promise.all([appended, waiting]);
    expect(writer.pending).toBe(0);
  });

  it('says what an engine cannot do', async () => {
    const { session } = setup({ appendSync: undefined as never, replace: undefined as never });
    thrown('CONFIG_INVALID', () => session.appendSync({}));
    expect(await code(session.replace([]))).toBe('REPLACE_UNSUPPORTED');
  });

  it('without records only guard works', async () => {
    const { session, writer } = setup({}, 'none');
    expect(await code(session.append({}))).toBe('CONFIG_INVALID');
    expect(await code(session.replace([]))).toBe('CONFIG_INVALID');
    thrown('CONFIG_INVALID', () => session.appendSync({}));
    expect(session.guard(() => 5)).toBe(5);
    expect(writer.used).toBe('gated');
  });
});

describe('guard', () => {
  it('returns the very promise, and the release can wait for it', async () => {
    const { session, writer } = setup();
    const write = deferred<string>();
    expect(session.guard(() => write.promise)).toBe(write.promise);
    expect(writer.pending).toBe(1);
    write.resolve('done');
    await writer.idle();
    expect(writer.pending).toBe(0);
  });

  it('leaves a rejection to the caller and makes none of its own', async () => {
    const { session, writer } = setup();
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      const write = deferred<never>();
      const guarded = session.guard(() => write.promise);
      write.reject(new Error('theirs'));
      await expect(guarded).rejects.toThrow('theirs');
      await writer.idle();
      await new Promise((resolve) => { setImmediate(resolve); }); // where Node reports what nobody handled
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });

  it('starts a lazy thenable once, in this tick', async () => {
    const { session, writer } = setup();
    let started = 0;
    // oxlint-disable-next-line unicorn/no-thenable -- such things exist: query builders
    const query = { then(resolve: (rows: number) => void) { started += 1; resolve(3); } };
    const rows = session.guard(() => query) as unknown as Promise<number>;
    expect(started).toBe(1);
    expect(await rows).toBe(3);
    expect(started).toBe(1);
    expect(writer.pending).toBe(0);
  });

  it('lets what the function throws through, and counts the guard as used', () => {
    const { session, writer } = setup();
    expect(() => session.guard(() => { throw new Error('theirs'); })).toThrow('theirs');
    expect(writer).toMatchObject({ pending: 0, used: 'gated' });
  });
});

describe('a closed writer', () => {
  it('S5, M09: refuses everything, counts it, and says which attempt has ended', async () => {
    const { session, state, written, writer } = setup();
    state.open = false;
    const ran = vi.fn();
    expect(await code(session.append({}))).toBe('WRITER_CLOSED');
    expect(await code(session.replace([]))).toBe('WRITER_CLOSED');
    thrown('WRITER_CLOSED', () => session.appendSync({}));
    expect(thrown('WRITER_CLOSED', () => session.guard(ran)).message).toContain('token 7');
    expect(ran).not.toHaveBeenCalled();
    expect(written).toEqual([]);
    expect(writer).toMatchObject({ refused: 4, used: 'none', pending: 0 });
  });

  it('S12: after a loss says that it is fenced', async () => {
    const { session, state, writer } = setup();
    state.lost = true;
    expect(await code(session.append({}))).toBe('WRITE_FENCED');
    thrown('WRITE_FENCED', () => session.guard(() => 1));
    expect(writer.refused).toBe(2);
  });

  it('M09: a zombie that does not look at its promises does not end the process', async () => {
    const { session, state, writer } = setup();
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      state.open = false;
      void session.append({});
      await new Promise((resolve) => { setImmediate(resolve); });
      expect(unhandled).not.toHaveBeenCalled();
      expect(writer.refused).toBe(1);
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });
});

describe('in doubt', () => {
  function inDoubt(more: Partial<OpenedSession> = {}) {
    const all = setup(more);
    all.clock.advance(LEASE_MS);
    return all;
  }

  it('the synchronous writes throw, and nothing counts as refused', () => {
    const { session, writer, written } = inDoubt();
    thrown('LEASE_IN_DOUBT', () => session.appendSync({}));
    thrown('LEASE_IN_DOUBT', () => session.guard(() => written.push('no')));
    expect(written).toEqual([]);
    expect(writer).toMatchObject({ refused: 0, used: 'none' });
  });

  it('append and replace wait, in order, for the lease to be renewed', async () => {
    const { session, writer, written, clock, renew } = inDoubt();
    const record = { n: 1 };
    const writes = [session.append(record), session.replace([{ n: 2 }]), session.append({ n: 3 })];
    record.n = 99; // the caller goes on with its object; what was appended is what it was
    expect(writer.pending).toBe(3);
    clock.advance(100);
    expect(written).toEqual([]);
    renew();
    clock.advance(5);
    expect(written).toEqual([{ n: 2 }, { n: 3 }]);
    await Promise.all(writes);
    await writer.idle();
    expect(clock.timers).toBe(0);
  });

  it('a write after the renewal does not overtake those that waited', () => {
    const { session, written, renew, clock } = inDoubt();
    void session.append({ n: 1 });
    renew();
    session.appendSync({ n: 2 });
    void session.append({ n: 3 });
    expect(written).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(clock.timers).toBe(0);
  });

  it('S14: no answer within answerMs is not a yes', async () => {
    const { session, writer, written, clock } = inDoubt();
    const first = code(session.append({ n: 1 }));
    clock.advance(ANSWER_MS - 10);
    const second = code(session.append({ n: 2 }));
    clock.advance(15);
    expect(await first).toBe('LEASE_IN_DOUBT');
    expect(writer.pending).toBe(1);
    clock.advance(ANSWER_MS);
    expect(await second).toBe('LEASE_IN_DOUBT');
    expect(written).toEqual([]);
    expect(writer.refused).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it.each([
    ['S5: the attempt ends', 'open', false, 'WRITER_CLOSED'],
    ['S12: the lease is lost', 'lost', true, 'WRITE_FENCED'],
  ] as const)('a waiting write is refused when %s, even if the lease then looks renewed', async (...row) => {
    const [, key, value, expected] = row;
    const { session, state, writer, written, clock, renew } = inDoubt();
    const waiting = code(session.append({ n: 1 }));
    Object.assign(state, { [key]: value });
    renew();
    writer.recheck();
    expect(await waiting).toBe(expected);
    expect(written).toEqual([]);
    expect(writer).toMatchObject({ refused: 1, used: 'none' });
    expect(clock.timers).toBe(0);
    await writer.idle();
  });

  it('an invalid record is refused before it waits', async () => {
    const { session, writer } = inDoubt();
    expect(await code(session.append({ n: 1n }))).toBe('RECORD_INVALID');
    expect(await code(session.replace([{ n: 1 }, { n: 1n }]))).toBe('RECORD_INVALID');
    expect(writer.pending).toBe(0);
  });

  it('what fails after the wait fails as it would have before', async () => {
    const { session, clock, renew } = inDoubt({ append: () => { throw new Error('engine'); } });
    const waiting = session.append({ n: 1 });
    renew();
    clock.advance(5);
    await expect(waiting).rejects.toThrow('engine');
  });
});
