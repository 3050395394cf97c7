/**
 * Waiting for a lock in an engine: when it looks again, what wakes it, what a failure is taken for, and that it leaves.
 * On a clock that only the test moves.
 */
import { describe, expect, test } from 'vitest';
import { Line } from '../../../src/locks/engine/line-of-request.js';
import { ALIVE_MS, POLL_MS } from '../../../src/locks/engine/lock-engine.js';
import { faults, held } from './faults.js';
import { asking, byNow, expectQuiet, granted, microtasksDone, scene } from './scene.js';

/** Held elsewhere, by somebody whose heart does not beat: it gives back, or its lease ends. */
async function behindAHolder({ leaseMs = 60_000, firstLookMs = Infinity, waitMs = 10_000 } = {}) {
  const one = scene({ leaseMs });
  one.engine.firstLookMs = firstLookMs;
  const { session, owner, info } = asking('holder');
  await one.engine.acquire({ session, owner, info, leaseMs, wait: false });
  const leaves = new AbortController();
  const answer = one.here.acquire(asking('waiter', { waitMs, signal: leaves.signal }));
  await microtasksDone();
  const looks = () => one.server.count('acquire') - 2;
  const giveBack = () => one.engine.release({ session, owner, token: 1 });
  return { ...one, answer, leaves, looks, giveBack };
}

describe('it looks again', () => {
  test('L3: every half second, and the first time as soon as its engine wants it', async () => {
    for (const [firstLookMs, at] of [[Infinity, [POLL_MS, 2 * POLL_MS, 3 * POLL_MS]], [40, [40, 540, 1_040]], [900, [500, 1_000]]] as const) {
      const { clock, looks } = await behindAHolder({ firstLookMs });
      for (const [index, when] of at.entries()) {
        await clock.advance(when - clock.now() - 1);
        expect(looks(), `before ${when}`).toBe(index);
        await clock.advance(1);
        expect(looks(), `at ${when}`).toBe(index + 1);
      }
    }
  });

  test('L3: a millisecond after the holder\'s lease has ended, and has it', async () => {
    const { clock, answer } = await behindAHolder({ leaseMs: 1_200 });
    await clock.advance(1_200);
    expect(await byNow(answer)).toBe('pending');
    await clock.advance(1);
    expect(await byNow(answer)).toMatchObject({ status: 'granted', lease: { token: 2 } });
  });

  test('L1: when its patience ends, for the last time; then it says who holds it, and is out of the line', async () => {
    const { clock, server, answer, looks, waiting } = await behindAHolder({ waitMs: 700 });
    await clock.advance(699);
    expect([await byNow(answer), looks(), waiting()]).toEqual(['pending', 1, ['waiter']]);
    await clock.advance(1);
    expect([await byNow(answer), looks(), waiting()]).toMatchObject([{ status: 'busy', holder: { owner: 'holder' } }, 2, []]);
    expect(server.count('leave')).toBe(1);
    expectQuiet({ clock, server });
  });

  test('L4: as one that was there before: it keeps its place in line', async () => {
    const { clock, here, waiting, answer, giveBack } = await behindAHolder();
    const second = here.acquire(asking('second', { waitMs: 10_000 }));
    await clock.advance(5 * POLL_MS);
    expect(waiting()).toEqual(['waiter', 'second']);
    await giveBack();
    expect([await byNow(answer), await byNow(second)]).toMatchObject([{ status: 'granted', lease: { token: 2 } }, 'pending']);
  });
});

describe('it is woken', () => {
  test('L4 S10: granted it by who gave it back, it has it without asking, and counts from its last look', async () => {
    const { clock, server, answer, looks, giveBack } = await behindAHolder();
    await clock.advance(300);
    await giveBack();
    const found = await byNow(answer);
    expect([looks(), found]).toMatchObject([0, { status: 'granted', lease: { token: 2, deadline: ALIVE_MS * 0.99 } }]);
    await clock.advance(50);
    expect(server.count('renew')).toBe(1);
  });

  test('S6 S11: granted it in the tick in which it leaves, it gives it back', async () => {
    const { answer, leaves, giveBack, holder, looks } = await behindAHolder();
    await giveBack();
    expect(holder()).toBe('waiter');
    leaves.abort();
    expect([await answer, holder(), looks()]).toMatchObject([{ status: 'busy' }, null, 0]);
  });

  test('S3: granted it without asking, it compares the records as ever', async () => {
    const one = scene({ leaseMs: 60_000 });
    const asked: string[] = [];
    const records = (who: string) => ({ tokenFloor: async () => {
      asked.push(who);
      return 41;
    } });
    const lease = await granted(one.elsewhere, 'holder', records('holder'));
    const answer = one.here.acquire(asking('waiter', { waitMs: 10_000, ...records('waiter') }));
    await microtasksDone();
    expect(asked).toEqual(['holder']);
    await lease.release();
    expect([await byNow(answer), one.server.count('acquire')]).toMatchObject([{ status: 'granted', lease: { token: 43 } }, 2]);
    expect(asked).toEqual(['holder', 'waiter']);
  });

  test('rung for without a grant it looks at once; a ring while it looks is not forgotten', async () => {
    const { server, looks, answer } = await behindAHolder();
    server.ring('waiter');
    await microtasksDone();
    expect(looks()).toBe(1);
    const slow = held();
    server.next('acquire', slow);
    server.ring('waiter');
    await microtasksDone();
    server.ring('waiter');
    await microtasksDone();
    expect(looks()).toBe(2);
    slow.answer();
    await microtasksDone();
    expect([looks(), await byNow(answer)]).toEqual([3, 'pending']);
    await microtasksDone();
    expect(looks()).toBe(3);
  });

  test('S11 M02: left, it answers at once with who held it when it last looked, and is out of the line', async () => {
    const { clock, server, answer, leaves, waiting, looks } = await behindAHolder();
    leaves.abort();
    expect([await answer, waiting(), looks()]).toMatchObject([{ status: 'busy', holder: { owner: 'holder' } }, [], 0]);
    expectQuiet({ clock, server });
  });
});

