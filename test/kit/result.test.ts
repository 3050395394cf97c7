/**
 * What a check hands back: text, JSON, JUnit, a seed that draws the same, a line that replays, and honest
 * gaps.
 */
import { describe, expect, test } from 'vitest';
import { readSequence, writeSequence } from '../../src/testing/check-runner/step.js';
import { checkRunner, MODES, type CheckRunnerOptions, type RunnerPort } from '../../src/testing/index.js';
import { SeededRunner } from './seeded-runner.js';
import { withStatus } from './support.js';

/** A port with nothing but what it must have. */
function bare(...more: (keyof RunnerPort)[]): () => RunnerPort {
  return () => {
    const port = new SeededRunner();
    const whole = {
      start: port.start.bind(port),
      tryLock: port.tryLock.bind(port),
      clock: port.clock,
      write: port.write.bind(port),
      read: port.read.bind(port),
      outcome: port.outcome.bind(port),
      failRelease: port.failRelease.bind(port),
      bounds: { settleMs: port.bounds.settleMs, waitMs: port.bounds.waitMs },
      close: port.close.bind(port),
    };
    const kept = new Set<string>(['start', 'tryLock', 'bounds', 'close', 'clock', ...more]);
    return Object.fromEntries(
      Object.entries(whole).filter(([name]) => kept.has(name)),
    ) as unknown as RunnerPort;
  };
}

const broken = (options: CheckRunnerOptions = {}) =>
  checkRunner(() => new SeededRunner('M01'), { seed: 7, sequences: 15, modes: ['M01', 'M20'], ...options });

