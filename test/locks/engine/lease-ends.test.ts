/**
 * A lease in an engine: when it is renewed, when it is in doubt, and when it is lost.
 */
import { describe, expect, test } from 'vitest';
import { END_MS, lease, REVIVED_MS, THIRD_MS } from './held-lease.js';
import { faults, held } from './faults.js';
import { expectQuiet, microtasksDone } from './scene.js';

describe('its end', () => {
  test('S2 S10: is a hundredth before the engine\'s, and told on the wall clock', async () => {
    const { clock, made } = await lease();
    const end = clock.wallNow() + END_MS;
    expect([made.deadline, made.until, made.since]).toEqual([END_MS, end, clock.wallNow()]);
    expect([made.session, made.owner, made.token, made.info.attemptId]).toEqual(['key', 'holder', 1, 'holder']);
    await clock.advance(100);
    expect([made.deadline, made.until]).toEqual([END_MS, end]);
    expect(clock.armed).toBe(0);
  });

  test('S2 S10: moves with each renewal, which is asked for after a third, and counts from when it was asked', async () => {
    const { server, made, beatAfter, renewals } = await lease();
    await beatAfter(THIRD_MS - 1);
    expect(renewals()).toBe(0);
    const slow = held();
    server.next('renew', slow);
    await beatAfter(1);
    await beatAfter(400);
    expect([renewals(), made.deadline]).toEqual([1, END_MS]);
    slow.answer();
    await microtasksDone();
    expect(made.deadline).toBe(THIRD_MS + END_MS);
    await beatAfter(THIRD_MS - 401);
    expect(renewals()).toBe(1);
    await beatAfter(1);
    expect([renewals(), made.deadline]).toEqual([2, 2 * THIRD_MS + END_MS]);
  });

  test('S2: an answer that comes after that to a later question moves nothing; alone it still counts', async () => {
    for (const isOvertaken of [true, false]) {
      const { server, made, beatAfter, renewals } = await lease({ askMs: 500 });
      const slow = held();
      server.next('renew', slow, ...(isOvertaken ? [] : [faults.swallowed]));
      await beatAfter(THIRD_MS);
      await beatAfter(500);
      expect(renewals()).toBe(2);
      slow.answer();
      await microtasksDone();
      expect(made.deadline).toBe(END_MS + THIRD_MS + (isOvertaken ? 500 : 0));
    }
  });

  test('S10: an answer is waited for no longer than a third of a lease', async () => {
    const { server, beatAfter, renewals } = await lease({ askMs: 60_000 });
    server.next('renew', faults.swallowed);
    await beatAfter(THIRD_MS);
    await beatAfter(THIRD_MS - 1);
    expect(renewals()).toBe(1);
    await beatAfter(1);
    expect(renewals()).toBe(2);
  });
});

describe('doubt', () => {
  test('S10 S14: is told once, at its end and not before; a renewal ends it, and the next doubt is told again', async () => {
    const { server, made, types, beatAfter } = await lease();
    const never = Array.from({ length: 4 }, () => faults.cut);
    server.next('renew', ...never);
    await beatAfter(END_MS - 1);
    expect(types()).toEqual([]);
    await beatAfter(1);
    await beatAfter(REVIVED_MS - 1);
    expect(types()).toEqual(['inDoubt']);
    await beatAfter(0);
    await beatAfter(0);
    const revivedAt = END_MS + REVIVED_MS - 1;
    expect([types(), made.deadline]).toEqual([['inDoubt'], revivedAt + END_MS]);
    server.next('renew', faults.cut, faults.cut);
    await beatAfter(END_MS);
    await beatAfter(REVIVED_MS - 1);
    expect(types()).toEqual(['inDoubt', 'inDoubt']);
  });

  test.each([['no answer', faults.swallowed, /no answer/], ['an error', faults.cut, /cut/]] as const)(
    'S12 S14: that lasts is a loss, which says why: %s', async (_what, fault, why) => {
      const { clock, server, made, heard, types, ended, beatAfter } = await lease();
      server.next('renew', fault, fault, fault, fault);
      await beatAfter(END_MS);
      await beatAfter(REVIVED_MS - 1);
      expect(types()).toEqual(['inDoubt']);
      await beatAfter(1);
      expect(heard[1]).toMatchObject({ type: 'lost', reason: expect.stringMatching(why) });
      expect([made.deadline, ended, await made.release()]).toEqual([-Infinity, [made], 'notHeld']);
      await clock.advance(2_000);
      await beatAfter(0);
      expect(types()).toEqual(['inDoubt', 'lost']);
      expectQuiet({ clock, server });
    });

  test('S10 S14: a failure that was followed by a renewal is not the reason of a later loss', async () => {
    const { server, heard, beatAfter } = await lease();
    server.next('renew', faults.cut);
    await beatAfter(THIRD_MS);
    await beatAfter(0);
    await beatAfter(0);
    server.next('renew', faults.swallowed, faults.swallowed, faults.swallowed);
    await beatAfter(END_MS);
    await beatAfter(REVIVED_MS);
    expect(heard.at(-1)).toMatchObject({ type: 'lost', reason: expect.stringMatching(/no answer/) });
  });

  test('S10: a machine that slept is in doubt when it wakes, and asks before it gives up', async () => {
    const { clock, made, types, beatAfter } = await lease();
    clock.standStill('asleep');
    await clock.advance(60_000);
    clock.goOn();
    await beatAfter(0);
    expect([types(), made.deadline]).toEqual([['inDoubt'], clock.now() + END_MS]);
    await beatAfter(0);
    expect(types()).toEqual(['inDoubt']);
  });
});

describe('a loss', () => {
  test('S12 S7: is told when a renewal finds the grant gone; then it asks for nothing and has no end ahead', async () => {
    const { engine, clock, server, made, types, ended, beatAfter } = await lease();
    await engine.force('key', 1);
    await beatAfter(THIRD_MS);
    expect([types(), made.deadline, ended]).toEqual([['lost'], -Infinity, [made]]);
    const asked = server.asked.length;
    await beatAfter(THIRD_MS);
    expect([await made.release(), await made.raise(5), made.hear({ type: 'superseded', by: 'next' })]).toEqual(['notHeld', false, false]);
    made.takenByForce('again');
    made.givenUp();
    expect([types(), ended.length, server.asked.length]).toEqual([['lost'], 1, asked]);
    expectQuiet({ clock, server });
  });

  test('S12: by force is told with its reason, but not to who is giving it back', async () => {
    const { made, heard } = await lease();
    made.takenByForce('unlocked');
    expect(heard).toEqual([{ type: 'lost', reason: 'key: unlocked' }]);
    const other = await lease();
    const released = other.made.release();
    other.made.takenByForce('unlocked');
    expect([await released, other.heard]).toEqual(['released', []]);
  });
});
