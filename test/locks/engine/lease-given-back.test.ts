/**
 * A lease in an engine: its token raised, given back, and what its holder is asked meanwhile.
 */
import { describe, expect, test } from 'vitest';
import type { AskLaid } from '../../../src/locks/engine/lock-engine.js';
import { END_MS, lease, THIRD_MS } from './held-lease.js';
import { faults, held } from './faults.js';
import { expectQuiet, microtasksDone } from './scene.js';

describe('a token that is raised', () => {
  test('S1 S3: is the engine\'s above the floor, and what is renewed and given back from then on', async () => {
    const { server, made, beatAfter } = await lease();
    expect([await made.raise(41), made.token]).toEqual([true, 42]);
    await beatAfter(THIRD_MS);
    expect([made.deadline, await made.release(), server.at('key').owner]).toEqual([THIRD_MS + END_MS, 'released', null]);
  });

  test('S14: renewals under way are waited for, and none is begun meanwhile: they would be told that the old one is gone', async () => {
    const { server, made, types, beatAfter, renewals } = await lease({ askMs: 10_000 });
    const [first, second, raise] = [held(), held(), held()];
    server.next('renew', first, second);
    server.next('raise', raise);
    await beatAfter(THIRD_MS); // it begins to listen, so one renewal is followed by another
    const raised = made.raise(41);
    for (const [at, renewal] of [first, second].entries()) {
      await microtasksDone();
      expect([renewals(), server.count('raise')]).toEqual([at + 1, 0]);
      renewal.answer();
    }
    await microtasksDone();
    await beatAfter(THIRD_MS);
    expect([renewals(), server.count('raise')]).toEqual([2, 1]);
    raise.answer();
    expect([await raised, types()]).toEqual([true, []]);
    await beatAfter(0);
    expect([renewals(), types()]).toEqual([3, []]);
  });

  test('S12: what is answered late about the old token is no loss of the new one', async () => {
    const { server, made, types, beatAfter } = await lease({ askMs: 500 });
    const late = held();
    server.next('renew', (perform) => late(() => undefined).then(perform)); // arrives after the token was raised
    await beatAfter(THIRD_MS);
    await beatAfter(500);
    expect(await made.raise(41)).toBe(true);
    late.answer();
    await microtasksDone();
    expect(types()).toEqual([]);
  });

  test('S14: not ours any more, or given back meanwhile, it is of no use; no answer is told, and renewal goes on', async () => {
    const gone = await lease();
    await gone.engine.force('key', 1);
    expect([await gone.made.raise(41), gone.made.token]).toEqual([false, 1]);
    const ending = await lease();
    const [raised, released] = [ending.made.raise(41), ending.made.release()];
    expect([await raised, await released, ending.server.at('key').owner]).toEqual([false, 'released', null]);
    const cut = await lease({ askMs: 500 });
    cut.server.next('raise', faults.swallowed, faults.cut);
    const silent = expect(cut.made.raise(41)).rejects.toMatchObject({ name: 'NoAnswer' });
    await cut.clock.advance(500);
    await silent;
    await expect(cut.made.raise(41)).rejects.toThrow('cut');
    await cut.beatAfter(THIRD_MS);
    expect(cut.renewals()).toBeGreaterThan(0);
  });
});

