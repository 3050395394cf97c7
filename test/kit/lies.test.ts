/**
 * The kit tests its port first: each lie is caught and named as a fault of the port, never of the runner
 * behind it.
 */
import { describe, expect, test } from 'vitest';
import { checkRunner, type RunnerPort } from '../../src/testing/index.js';
import { SeededRunner } from './seeded-runner.js';

const never = new Promise<never>(() => undefined);
const noop = async (): Promise<void> => undefined;

/** A port around a runner that is right, with some of its members replaced. */
function lying(lie: (port: SeededRunner) => Partial<RunnerPort>): () => RunnerPort {
  return () => {
    const port = new SeededRunner();
    return {
      start: (request) => port.start(request),
      tryLock: (session) => port.tryLock(session),
      write: (...args) => port.write(...args),
      read: (session) => port.read(session),
      outcome: (id) => port.outcome(id),
      failRelease: (times) => port.failRelease(times),
      clock: port.clock,
      bounds: port.bounds,
      close: () => port.close(),
      ...lie(port),
    };
  };
}

const others = new Set<string>();

const LIES: Readonly<
  Record<string, { part: string; says: RegExp; lie: (port: SeededRunner) => Partial<RunnerPort> }>
> = {
  'a tryLock that always says free': {
    part: 'tryLock',
    says: /granted twice/,
    lie: () => ({ tryLock: async () => noop }),
  },
  'a tryLock that always says busy': {
    part: 'tryLock',
    says: /nobody uses is free; seen: busy/,
    lie: () => ({ tryLock: async () => null }),
  },
  'a tryLock that never gives back': {
    part: "tryLock's release",
    says: /after an outsider gave it back; seen: busy/,
    lie: (port) => ({ tryLock: async (session) => (await port.tryLock(session)) && noop }),
  },
  'a tryLock on a lock of its own': {
    part: 'tryLock',
    says: /does not see the runner's lock/,
    lie: () => ({
      tryLock: async (session) => {
        if (others.has(session)) return null;
        others.add(session);
        return async () => void others.delete(session);
      },
    }),
  },
  'a tryLock that hangs': { part: 'tryLock', says: /did not answer/, lie: () => ({ tryLock: () => never }) },
  'a tryLock that rejects when busy': {
    part: 'tryLock',
    says: /failed: EBUSY/,
    lie: (port) => ({
      tryLock: async (session) => (await port.tryLock(session)) ?? Promise.reject(new Error('EBUSY')),
    }),
  },
  'a release that hangs': {
    part: "tryLock's release",
    says: /did not answer/,
    lie: (port) => ({ tryLock: async (session) => (await port.tryLock(session)) && (() => never) }),
  },
  'an `ended` that is resolved beforehand': {
    part: 'ended',
    says: /settled beforehand/,
    lie: (port) => ({ start: (request) => ({ ...port.start(request), ended: Promise.resolve() }) }),
  },
  'a close that hangs': { part: 'close', says: /did not answer/, lie: () => ({ close: () => never }) },
  'a close that rejects': {
    part: 'close',
    says: /failed: full/,
    lie: () => ({ close: () => Promise.reject(new Error('full')) }),
  },
  'a start that throws': {
    part: 'start',
    says: /it threw: Error: no/,
    lie: () => ({
      start: () => {
        throw new Error('no');
      },
    }),
  },
  'a start that never calls the work': {
    part: 'start',
    says: /the work was not called/,
    lie: () => ({ start: () => ({ ended: never }) }),
  },
  'a work that is given no signal': {
    part: 'start',
    says: /AbortSignal/,
    lie: (port) => ({
      start: (request) => port.start({ ...request, work: () => request.work(undefined as never) }),
    }),
  },
  'a read that shows nothing': { part: 'read', says: /just written/, lie: () => ({ read: async () => [] }) },
  'a write that is always refused': {
    part: 'write',
    says: /refused/,
    lie: () => ({ write: () => Promise.reject(new Error('no')) }),
  },
  'an outcome that throws': {
    part: 'outcome',
    says: /threw/,
    lie: () => ({
      outcome: () => {
        throw new Error('no');
      },
    }),
  },
  'a failRelease without effect': {
    part: 'failRelease',
    says: /the lock was free/,
    lie: () => ({ failRelease: () => undefined }),
  },
  'a clock that hangs': {
    part: 'clock.advance',
    says: /did not come back/,
    lie: () => ({ clock: { advance: () => never } }),
  },
  'bounds that are no times': {
    part: 'bounds',
    says: /from 0/,
    lie: () => ({ bounds: { settleMs: Number.NaN, waitMs: 1 } }),
  },
};

describe.concurrent('a port that lies is faulty', () => {
  test.each(Object.entries(LIES))(
    '%s',
    async (_name, { part, says, lie }) => {
      const result = await checkRunner(lying(lie), { sequences: 5 });
      expect(result.port).toMatchObject({ status: 'faulty', part });
      expect(result.port.status === 'faulty' && result.port.message).toMatch(says);
      expect(result.ok).toBe(false);
      expect(new Set(result.modes.map(({ status }) => status))).toEqual(new Set(['notExercised']));
      expect(result.toText()).toContain('FAULTY PORT');
      expect(result.toJUnit()).toContain('<error message=');
    },
    30_000,
  );

  test('a makePort that throws', async () => {
    const result = await checkRunner(() => {
      throw new Error('no disk');
    });
    expect(result.port).toMatchObject({ status: 'faulty', part: 'makePort' });
  });

  test('only write, without read', async () => {
    const makePort = (): RunnerPort => {
      const { read: _, ...port } = lying(() => ({}))();
      return port;
    };
    expect((await checkRunner(makePort)).port).toMatchObject({ status: 'faulty', part: 'read' });
  });

  test('a lie that begins later is a faulty port too', async () => {
    let made = 0;
    const result = await checkRunner(
      lying(() => {
        made += 1;
        return made > 20 ? { close: () => never } : {};
      }),
      { sequences: 5 },
    );
    expect(result.port).toMatchObject({ status: 'faulty', part: 'close' });
  }, 30_000);
});

test('a runner that hangs is a finding, not a hang of the kit', async () => {
  const makePort = lying((port) => ({
    start: (request) => ({ ...port.start(request), ended: never, abort: () => undefined }),
  }));
  const result = await checkRunner(makePort, { sequences: 3, modes: ['M07'] });
  const m07 = result.modes.find(({ id }) => id === 'M07');
  expect(m07).toMatchObject({ status: 'breaks', breach: { seen: 'it did not end' } });
}, 30_000);
