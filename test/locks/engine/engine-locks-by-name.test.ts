/**
 * A lock store over an engine, asked about owners, tokens, holders and sessions by name: to give back, to take, to end, to tell.
 */
import { describe, expect, test } from 'vitest';
import type { Holder } from '../../../src/locks/lock-store.js';
import { faults } from './faults.js';
import { asking, byNow, expectQuiet, granted, listen, microtasksDone, scene } from './scene.js';

const [LEASE_MS, ANSWER_MS] = [6_000, 5_000];
const NOBODY = { status: 'busy', holder: null } as const;

describe('given back by owner', () => {
  test('S6 S11: its lease is over, without a word; others, and its other sessions, go on', async () => {
    const { here, clock, server, holder } = scene();
    const [other, lease] = [await granted(here, 'owner', { session: 'other' }), await granted(here, 'owner')];
    const heard = listen(lease);
    expect([await here.releaseOwner('key', 'stranger'), lease.deadline > clock.now()]).toEqual(['notHeld', true]);
    expect([await here.releaseOwner('key', 'owner'), holder(), lease.deadline, heard]).toEqual(['released', null, -Infinity, []]);
    expect([other.deadline > clock.now(), holder('other')]).toEqual([true, 'owner']);
    expect([await lease.release(), await other.release()]).toEqual(['notHeld', 'released']);
    expectQuiet({ clock, server });
  });

  test('S11: it waits no longer, and is granted nothing for a lease and an answer\'s time', async () => {
    const { here, clock, server, waiting } = scene();
    const lease = await granted(here, 'holder');
    const [gone, stays] = ['gone', 'stays'].map((owner) => here.acquire(asking(owner, { waitMs: 60_000 })));
    await microtasksDone();
    expect(waiting()).toEqual(['gone', 'stays']);
    const answer = await here.releaseOwner('key', 'gone');
    expect([answer, await byNow(gone!), await byNow(stays!)]).toMatchObject(['notHeld', { status: 'busy' }, 'pending']);
    expect(server.count('acquire'), 'nobody else is woken').toBe(3);
    await lease.release();
    await (await stays as { lease: typeof lease }).lease.release();
    await clock.advance(LEASE_MS + ANSWER_MS - 1);
    expect([await here.acquire(asking('gone')), server.count('acquire')], 'not even asked for').toEqual([NOBODY, 3]);
    await clock.advance(1);
    expect(await here.acquire(asking('gone'))).toMatchObject({ status: 'granted' });
    expect(server.count('bury')).toBe(1);
  });

  test('S11: in the engine it is buried for that long as well', async () => {
    const { here, elsewhere, clock } = scene();
    await here.releaseOwner('key', 'owner');
    await clock.advance(LEASE_MS + ANSWER_MS - 1);
    expect(await elsewhere.acquire(asking('owner'))).toEqual(NOBODY);
    await clock.advance(1);
    expect(await elsewhere.acquire(asking('owner'))).toMatchObject({ status: 'granted' });
  });

  test('L1 S14: without an answer in its time nobody knows', async () => {
    const { here, server, clock } = scene();
    server.next('bury', faults.swallowed);
    const answer = here.releaseOwner('key', 'owner');
    await clock.advance(ANSWER_MS);
    expect(await byNow(answer)).toBe('unknown');
  });
});

describe('by force', () => {
  test('S7 M19: only the holder\'s own token will do, and its holder here is told', async () => {
    const { here, elsewhere, server, holder } = scene();
    const [other, lease] = [await granted(here, 'other', { session: 'other' }), await granted(here, 'owner')];
    const [heard, unheard] = [listen(lease), listen(other)];
    for (const token of [0, -1, 1.5, Number.NaN]) expect(await here.forceRelease('key', { token })).toBe('notHeld');
    expect([server.count('force'), await here.forceRelease('key', { token: 2 }), holder()]).toEqual([0, 'notHeld', 'owner']);
    expect([await here.forceRelease('key', { token: 1 }), holder(), heard, unheard]).toMatchObject(['released', null, [{ type: 'lost' }], []]);
    expect(await elsewhere.forceRelease('other', { token: 1 })).toBe('released');
    expect(unheard).toEqual([]); // it learns of it when it is renewed
  });

  test('S12: who held it before, and does not know yet, is told by its own renewal', async () => {
    const { here, elsewhere, engine, clock } = scene();
    const heard = listen(await granted(here, 'before'));
    await engine.force('key', 1);
    const next = await granted(elsewhere, 'next');
    expect([await here.forceRelease('key', { token: next.token }), heard]).toEqual(['released', []]);
    await clock.advance(LEASE_MS);
    expect(heard).toMatchObject([{ type: 'lost', reason: expect.stringContaining('another owner') }]);
  });

  test('S14: without an answer nobody knows, and nobody is told', async () => {
    const { here, server } = scene();
    const heard = listen(await granted(here, 'owner'));
    server.next('force', faults.cut, async () => false as never);
    expect([await here.forceRelease('key', { token: 1 }), await here.forceRelease('key', { token: 1 }), heard]).toEqual(['unknown', 'notHeld', []]);
  });
});