describe('given back', () => {
  test('S13: a renewal under way is joined, none is begun, and its answer moves no end', async () => {
    const { clock, server, made, ended, types, beatAfter, renewals } = await lease();
    const slow = held();
    server.next('renew', slow);
    await beatAfter(THIRD_MS);
    const released = made.release();
    await beatAfter(THIRD_MS / 4);
    expect([renewals(), server.count('release')]).toEqual([1, 0]);
    slow.answer();
    expect([await released, made.deadline, ended, types()]).toEqual(['released', -Infinity, [made], []]);
    expect([await made.release(), server.count('release')]).toEqual(['notHeld', 1]);
    expectQuiet({ clock, server });
  });

  test('S13: while nobody answers it is not renewed, and asked again it is one release', async () => {
    const { clock, server, made, ended, beatAfter, renewals } = await lease();
    server.next('release', faults.lost, faults.swallowed);
    expect([await made.release(), ended]).toEqual(['unknown', []]);
    await beatAfter(THIRD_MS);
    expect(renewals()).toBe(0);
    const silent = made.release();
    await clock.advance(1_000);
    expect(await silent).toBe('unknown');
    expect([await made.release(), ended, await made.release()]).toEqual(['released', [made], 'notHeld']);
  });

  test('S6 R1: unanswered, its own end ends it; asked after that the engine still says what became of it', async () => {
    for (const [fault, answer] of [[faults.cut, 'released'], [faults.lost, 'released']] as const) {
      const { server, made, types, ended, beatAfter } = await lease();
      server.next('release', fault);
      await made.release();
      await beatAfter(END_MS - 1);
      expect(ended).toEqual([]);
      await beatAfter(1);
      expect([ended, types()]).toEqual([[made], []]);
      expect([await made.release(), await made.release(), ended]).toEqual([answer, 'notHeld', [made]]);
    }
  });

  test('R1 S12: what a renewal under way finds of its loss is no news any more: the release says it', async () => {
    const { engine, server, made, types, beatAfter } = await lease();
    const late = held();
    server.next('renew', (perform) => late(() => undefined).then(perform));
    await beatAfter(THIRD_MS);
    const released = made.release();
    await engine.force('key', 1);
    late.answer();
    expect([await released, types()]).toEqual(['notHeld', []]);
  });

  test('R1: taken over before it was asked, it is not held', async () => {
    const { engine, made } = await lease();
    await engine.force('key', 1);
    expect([await made.release(), await made.release()]).toEqual(['notHeld', 'notHeld']);
  });

  test('S6: by its owner it ends without a word', async () => {
    const { made, types, ended } = await lease();
    made.givenUp();
    expect([made.deadline, types(), ended, await made.release()]).toEqual([-Infinity, [], [made], 'notHeld']);
  });
});

describe('what it is asked', () => {
  const laid = (as: AskLaid['as'], id = 'id'): AskLaid =>
    ({ id, as, notice: as === 'user' ? { type: 'stopped', by: 'me', reason: null } : { type: 'superseded', by: 'next' } });

  test('M19: it hears each kind once, refuses a successor where it is firm, and hears nothing once it is given back', async () => {
    const { made, types } = await lease();
    const asks = [laid('superseded').notice, laid('superseded').notice, laid('user').notice];
    expect([asks.map((one) => made.hear(one)), types()]).toEqual([[true, true, true], ['superseded', 'stopped']]);
    void made.release();
    expect(made.hear({ type: 'stopped', by: 'other', reason: null })).toBe(false);
    const firm = await lease({ info: { supersedable: false } });
    expect([asks.map((one) => firm.made.hear(one)), firm.types()]).toEqual([[false, false, true], ['stopped']]);
  });

  test('M19: half a second old it listens, looks once for what was asked before, and then when it is rung for', async () => {
    const { clock, server, engine, made, types, beatAfter, renewals } = await lease();
    await beatAfter(499);
    expect([server.bells.size, renewals()]).toEqual([0, 0]);
    await engine.ask('key', 1, laid('superseded'));
    await beatAfter(1);
    await beatAfter(10);
    expect([[...server.bells.keys()], renewals(), types()]).toEqual([['holder'], 1, ['superseded']]);
    await engine.ask('key', 1, laid('user', 'other')); // in the same millisecond
    await microtasksDone();
    expect([renewals(), types()]).toEqual([2, ['superseded', 'stopped']]);
    await beatAfter(10);
    expect(renewals()).toBe(2);
    await made.release();
    expectQuiet({ clock, server });
  });

  test('M19: rung for while it asks, it asks again; where it was not answered the next beat does', async () => {
    for (const [fault, at] of [[held(), 3], [held(), 2]] as const) {
      const { server, beatAfter, renewals } = await lease();
      await beatAfter(500);
      await beatAfter(0);
      server.next('renew', at === 3 ? fault : async (perform) => {
        await fault(perform);
        throw new Error('cut');
      });
      await beatAfter(THIRD_MS);
      server.ring('holder');
      await microtasksDone();
      expect(renewals()).toBe(2);
      fault.answer();
      await microtasksDone();
      expect(renewals()).toBe(at);
      await beatAfter(0);
      expect(renewals()).toBe(3);
    }
  });
});
