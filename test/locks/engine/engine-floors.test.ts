/**
 * A lock store over an engine, and what the session's records carry: when they are compared, and what a grant is without that.
 */
import { describe, expect, test, vi } from 'vitest';
import { asking, expectQuiet, granted, microtasksDone, scene } from './scene.js';

const NOBODY = { status: 'busy', holder: null } as const;

describe('the session\'s records', () => {
  const withFloor = (floor: number) => ({ tokenFloor: vi.fn(async () => floor) });

  test('S3: are asked for once, and again when the engine has another history, or has never heard of it', async () => {
    const { here, server } = scene();
    const records = withFloor(41);
    const use = async () => {
      const lease = await granted(here, `owner ${Math.random()}`, records);
      await lease.release();
      return [lease.token, records.tokenFloor.mock.calls.length];
    };
    expect([await use(), await use()]).toEqual([[42, 1], [43, 1]]);
    server.epoch = 'another';
    expect([await use(), await use()]).toEqual([[44, 2], [45, 2]]);
    server.forget('key');
    expect(await use()).toEqual([46, 3]);
  });

  test('S3: that carry no higher token raise nothing; without any, the tokens we have seen still count', async () => {
    const { here, server } = scene();
    expect([(await granted(here, 'a', withFloor(0))).token, server.count('raise')]).toEqual([1, 0]);
    expect([(await granted(here, 'b', { session: 'other', ...withFloor(1) })).token, server.count('raise')]).toEqual([2, 1]);
    server.forget('key');
    expect([(await granted(here, 'c')).token, server.count('raise')]).toEqual([2, 2]);
  });

  test('S3 S17: a token that has gone back is told, also of an engine that has forgotten all; a new session\'s is not', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const codes = () => warned.mock.calls.splice(0).map(([, options]) => (options as unknown as { code: string }).code);
    try {
      const { here, server, elsewhere } = scene();
      const use = async (locks = here, floor = 0) => (await granted(locks, `${Math.random()}`, withFloor(floor))).release();
      await use(here, 41);
      expect([await use(), codes()]).toEqual(['released', []]);
      server.forget('key');
      expect([await use(), codes()]).toEqual(['released', ['ATTEMPT_TOKEN_WENT_BACK']]);
      server.forget('key', 7);
      expect([await use(elsewhere, 50), codes()]).toEqual(['released', ['ATTEMPT_TOKEN_WENT_BACK']]);
    } finally {
      warned.mockRestore();
    }
  });

  test('S1 S14: with no token left above them there is no grant, and nothing is held', async () => {
    const { here, server, holder } = scene();
    const answer = await here.acquire(asking('owner', withFloor(Number.MAX_SAFE_INTEGER)));
    expect(answer).toMatchObject({ status: 'unknown', error: { message: expect.stringContaining('none is left') } });
    expect([holder(), server.count('raise')]).toEqual([null, 0]);
    const last = await granted(here, 'other', { session: 'other', ...withFloor(Number.MAX_SAFE_INTEGER - 1) });
    expect(last.token).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('S14: that cannot be read are told as what they are; thrown is whatever was thrown', async () => {
    const { here, holder } = scene();
    const error = new Error('no disk');
    expect(await here.acquire(asking('a', { tokenFloor: () => Promise.reject(error) }))).toEqual({ status: 'unknown', error });
    const answer = await here.acquire(asking('b', { tokenFloor: () => Promise.reject('a text') }));
    expect([answer, holder()]).toMatchObject([{ status: 'unknown', error: { message: expect.stringContaining('a text') } }, null]);
  });

  test('S6 S11 L8: are waited for no longer than somebody wants the lock', async () => {
    const { here, server, holder, clock } = scene();
    const leaves = new AbortController();
    const answer = here.acquire(asking('left', { signal: leaves.signal, tokenFloor: () => new Promise(() => {}) }));
    await microtasksDone();
    expect(holder()).toBe('left');
    leaves.abort();
    expect([await answer, holder()]).toEqual([NOBODY, null]);
    expectQuiet({ clock, server });
    const next = await granted(here, 'next', withFloor(41)); // nothing was learnt of them
    expect(next.token).toBe(42);
  });

  test('S6: a grant that is lost while they are read is none; left when it has just been raised, it is given back', async () => {
    const lost = scene();
    const taken = { tokenFloor: async () => {
      await lost.engine.force('key', 1);
      return 41;
    } };
    expect([await lost.here.acquire(asking('owner', taken)), lost.holder()]).toEqual([NOBODY, null]);
    const left = scene();
    const leaves = new AbortController();
    left.server.next('raise', async (perform) => {
      leaves.abort();
      return perform();
    });
    expect([await left.here.acquire(asking('owner', { signal: leaves.signal, ...withFloor(41) })), left.holder()]).toEqual([NOBODY, null]);
  });
});