describe('asked to end', () => {
  const ask = { as: 'superseded', by: 'next', signal: new AbortController().signal } as const;

  test('M19: a holder of this store hears it at once, unless it refuses or is giving it back; the engine is not asked', async () => {
    const { here, server } = scene();
    const [lease, firm] = [await granted(here, 'owner'), await granted(here, 'firm', { session: 'firm', info: { supersedable: false } })];
    const [heard, unheard] = [listen(lease), listen(firm)];
    expect([await here.askHolder('key', { token: 1 }, ask), await here.askHolder('firm', { token: 1 }, ask)]).toEqual(['asked', 'refused']);
    expect([heard, unheard]).toEqual([[{ type: 'superseded', by: 'next' }], []]);
    void lease.release();
    expect([await here.askHolder('key', { token: 1 }, ask), server.count('ask')]).toEqual(['notHeld', 0]);
  });

  test('M19: another store\'s is asked through the engine; without a token nobody can be', async () => {
    const { here, elsewhere, server } = scene();
    await granted(elsewhere, 'owner');
    const tokens = [null, 0, -1, 2, 1].map((token) => here.askHolder('key', { token } as Pick<Holder, 'token'>, ask));
    expect(await Promise.all(tokens)).toEqual(['unknown', 'unknown', 'unknown', 'notHeld', 'asked']);
    expect(server.at('key').asks).toMatchObject([{ as: 'superseded', notice: { type: 'superseded', by: 'next' } }]);
  });
});

describe('what is told', () => {
  test('a holder of this store as it is now; of others, whether this instance of the package holds it', async () => {
    const { here, elsewhere, server, clock } = scene();
    const info = { state: 'running.working', note: null as string | null };
    const request = { ...asking('owner'), info: { ...asking('owner').info, get state() { return info.state; }, get note() { return info.note; } } };
    await here.acquire(request);
    await granted(here, 'owner', { session: 'other', tokenFloor: async () => 6 });
    Object.assign(info, { state: 'aborting.user', note: 'last words' });
    expect((await here.query('other'))[0]?.holder).toMatchObject({ token: 7, state: 'running.working' });
    const [own] = await here.query('key');
    expect(own).toMatchObject({ holder: { owner: 'owner', token: 1, state: 'aborting.user', note: 'last words', sameProcess: true } });
    expect(own?.holder).not.toHaveProperty('instance');
    expect(own?.holder).not.toHaveProperty('mark');
    const [seen] = await elsewhere.query('key');
    expect(seen?.holder).toMatchObject({ state: 'running.working', sameProcess: true, until: clock.wallNow() + LEASE_MS });
    expect(seen?.holder).not.toHaveProperty('instance');
    const kept = server.at('key');
    kept.info = kept.info.replace(/"instance":"[^"]*"/, '"instance":"another"');
    expect((await elsewhere.query('key'))[0]?.holder).toMatchObject({ sameProcess: false });
    expect((await here.query('key'))[0]?.holder).toMatchObject({ sameProcess: true });
  });

  test('M13: of a session that we held the one who holds it now', async () => {
    const { here, elsewhere, engine } = scene();
    await granted(here, 'before');
    await engine.force('key', 1);
    await granted(elsewhere, 'next', { info: { state: 'locked' } });
    expect((await here.query('key'))[0]?.holder).toMatchObject({ owner: 'next', token: 2, state: 'locked' });
  });

  test('who waits, in order; without a session all that this store holds or awaits, each once', async () => {
    const { here, elsewhere, server, clock } = scene();
    await granted(here, 'owner');
    await granted(elsewhere, 'not here', { session: 'other' });
    await granted(here, 'alone', { session: 'third' });
    const waits = [here.acquire(asking('a', { waitMs: 9_000 })), here.acquire(asking('b', { session: 'other', waitMs: 9_000 }))];
    await microtasksDone();
    server.at('key').line[0] = { ...server.at('key').line[0]!, info: server.at('key').line[0]!.info.replace(/"instance":"[^"]*"/, '"instance":"x"') };
    const told = await here.query();
    expect(told).toMatchObject([
      { session: 'key', holder: { owner: 'owner' }, waiting: [{ attemptId: 'a', since: clock.wallNow(), sameProcess: false }] },
      { session: 'third', holder: { owner: 'alone' }, waiting: [] },
      { session: 'other', holder: { owner: 'not here' }, waiting: [{ attemptId: 'b', sameProcess: true }] },
    ]);
    expect(told[0]?.waiting[0]).not.toHaveProperty('instance');
    expect(await here.query('free')).toEqual([{ session: 'free', holder: null, waiting: [] }]);
    expect(waits).toHaveLength(2);
  });

  test('what the engine itself says, and which sessions are held; each is waited for a while only', async () => {
    const { here, server, clock } = scene();
    for (const session of ['b', 'a', 'c']) await granted(here, 'owner', { session });
    expect([await here.look('a'), await here.held(2)]).toMatchObject([{ token: 1, now: clock.wallNow(), holder: { owner: 'owner' } }, ['a', 'b']]);
    server.next('read', faults.swallowed);
    server.next('sessions', faults.swallowed);
    const ended: unknown[] = [];
    for (const asked of [here.look('a'), here.held(2)]) asked.catch((error: Error) => ended.push(`${error.name} ${clock.now()}`));
    await clock.advance(ANSWER_MS * 6 - 1);
    expect(ended).toEqual(['NoAnswer 5000']);
    await clock.advance(1);
    expect(ended).toEqual(['NoAnswer 5000', 'NoAnswer 30000']);
  });

  test('what it can do', () => {
    expect(scene().here.capabilities).toEqual({ leaseMs: 6_000, tokenScope: 'durable', fencedWrites: true });
  });
});
