/**
 * The small parts that engines share, by themselves: a bound on an answer, what has been seen of tokens, and what a holder
 * tells, as a text that may come back from a stranger.
 */
import { describe, expect, test } from 'vitest';
import { askInEngine, noticesOf, parsed } from '../../../src/locks/engine/asks.js';
import { Floors } from '../../../src/locks/engine/floors.js';
import { infoText, readInfo } from '../../../src/locks/engine/info.js';
import { within } from '../../../src/locks/engine/within.js';
import type { AskToEnd } from '../../../src/locks/lock-store.js';
import { identity, processMark } from '../../../src/owner.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { faults, held } from './faults.js';
import { asking, byNow, microtasksDone, scene } from './scene.js';

describe('an answer within a bound', () => {
  test('L5: is the answer, or its error, and no timer is left', async () => {
    const clock = new VirtualClock();
    expect(await within(clock, 100, Promise.resolve('an answer'))).toBe('an answer');
    await expect(within(clock, 100, Promise.reject(new Error('no table')))).rejects.toThrow('no table');
    expect(clock.armed).toBe(0);
  });

  test('L1: one that never comes is called so when the time is over, and not before', async () => {
    const clock = new VirtualClock();
    const asked = within(clock, 100.4, new Promise(() => {}));
    await clock.advance(100);
    expect(await byNow(asked)).toBe('pending');
    await clock.advance(1);
    expect(await byNow(asked)).toMatchObject({ name: 'NoAnswer', message: 'no answer within 100 ms' });
  });
});

describe('what has been seen of tokens', () => {
  const grant = { status: 'granted', token: 5, isNew: false, epoch: 'a' } as const;

  test('S3: a grant is compared with the records where the engine may have forgotten, and else not', () => {
    const floors = new Floors();
    expect([floors.highest('key'), floors.mustCompare('key', grant)]).toEqual([0, true]);
    floors.compared('key', 'a', 4);
    expect([floors.highest('key'), floors.mustCompare('key', grant), floors.mustCompare('other', grant)]).toEqual([4, false, true]);
    for (const change of [{ isNew: true }, { epoch: 'b' }, { token: 4 }, { token: 3 }]) {
      expect([change, floors.mustCompare('key', { ...grant, ...change })]).toEqual([change, true]);
    }
    floors.compared('key', '', 4);
    expect(floors.mustCompare('key', { ...grant, epoch: '' }), 'an engine that cannot tell').toBe(true);
  });

  test('S1 S3: a token that is not above those we have seen has gone back, and a lower one forgets none', () => {
    const floors = new Floors();
    floors.compared('key', 'a', 5);
    expect([4, 5, 6].map((token) => floors.wentBack('key', { ...grant, token }))).toEqual([true, true, false]);
    floors.compared('key', 'b', 3);
    expect([floors.highest('key'), floors.mustCompare('key', { ...grant, token: 6, epoch: 'b' })]).toEqual([5, false]);
  });

  test('L5: ten thousand sessions are remembered; one more forgets the one that was compared first', () => {
    const floors = new Floors();
    for (let n = 0; n < 10_000; n += 1) floors.compared(`${n}`, 'a', 1);
    floors.compared('0', 'a', 2);
    expect(['0', '1'].map((one) => floors.highest(one))).toEqual([2, 1]);
    floors.compared('one more', 'a', 1);
    expect(['0', '1', '2', 'one more'].map((one) => floors.highest(one))).toEqual([2, 0, 1, 1]);
  });
});

