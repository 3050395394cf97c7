/**
 * A lock store over an engine: what a failed question means, and what is given back. On a clock that only the test moves.
 */
import { describe, expect, test } from 'vitest';
import { AttemptError } from '../../../src/errors.js';
import { faults, held } from './faults.js';
import { asking, byNow, expectQuiet, granted, listen, microtasksDone, scene } from './scene.js';

const [LEASE_MS, ANSWER_MS] = [6_000, 5_000];
const NOBODY = { status: 'busy', holder: null } as const;

describe('a first question', () => {
  test('S11: is not asked for who is not wanted, or buried', async () => {
    const { here, server } = scene();
    expect(await here.acquire(asking('left', { signal: AbortSignal.abort() }))).toEqual(NOBODY);
    await here.releaseOwner('key', 'buried');
    expect([await here.acquire(asking('buried')), server.count('acquire')]).toEqual([NOBODY, 0]);
  });

  test('S14: whose answer is lost is asked once more, and is one grant', async () => {
    const { here, server, clock } = scene();
    server.next('acquire', faults.lost);
    const lease = await granted(here, 'owner');
    expect([lease.token, server.count('acquire'), await lease.release()]).toEqual([1, 2, 'released']);
    expectQuiet({ clock, server });
  });

  test('S14 S6: that is not answered twice is told as unknown, with its cause; asked by owner it is given back', async () => {
    const { here, server, holder } = scene();
    server.next('acquire', faults.cut, faults.lost);
    const answer = await here.acquire(asking('owner'));
    expect(answer).toMatchObject({ status: 'unknown', error: { code: 'LOCK_STORE_FAILED', cause: { message: 'cut' } } });
    expect([server.count('acquire'), holder()]).toEqual([2, 'owner']);
    expect([await here.releaseOwner('key', 'owner'), holder()]).toEqual(['released', null]);
  });

  test('S14: is not asked again where nobody wants it any more', async () => {
    const { here, server } = scene();
    const leaves = new AbortController();
    server.next('acquire', () => {
      leaves.abort();
      return faults.cut();
    });
    expect(await here.acquire(asking('left', { signal: leaves.signal }))).toMatchObject({ status: 'unknown' });
    expect(server.count('acquire')).toBe(1);
  });

  test('S6 S11: that is answered after its time, twice, is given back when it is', async () => {
    const { here, server, clock, holder } = scene();
    const late = held();
    server.next('acquire', late, faults.swallowed);
    const answer = here.acquire(asking('owner'));
    await clock.advance(2 * ANSWER_MS - 1);
    expect([await byNow(answer), server.count('acquire')]).toEqual(['pending', 2]);
    await clock.advance(1);
    expect([await byNow(answer), holder()]).toMatchObject([{ status: 'unknown', error: { cause: { name: 'NoAnswer' } } }, 'owner']);
    late.answer();
    await microtasksDone();
    expect([holder(), server.count('release')]).toEqual([null, 1]);
    expectQuiet({ clock, server });
  });

  test('S6: late answers that grant nothing, fail, or cannot be given back, disturb nobody', async () => {
    const late = async (what: 'busy' | 'fails' | 'stays') => {
      const { here, elsewhere, server, clock, holder } = scene({ leaseMs: 60_000 });
      if (what === 'busy') await granted(elsewhere, 'holder');
      const slow = held();
      server.next('acquire', what === 'fails' ? (perform) => slow(perform).then(faults.refused) : slow, faults.swallowed);
      server.next('release', faults.cut);
      const answer = here.acquire(asking('owner'));
      await clock.advance(2 * ANSWER_MS);
      slow.answer();
      expect(await byNow(answer)).toMatchObject({ status: 'unknown' });
      await microtasksDone();
      return [holder(), server.count('release')];
    };
    expect([await late('busy'), await late('fails'), await late('stays')]).toEqual([['holder', 0], ['owner', 0], ['owner', 1]]);
  });

  test('S14 R1: that is refused grants nothing: asked by owner, and not answered, it is not held; one cut off is not known', async () => {
    for (const [fault, times, answer] of [[faults.refused, 1, 'notHeld'], [faults.cut, 2, 'unknown']] as const) {
      const { here, server } = scene();
      server.next('acquire', fault, fault);
      server.next('bury', faults.cut);
      expect(await here.acquire(asking('owner'))).toMatchObject({ status: 'unknown', error: { code: 'LOCK_STORE_FAILED' } });
      expect([server.count('acquire'), await here.releaseOwner('key', 'owner')]).toEqual([times, answer]);
      expect(await here.releaseOwner('key', 'another')).toBe('notHeld');
    }
  });

  test('S14: that was refused is remembered for a lease and an answer\'s time', async () => {
    const { here, server, clock } = scene();
    server.next('acquire', faults.refused);
    server.next('bury', faults.cut, faults.cut);
    await here.acquire(asking('owner'));
    await clock.advance(LEASE_MS + ANSWER_MS - 1);
    expect(await here.releaseOwner('key', 'owner')).toBe('notHeld');
    await clock.advance(1);
    expect(await here.releaseOwner('key', 'owner')).toBe('unknown');
  });

  test('S14: of which the first was cut off and the second refused is not known to grant nothing', async () => {
    const { here, server } = scene();
    server.next('acquire', faults.lost, faults.refused);
    server.next('bury', faults.cut);
    await here.acquire(asking('owner'));
    expect(await here.releaseOwner('key', 'owner')).toBe('unknown');
  });

  test('a mistake of the caller\'s is told as it is', async () => {
    const { here, server } = scene();
    const error = new AttemptError('CONFIG_INVALID', 'no such schema');
    server.next('acquire', () => Promise.reject(error));
    expect(await here.acquire(asking('owner'))).toEqual({ status: 'unknown', error });
  });

  test('L4: goes after the one before it for the same session, whatever becomes of that, and not after those of others', async () => {
    for (const fault of [held(), null]) {
      const { here, server, waiting } = scene();
      await granted(here, 'holder');
      const slow = held();
      server.next('acquire', fault ?? (async () => {
        await slow(() => {});
        throw new Error('no such table');
      }));
      const all = ['first', 'second', 'third'].map((owner) => here.acquire(asking(owner, { waitMs: 10 })));
      const other = await here.acquire(asking('other', { session: 'other' }));
      await microtasksDone();
      expect([server.count('acquire'), other.status]).toEqual([3, 'granted']);
      (fault ?? slow).answer();
      await microtasksDone();
      expect(waiting()).toEqual(fault ? ['first', 'second', 'third'] : ['second', 'third']);
      expect(all).toHaveLength(3);
    }
  });

  test('L4: of many that were asked at once each goes after the one before it; who is in line already looks when it has to', async () => {
    const { here, server, clock, waiting } = scene({ leaseMs: 60_000 });
    await granted(here, 'holder');
    const [first, second] = [held(), held()];
    const ask = (owner: string) => void here.acquire(asking(owner, { waitMs: 60_000 }));
    ask('in line');
    await microtasksDone();
    server.next('acquire', first, second);
    ask('first');
    ask('second');
    await microtasksDone();
    first.answer();
    await microtasksDone();
    ask('third');
    await microtasksDone();
    expect([server.count('acquire'), waiting()]).toEqual([4, ['in line', 'first', 'second']]);
    server.ring('in line');
    await microtasksDone();
    expect(server.count('acquire')).toBe(5);
    second.answer();
    await microtasksDone();
    expect(waiting()).toEqual(['in line', 'first', 'second', 'third']);
    expect(clock.now()).toBe(0);
  });
});