describe.concurrent('a result', () => {
  test('the same seed draws the same and finds the same', async () => {
    const [one, two] = [await broken(), await broken()];
    expect(one.toJSON()).toEqual(two.toJSON());
    expect(one.seed).toBe(7);
  });

  test('the replay line runs the shortest sequence again, and it breaks again', async () => {
    const breach = (await broken()).modes[0]?.breach;
    expect(breach?.replay).toBe('M01: START GRANTED RUN ABORT(user) SETTLED(err)');
    const again = await checkRunner(() => new SeededRunner('M01'), { replay: breach?.replay ?? '' });
    expect(again.ok).toBe(false);
    expect(again.sequences).toBe(1);
    expect(again.modes[0]?.breach).toEqual(breach);
    const healed = await checkRunner(() => new SeededRunner(), { replay: breach?.replay ?? '' });
    expect(healed.ok).toBe(true);
  });

  test('every sequence that is drawn replays from its text', () => {
    const text = 'HOLD START(limit,obeys) GRANTED RUN ABORT(user)#2 MUST(cause:none)#2 FAIL_RELEASE(always)';
    expect(writeSequence(readSequence(text))).toBe(text);
  });

  test('as text: a story, what was expected and seen, the seed and the replay line', async () => {
    const text = (await broken()).toText();
    expect(text).toMatch(/^3 hold, 1 break, 18 not exercised; \d+ sequences, seed 7\n/);
    expect(text).toContain(
      [
        'M01  kind-gated release: BREAKS with ABORT(user)',
        `      must: ${MODES.M01.must}`,
        '      shortest: START GRANTED RUN ABORT(user) SETTLED(err)',
        '        START            attempt 1',
        '        RUN              the work of attempt 1 is called',
        '        ABORT            attempt 1, by user',
        '        SETTLED(err)     the work of attempt 1',
        '        ENDED            the runner says that attempt 1 has ended',
        '        OUTSIDER TRIES   busy for more than 30 ms',
        '      expected: the lock is given back',
        '      seen:     an outsider found it busy for 30 ms after the end',
        '      replay:   checkRunner(makePort, ' +
          '{ replay: "M01: START GRANTED RUN ABORT(user) SETTLED(err)" })',
      ].join('\n'),
    );
  });

  test('as JSON: the whole result, without functions', async () => {
    const result = await broken();
    const data = JSON.parse(JSON.stringify(result)) as typeof result;
    expect(data).toEqual(result.toJSON());
    expect(data.modes.map(({ id }) => id)).toHaveLength(22);
  });

  test('as JUnit: breaks fail, required and not exercised fails, not exercised is skipped', async () => {
    const xml = (await broken({ require: ['M14'] })).toJUnit();
    expect(xml).toContain('<testsuite name="checkRunner" tests="22" failures="2" errors="0" skipped="17">');
    expect(xml).toContain('<property name="seed" value="7"/>');
    expect(xml).toMatch(/name="M01 kind-gated release"><failure message="an outsider found it busy/);
    expect(xml).toMatch(/name="M14 pid is not identity"><failure message="not exercised: not asked for/);
    expect(xml).toContain('&quot;M01: START GRANTED RUN');
  });
});

describe.concurrent('what a port lacks is not exercised, never passed', () => {
  test('a port with the least', async () => {
    const result = await checkRunner(bare(), { seed: 1, sequences: 10 });
    expect(withStatus(result, 'notExercised')).toEqual([
      'M06',
      'M09',
      'M10',
      'M11',
      'M12',
      'M14',
      'M15',
      'M16',
      'M17',
      'M18',
    ]);
    expect(result.modes.find(({ id }) => id === 'M09')?.why).toBe('the port has no write() and read()');
    expect(result.modes.find(({ id }) => id === 'M05')?.missing).toEqual([
      'a write under way: the port has no write() and read()',
    ]);
  });

  test('a runner without abort', async () => {
    const result = await checkRunner(
      () => {
        const port = new SeededRunner();
        const start = port.start.bind(port);
        return Object.assign(port, {
          start: (request: Parameters<typeof start>[0]) => ({ ended: start(request).ended }),
        });
      },
      { seed: 1, sequences: 10 },
    );
    expect(withStatus(result, 'notExercised')).toEqual([
      'M01',
      'M02',
      'M05',
      'M11',
      'M14',
      'M15',
      'M16',
      'M17',
      'M18',
      'M19',
    ]);
    expect(result.modes[0]?.why).toMatch(/only limit could be exercised/);
  });

  test('a kind the runner does not know', async () => {
    const result = await checkRunner(
      () => {
        const port = new SeededRunner();
        const start = port.start.bind(port);
        return Object.assign(port, {
          start: (request: Parameters<typeof start>[0]) => {
            const { ended, abort } = start(request);
            return {
              ended,
              abort: (by: 'user' | 'timeout' | 'shutdown') =>
                by === 'shutdown' ? 'unsupported' : abort(by),
            };
          },
        });
      },
      { seed: 1, sequences: 10, modes: ['M01'] },
    );
    expect(result.modes[0]).toMatchObject({
      status: 'holds',
      missing: ['ABORT(shutdown): the runner knows none'],
    });
  });

  test('an outcome that knows nothing does not make M18 hold', async () => {
    const result = await checkRunner(() => Object.assign(new SeededRunner(), { outcome: () => undefined }), {
      seed: 1,
      sequences: 10,
      modes: ['M18'],
    });
    expect(result.modes.find(({ id }) => id === 'M18')?.status).toBe('notExercised');
  });

  test('require turns it into a failure', async () => {
    const options = { seed: 1, sequences: 5, modes: ['M01'] } as const;
    expect((await checkRunner(bare(), options)).ok).toBe(true);
    const result = await checkRunner(bare(), { ...options, require: ['M09'] });
    expect(result.ok).toBe(false);
    expect(result.toText()).toContain('M09  zombie writer: not exercised  (required)');
  });

  test('a runner that holds the lock until its work ends may say so', async () => {
    const port = (): RunnerPort =>
      Object.assign(new SeededRunner('M03'), { bounds: { settleMs: Infinity, waitMs: 60, leaseMs: 90 } });
    const result = await checkRunner(port, { seed: 1, sequences: 10, modes: ['M03'] });
    expect(result.modes[2]?.status).toBe('holds');
  });
});

describe('options', () => {
  test.each<[string, CheckRunnerOptions]>([
    ['seed', { seed: 0.5 }],
    ['sequences', { sequences: 0 }],
    ['require', { require: ['M99' as never] }],
    ['modes', { modes: ['x' as never] }],
    ['modeMs', { modeMs: 0 }],
    ['concurrency', { concurrency: 65 }],
    ['replay', { replay: 'START RUN' }],
    ['replay', { replay: 'M01: START JUMP' }],
    ['replay', { replay: 'M01: RUN' }],
    ['runs', { runs: 5 } as never],
  ])('%s: refused before anything is touched', async (name, options) => {
    await expect(checkRunner(() => new SeededRunner(), options)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(name),
    });
  });
});

test("a rejection that is not the work's is listed, and the check is not ok", async () => {
  let thrown = false;
  const result = await checkRunner(
    () => {
      if (!thrown) void Promise.reject(new Error('stray'));
      thrown = true;
      return new SeededRunner();
    },
    { seed: 1, sequences: 3, modes: ['M07'] },
  );
  expect(result).toMatchObject({ ok: false, strayRejections: ['stray'] });
});