describe('it is not answered', () => {
  test('L4 M21: in line it waits on, looks again soon, and keeps its place', async () => {
    const { clock, server, looks, answer, giveBack } = await behindAHolder();
    server.next('acquire', faults.cut, faults.cut);
    await clock.advance(POLL_MS);
    expect([looks(), await byNow(answer)]).toEqual([1, 'pending']);
    await clock.advance(100);
    expect(looks()).toBe(2);
    await clock.advance(99);
    expect(looks()).toBe(2);
    await clock.advance(1);
    expect(looks()).toBe(3);
    await clock.advance(POLL_MS - 1);
    expect(looks()).toBe(3);
    await giveBack();
    expect(await byNow(answer)).toMatchObject({ status: 'granted' });
  });

  test('S14: at the end of its patience that is no definite no; answered again before, it is', async () => {
    const unknown = { status: 'unknown', error: { code: 'LOCK_STORE_FAILED' } };
    for (const [cuts, found] of [[9, unknown], [3, { status: 'busy', holder: { owner: 'holder' } }]] as const) {
      const { clock, server, answer } = await behindAHolder({ waitMs: 1_000 });
      server.next('acquire', ...Array.from({ length: cuts }, () => faults.cut));
      await clock.advance(1_000);
      expect(await byNow(answer)).toMatchObject(found);
    }
  });

  test('S14: left while it is not, it does not know; but what was answered before still counts for what was asked before', async () => {
    const { clock, server, answer, leaves, here } = await behindAHolder();
    server.next('acquire', faults.lost);
    await clock.advance(POLL_MS);
    leaves.abort();
    expect(await answer).toMatchObject({ status: 'unknown' });
    server.next('bury', faults.cut);
    expect(await here.releaseOwner('key', 'waiter')).toBe('unknown');
  });

  test('S14 R1: an error that is no lost connection ends it at once, and is a definite no to its owner', async () => {
    const { clock, server, answer, here, waiting } = await behindAHolder();
    server.next('acquire', faults.cut, faults.refused);
    await clock.advance(POLL_MS + 100);
    expect([await byNow(answer), waiting()]).toMatchObject([{ status: 'unknown', error: { cause: { message: 'no such table' } } }, []]);
    server.next('bury', faults.cut, faults.cut);
    expect(await here.releaseOwner('key', 'waiter')).toBe('unknown'); // the one before may have arrived
    const other = await behindAHolder();
    other.server.next('acquire', faults.cut, async (perform) => perform(), faults.refused);
    await other.clock.advance(POLL_MS + 100 + POLL_MS);
    expect(await byNow(other.answer)).toMatchObject({ status: 'unknown' });
    other.server.next('bury', faults.cut);
    expect(await other.here.releaseOwner('key', 'waiter')).toBe('notHeld'); // answered in between: an owner is granted once
  });

  test('S6: a grant that was lost on the way is given back when it is answered after all, each of those that were asked', async () => {
    const { clock, server, answer, giveBack, holder } = await behindAHolder({ waitMs: 300 });
    const late = held();
    server.next('acquire', late);
    await clock.advance(299);
    server.bells.delete('waiter'); // told nothing
    await giveBack();
    await clock.advance(1);
    expect(holder()).toBe('waiter');
    await clock.advance(5_000);
    expect(await byNow(answer)).toMatchObject({ status: 'unknown' });
    server.at('key').owner = 'waiter'; // as an engine has it that did not hear that we leave
    late.answer();
    await microtasksDone();
    expect([holder(), server.count('release')]).toEqual([null, 2]);
  });
});

describe('it leaves', () => {
  test('L1: what is not heard of that is told by its silence: it is waited for half a second', async () => {
    const { clock, server, answer, leaves } = await behindAHolder();
    server.next('leave', faults.swallowed);
    leaves.abort();
    await clock.advance(499);
    expect(await byNow(answer)).toBe('pending');
    await clock.advance(1);
    expect(await byNow(answer)).toMatchObject({ status: 'busy' });
    const cut = await behindAHolder();
    cut.server.next('leave', faults.cut);
    cut.leaves.abort();
    expect(await cut.answer).toMatchObject({ status: 'busy' });
    expectQuiet(cut);
  });

  test('L5: granted it, or never in line, it has nothing to leave', async () => {
    const { server, answer, giveBack, here } = await behindAHolder();
    await giveBack();
    await answer;
    expect(await here.acquire(asking('one try'))).toMatchObject({ status: 'busy', holder: { owner: 'waiter' } });
    expect([server.count('leave'), [...server.bells.keys()]]).toEqual([0, []]);
  });
});

test('a line of one try has no patience, and joins no line; one that waits has it until its end', async () => {
  const { clock, engine, server } = scene();
  const line = new Line(asking('one', { waitMs: 0 }), engine, clock);
  expect(line.isPatient()).toBe(false);
  line.answered({ status: 'busy', holder: null, endsInMs: 5, token: 1 }, line.asking());
  expect([line.isInLine, server.bells.size]).toEqual([false, 0]);
  const other = new Line(asking('other', { waitMs: 10 }), engine, clock);
  expect(other.isPatient()).toBe(true);
  await clock.advance(10);
  expect(other.isPatient()).toBe(false);
});