describe('a grant', () => {
  test('S6 S11: that nobody wants any more when it comes is given back', async () => {
    const { here, server, holder, clock } = scene();
    const leaves = new AbortController();
    const slow = held();
    server.next('acquire', slow);
    const answer = here.acquire(asking('left', { signal: leaves.signal }));
    await microtasksDone();
    leaves.abort();
    slow.answer();
    expect([await answer, holder(), server.count('release')]).toEqual([NOBODY, null, 1]);
    expectQuiet({ clock, server });
  });

  test('S6 S14: that nobody wants, and cannot be given back, is not known; it is not renewed', async () => {
    const { here, server, clock } = scene();
    const leaves = new AbortController();
    server.next('acquire', (perform) => {
      leaves.abort();
      return Promise.resolve(perform());
    });
    server.next('release', faults.cut);
    expect(await here.acquire(asking('left', { signal: leaves.signal }))).toMatchObject({ status: 'unknown', error: expect.any(Error) });
    await clock.advance(LEASE_MS);
    expect(server.count('renew')).toBe(0);
    expectQuiet({ clock, server });
  });

  test('L5: that nobody wants any more, and cannot be given back, does not listen any more', async () => {
    const { here, server, clock } = scene();
    const leaves = new AbortController();
    const answer = here.acquire(asking('left', { signal: leaves.signal, tokenFloor: () => new Promise(() => {}) }));
    await clock.advance(1_000); // its records take long, and it is asked things by now
    expect(server.bells.size).toBe(1);
    server.next('release', faults.cut);
    leaves.abort();
    expect(await answer).toMatchObject({ status: 'unknown' });
    expectQuiet({ clock, server });
  });

  test('M12: is renewed by the heart of its store until it is given back', async () => {
    const { here, server, clock } = scene();
    const lease = await granted(here, 'owner');
    await clock.advance(10 * LEASE_MS);
    expect(lease.deadline).toBeGreaterThan(clock.now());
    expect([await lease.release(), server.at('key').owner]).toEqual(['released', null]);
    expectQuiet({ clock, server });
  });

  test('S10: of a short lease a doubt is noticed within a sixth of it', async () => {
    const { here, server, clock } = scene({ leaseMs: 600 });
    const heard = listen(await granted(here, 'owner'));
    server.next('renew', ...Array.from({ length: 9 }, () => faults.cut));
    await clock.advance(600 + 100);
    expect(heard).toEqual([{ type: 'inDoubt' }]);
  });
});