describe('what a holder tells', () => {
  const facts = {
    stateSince: 1, progressAt: 2, unsettled: true, onUnsettled: 'hold', hasCleanup: true, budgets: { waitMs: 3 }, set: ['waitMs'], loopDelayMs: 4,
  } as const;
  const { info } = asking('a', { info: { note: 'half', labels: { job: '7' }, supersedable: false, facts } });
  const told = { attemptId: 'a', pid: 7, host: 'here', state: 'running.working', note: 'half', labels: { job: '7' }, supersedable: false };
  const nothing = {
    attemptId: null, pid: null, host: null, state: null, note: null, labels: {}, supersedable: true, facts: null, mark: {}, instance: null,
  };

  test('comes back as it was told, its bell in front; what only explains is told where that is asked for', () => {
    const [{ instance }, text] = [identity(), infoText(info, 'a-bell')];
    expect(text.startsWith('{"bell":"a-bell",')).toBe(true);
    expect(readInfo(text)).toEqual({ ...told, facts: null, mark: {}, instance });
    const { host, boot, pidNamespace, started, pid } = processMark();
    expect(readInfo(infoText(info, 'a-bell', 'with facts'))).toEqual({ ...told, facts, mark: { host, boot, pidNamespace, started, pid }, instance });
  });

  test.each(['', '{', 'null', '7', '"text"', '[]', undefined])('M22: of %j nothing is believed, and it is no reason to fail', (text) => {
    expect(readInfo(text)).toEqual(nothing);
  });

  test('M22: of what a stranger wrote only what has its shape is believed', () => {
    const mark = { pid: 'x', host: 8, boot: 'b', more: 'c' };
    const other = { attemptId: 1, pid: '7', host: {}, state: null, note: true, instance: 3, labels: 'many', mark };
    expect(readInfo(JSON.stringify(other))).toEqual({ ...nothing, mark: { boot: 'b' } });
    expect(readInfo(JSON.stringify({ labels: { a: 1, b: null }, mark: 'm' }))).toMatchObject({ labels: { a: '1', b: 'null' }, mark: {} });
    expect(readInfo('{"labels":null,"mark":null}')).toEqual(nothing);
  });
});

describe('an ask, as it lies in an engine', () => {
  const askOf = (more: Partial<AskToEnd> = {}): AskToEnd =>
    ({ as: 'user', by: 'somebody', reason: 'enough', signal: new AbortController().signal, ...more });

  test('M22: is told again as it was laid; what is none is left out, and one that names nobody is told as nobody\'s', () => {
    const stopped = { type: 'stopped', by: 'one', reason: 'enough' };
    expect(noticesOf([{ id: 1, ...stopped }, { type: 'superseded', by: 'next' }])).toEqual([stopped, { type: 'superseded', by: 'next' }]);
    expect(noticesOf([null, 7, 'stopped', {}, { type: 'lost', reason: 'a lie' }, { type: 'inDoubt' }])).toEqual([]);
    expect(noticesOf([{ type: 'stopped', by: 7, reason: 8 }])).toEqual([{ type: 'stopped', by: 'somebody who did not say', reason: null }]);
    expect([parsed('{"a":1}'), parsed('{'), parsed(undefined)]).toEqual([{ a: 1 }, null, null]);
  });

  const withHolder = async (supersedable = true) => {
    const one = scene();
    await one.engine.acquire({ ...asking('holder', { info: { supersedable } }), leaseMs: 6_000, wait: false });
    const leaves = new AbortController();
    const ask = (more: Partial<AskToEnd> = {}) => askInEngine(one.engine, 'key', 1, askOf({ signal: leaves.signal, ...more }));
    const laid = () => one.server.at('key').asks.map(({ notice }) => notice);
    return { ...one, leaves, ask, laid };
  };

  test('M19: is laid beside the grant, and taken back when nobody wants it any more', async () => {
    const { ask, leaves, laid, server } = await withHolder();
    expect(await ask()).toBe('asked');
    expect(await ask({ signal: new AbortController().signal, as: 'superseded' })).toBe('asked');
    expect(laid()).toEqual([{ type: 'stopped', by: 'somebody', reason: 'enough' }, { type: 'superseded', by: 'somebody' }]);
    leaves.abort();
    await microtasksDone();
    expect([laid(), server.count('withdraw')]).toEqual([[{ type: 'superseded', by: 'somebody' }], 1]);
  });

  test('M19: that was laid only after nobody wanted it any more is taken back then', async () => {
    const { ask, leaves, laid, server } = await withHolder();
    const slow = held();
    server.next('ask', (perform) => slow(() => undefined).then(perform));
    const asked = ask();
    leaves.abort();
    await microtasksDone();
    slow.answer();
    expect(await asked).toBe('asked');
    await microtasksDone();
    expect(laid()).toEqual([]);
  });

  test('M19: that was refused is not taken back later; one that cannot be taken back stays, silently', async () => {
    const firm = await withHolder(false);
    expect(await firm.ask({ as: 'superseded' })).toBe('refused');
    firm.leaves.abort();
    await microtasksDone();
    expect(firm.server.count('withdraw')).toBe(0);
    const cut = await withHolder();
    cut.server.next('withdraw', faults.cut);
    await cut.ask();
    cut.leaves.abort();
    await microtasksDone();
    expect(cut.laid()).toHaveLength(1);
  });
});
