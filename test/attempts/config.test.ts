/**
 * Options that cannot be: each is CONFIG_INVALID before anything is touched, naming the option, what was
 * expected and what was found.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { attempts, AttemptError, createAttempt, runAttempt, type AttemptOptions } from '../../src/index.js';
import { useScene } from '../support/scene.js';

const scene = useScene();
const directory = mkdtempSync(join(tmpdir(), 'attempt-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

const wrongTypes: unknown[] = [null, '5', true, {}, [], 5n, Symbol('s'), () => 5];
const wrongTimes = [...wrongTypes, Number.NaN, -1, -Infinity, 2 ** 31, Number.MAX_VALUE];
const notFunctions: unknown[] = [null, 'text', 5, true, {}, []];
const store = { acquire() {}, releaseOwner() {}, query() {}, forceRelease() {} };

/**
 * Option by option, what it must not be. A name with a dot is what the message names, of the option before the
 * dot.
 */
const wrong: Record<string, unknown[]> = {
  session: [undefined, null, '', 5, {}, [], 'a\0b'],
  work: [undefined, ...notFunctions],
  locks: [null, 5, 'file', {}, { ...store, query: 5, capabilities: {} }, [], () => {}],
  'locks.capabilities.tokenScope': [
    store, { ...store, capabilities: null }, { ...store, capabilities: { leaseMs: 100 } },
    { ...store, capabilities: { leaseMs: 100, tokenScope: 'lots' } },
  ],
  'locks.capabilities.leaseMs': [...wrongTimes, 0, undefined, Infinity].map((leaseMs) =>
    ({ ...store, capabilities: { leaseMs, tokenScope: 'none' } })),
  signal: [
    null, 5, 'text', {}, { aborted: false }, { aborted: false, addEventListener() {} }, new AbortController(),
  ],
  waitMs: wrongTimes,
  settleMs: [...wrongTimes, Infinity],
  ...Object.fromEntries(['timeoutMs', 'idleTimeoutMs', 'cleanupMs', 'openMs', 'answerMs'].map((name) =>
    [name, [...wrongTimes, 0, Infinity]])),
  cleanup: notFunctions, onTimeout: notFunctions, dispose: notFunctions, classifyAbort: notFunctions, inspect: notFunctions,
  onUnsettled: [null, 'wait', 5, true, {}],
  attemptId: [null, '', 5, {}, 'a b', 'a/b', 'a\nb', 'a\u0000', 'x'.repeat(201)],
  labels: [
    null, 5, 'text', [], () => {}, Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`k${n}`, 'v'])),
  ],
  'labels.a': [{ a: 5 }, { a: null }, { a: 'x'.repeat(257) }],
  records: [null, 5, 'some', {}, { open: 5 }, []],
  'records.tokenFloor': [{ open() {}, tokenFloor: 5 }, { open() {}, tokenFloor: null }],
  stamp: [null, 0, 'yes', {}],
  clock: [null, 5, {}, { now: () => 0 }, { now() {}, wallNow() {}, sleeplessNow() {}, setTimeout() {} }],
};

/** Makes, and runs, an attempt that must not be; nothing may have been touched. */
async function refusal(options: object): Promise<AttemptError> {
  const locks = scene().store();
  const session = join(directory, 'sub', 'session.jsonl');
  const all = {
    session, locks, work: () => { throw new Error('it ran'); }, ...options,
  } as unknown as AttemptOptions<1>;
  let error: unknown;
  try {
    createAttempt(all);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(AttemptError);
  expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
  await expect(runAttempt(all)).rejects.toMatchObject({
    code: 'CONFIG_INVALID', message: (error as Error).message,
  });
  expect(locks.asks).toHaveLength(0);
  expect(readdirSync(directory)).toEqual([]);
  expect(attempts.active()).toEqual([]);
  return error as AttemptError;
}

describe('M21: an option that cannot be', () => {
  for (const [name, values] of Object.entries(wrong)) {
    test(`M21: ${name}`, async () => {
      for (const value of values) {
        const { message } = await refusal({ [name.split('.')[0] as string]: value });
        expect(message, String(value)).toMatch(
          new RegExp(`^${name.replaceAll('.', '\\.')}(\\.\\w+)?: expected .+, got .+`),
        );
      }
    });
  }

  test('M21: options that are no object', async () => {
    for (const options of [undefined, null, 5, 'text']) {
      expect(() => createAttempt(options as never)).toThrow(/^options: expected an object, got/);
      await expect(runAttempt(options as never)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
  });

  test('M21: an option there is not, with the one that was probably meant', async () => {
    expect((await refusal({ timeout: 5 })).message).toMatch(
      /^timeout: there is no such option; did you mean timeoutMs/,
    );
    expect((await refusal({ waitms: 5 })).message).toMatch(/did you mean waitMs/);
    expect((await refusal({ colour: 5 })).message).toMatch(/known are session, work/);
  });
});

describe('M21: budgets that do not fit each other', () => {
  test('M21: an idle limit that can never fire is refused', async () => {
    for (const idleTimeoutMs of [100, 101]) {
      expect((await refusal({ timeoutMs: 100, idleTimeoutMs })).message).toMatch(
        /^idleTimeoutMs: expected less than/,
      );
    }
    createAttempt({ session: 's', locks: scene().store(), work: () => 1, timeoutMs: 100, idleTimeoutMs: 99 });
  });

  test('M21: seventeen minutes of holding against a minute of waiting is a warning', async () => {
    const make = (options: object): void =>
      void createAttempt({ session: 's', locks: scene().store(), work: () => 1, ...options });
    make({ timeoutMs: 17 * 60_000, waitMs: 60_000 });
    expect(await scene().warned()).toEqual(['ATTEMPT_BUDGETS']);
    make({ timeoutMs: 5 * 60_000, waitMs: 60_000 });
    make({ timeoutMs: 17 * 60_000, waitMs: 0 });
    make({ timeoutMs: 17 * 60_000, waitMs: Infinity });
    make({ waitMs: 1 });
    expect(await scene().warned()).toHaveLength(1);
  });

  test('M21: what is allowed is allowed', () => {
    const fine: Partial<AttemptOptions<number>>[] = [
      { waitMs: 0 }, { waitMs: Infinity }, { waitMs: 2 ** 31 - 1 }, { settleMs: 0 }, { settleMs: 0.5 },
      { timeoutMs: 1 }, { labels: {} }, { records: 'none' }, { stamp: false }, { attemptId: 'x'.repeat(200) },
      { onUnsettled: 'hold' }, { signal: new AbortController().signal },
    ];
    for (const options of fine) createAttempt({ session: 's', locks: scene().store(), work: () => 1, ...options });
    const none = Object.fromEntries(
      Object.keys(wrong).filter((name) => !name.includes('.')).map((name) => [name, undefined]),
    );
    createAttempt({ ...none, session: 's', locks: scene().store(), work: () => 1 });
  });
});
