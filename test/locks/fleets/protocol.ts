/**
 * The steps of an engine themselves, the same for each: asking a holder to end, and granting to who comes next. Without a
 * store above it nothing renews, looks or leaves by itself, so every interleaving is the test's own.
 */
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import {
  ALIVE_MS, MOST_ASKS, type AskLaid, type EngineAsk, type EngineOffer, type LockEngine,
} from '../../../src/locks/engine/lock-engine.js';
import { become } from './bed.js';
import { asking } from './faults.js';

const LEASE_MS = 60_000;

const askOf = (as: AskLaid['as'], by = 'somebody'): AskLaid => ({
  id: randomUUID(), as, notice: as === 'superseded' ? { type: 'superseded', by } : { type: 'stopped', by, reason: 'enough' },
});

/** @param make an engine as a store has it: two of them are two processes */
export function stepsOf(make: () => LockEngine): void {
  const scene = () => {
    const [here, elsewhere, session] = [make(), make(), `key ${randomUUID()}`];
    const ask = (owner: string, wait = false, supersedable = true): EngineAsk => {
      const { info } = asking(session, owner);
      return { session, owner, leaseMs: LEASE_MS, wait, info: { ...info, supersedable } };
    };
    const granted = async (engine: LockEngine, one: EngineAsk): Promise<{ session: string; owner: string; token: number }> => {
      const answer = await engine.acquire(one);
      if (answer.status !== 'granted') throw new Error(`${one.owner} was not granted it`);
      return { session, owner: one.owner, token: answer.token };
    };
    /** In line, and listening. */
    const waits = async (engine: LockEngine, owner: string) => {
      const heard: (EngineOffer | 'look')[] = [];
      onTestFinished(engine.listen(session, owner, (offer) => void heard.push(offer ?? 'look')));
      expect(await engine.acquire(ask(owner, true))).toMatchObject({ status: 'busy' });
      return heard;
    };
    const holder = async (): Promise<string | null> => (await elsewhere.read(session)).holder?.owner ?? null;
    return { here, elsewhere, session, ask, granted, waits, holder };
  };

  /** Held, then given back while these wait: the first of them has it. Tried anew where the machine was too busy for that. */
  const passedOn = async (...owners: readonly (readonly [owner: string, where: 'here' | 'elsewhere'])[]) => {
    let found: ReturnType<typeof scene> & { token: number; heard: ReadonlyMap<string, (EngineOffer | 'look')[]> } | null = null;
    await become(`${owners[0]?.[0]} is granted it by who gives it back`, async () => {
      const one = scene();
      const first = await one.granted(one.here, one.ask('first'));
      const heard = new Map<string, (EngineOffer | 'look')[]>();
      await one.elsewhere.ask(one.session, first.token, askOf('user')); // is no news for the next
      for (const [owner, where] of owners) heard.set(owner, await one.waits(one[where], owner));
      expect(await one.here.release(first)).toBe('released');
      expect(await one.here.release(first)).toBe('already'); // its answer was lost: asked again, whoever has it now
      found = { ...one, token: first.token, heard };
      return await one.holder() === owners[0]?.[0];
    });
    return found!;
  };

  test('M19 S7: an ask is told to the grant it names with every renewal, in order, and never to another', async () => {
    const { here, elsewhere, session, ask, granted } = scene();
    const first = await granted(here, ask('first'));
    const { info } = ask('first');
    expect(await elsewhere.ask(session, first.token + 1, askOf('user'))).toBe('notHeld');
    expect(await elsewhere.ask(session, first.token, askOf('superseded', 'next'))).toBe('asked');
    expect(await elsewhere.ask(session, first.token, askOf('user'))).toBe('asked');
    const told = [{ type: 'superseded', by: 'next' }, { type: 'stopped', by: 'somebody', reason: 'enough' }];
    for (let twice = 0; twice < 2; twice += 1) expect(await here.renew(first, LEASE_MS, info)).toEqual(told);
    expect(await here.release(first)).toBe('released');
    expect(await elsewhere.ask(session, first.token, askOf('user'))).toBe('notHeld');
    const second = await granted(elsewhere, ask('second'));
    expect(await elsewhere.renew(second, LEASE_MS, info)).toEqual([]);
    expect(await here.renew(first, LEASE_MS, info)).toBe(null);
  });

  test('M19: refused by who is not supersedable, but not to its user; a lease that has ended hears nobody', async () => {
    const { here, elsewhere, session, ask, granted } = scene();
    const firm = await granted(here, ask('firm', false, false));
    expect(await elsewhere.ask(session, firm.token, askOf('superseded'))).toBe('refused');
    expect(await elsewhere.ask(session, firm.token, askOf('user'))).toBe('asked');
    expect(await here.renew(firm, 1, ask('firm').info)).toMatchObject([{ type: 'stopped' }]);
    await become('its lease to end', async () => await elsewhere.ask(session, firm.token, askOf('user')) === 'notHeld');
    const next = await granted(elsewhere, ask('next'));
    expect(await elsewhere.renew(next, LEASE_MS, ask('next').info)).toEqual([]);
  });

  test('M19 L5: what is withdrawn is not told; of many asks of one kind some are kept, and another kind still is', async () => {
    const { here, elsewhere, session, ask, granted } = scene();
    const holder = await granted(here, ask('holder'));
    const [one, other] = [askOf('superseded', 'one'), askOf('superseded', 'other')];
    for (const laid of [one, other]) await elsewhere.ask(session, holder.token, laid);
    await elsewhere.withdraw(session, holder.token, one);
    await elsewhere.withdraw(session, holder.token + 1, other);
    expect(await here.renew(holder, LEASE_MS, ask('holder').info)).toEqual([{ type: 'superseded', by: 'other' }]);
    await elsewhere.withdraw(session, holder.token, other);
    expect(await here.renew(holder, LEASE_MS, ask('holder').info)).toEqual([]);
    for (let n = 0; n < MOST_ASKS + 3; n += 1) expect(await elsewhere.ask(session, holder.token, askOf('superseded', `${n}`))).toBe('asked');
    await elsewhere.ask(session, holder.token, askOf('user'));
    const told = await here.renew(holder, LEASE_MS, ask('holder').info);
    expect(told).toHaveLength(MOST_ASKS + 1);
    expect(told?.at(-1)).toMatchObject({ type: 'stopped' });
  });

  test('M19: the holder is rung for', async () => {
    const { here, elsewhere, session, ask, granted } = scene();
    const heard: (EngineOffer | undefined)[] = [];
    const { token } = await granted(here, ask('holder'));
    onTestFinished(here.listen(session, 'holder', (offer) => void heard.push(offer)));
    await become('it is rung for', async () => {
      await elsewhere.ask(session, token, askOf('user')); // again: it may not listen yet
      return heard.length > 0;
    });
    expect(heard[0]).toBe(undefined);
  });

  test('L4 S1 S3: who gives it back grants it to who is first in line, for as long as a waiter counts as alive', async () => {
    const { here, elsewhere, ask, session, token, heard } = await passedOn(['second', 'elsewhere'], ['third', 'here']);
    const { now, holder: found } = await here.read(session);
    expect((found?.until ?? 0) - now).toBeLessThanOrEqual(ALIVE_MS);
    const offers = (owner: string) => heard.get(owner)?.filter((one) => one !== 'look');
    await become('the second is told', () => offers('second')?.length === 1);
    expect(offers('second')).toMatchObject([{ token: token + 1 }]);
    expect(offers('third')).toEqual([]);
    expect(await elsewhere.renew({ session, owner: 'second', token: token + 1 }, LEASE_MS, ask('second').info)).toEqual([]);
    // The same grant, however it asks: told nothing, it looks; told, it renews.
    expect(await elsewhere.acquire(ask('second', true))).toMatchObject({ status: 'granted', token: token + 1, isNew: false });
    expect((await here.read(session)).waiting.map(({ attemptId }) => attemptId)).not.toContain('second');
  });

  test('L3: a waiter that was granted it and has died keeps it no longer than it counts as alive', async () => {
    const { here, ask, holder } = await passedOn(['dead', 'elsewhere']);
    await become('the next is granted it', async () => (await here.acquire(ask('next', true))).status === 'granted');
    expect(await holder()).toBe('next');
  });

  test('S6 S11: who leaves, or is buried, on its way out gives back what it was granted meanwhile', async () => {
    const { here, elsewhere, session, ask, holder } = await passedOn(['leaving', 'elsewhere']);
    await elsewhere.leave(session, 'leaving');
    expect(await holder()).toBe(null);
    await here.acquire(ask('last', true));
    const other = await passedOn(['buried', 'elsewhere']);
    expect(await elsewhere.bury(other.session, 'buried', LEASE_MS)).toBe(true);
    expect(await other.holder()).toBe(null);
    expect(await elsewhere.acquire(other.ask('buried', true))).toMatchObject({ status: 'busy' });
    expect(await other.holder()).toBe(null);
  });

  test('S11: an owner that was buried while it waited is granted nothing by who gives it back', async () => {
    const { here, elsewhere, session, ask, granted, waits, holder } = scene();
    const first = await granted(here, ask('first'));
    await waits(elsewhere, 'buried');
    expect(await here.bury(session, 'buried', LEASE_MS)).toBe(false);
    await elsewhere.acquire(ask('buried', true)); // its look was under way
    await here.release(first);
    expect(await holder()).toBe(null);
  });

  test('S1 S3 S6: many in line, leaving and giving back at once: one holder at a time, each token once, nobody left behind', async () => {
    const { here, elsewhere, session, ask, granted, waits, holder } = scene();
    let held = await granted(here, ask('owner 0'));
    const tokens = [held.token];
    for (let round = 0; round < 12; round += 1) {
      const owners = [1, 2, 3].map((n) => `owner ${round}.${n}`);
      for (const owner of owners) await waits(owner.endsWith('2') ? here : elsewhere, owner);
      const leaving = owners[round % 3] as string;
      await Promise.all([here.release(held), elsewhere.leave(session, leaving)]);
      await become('somebody who stays holds it', async () => {
        const owner = await holder();
        // On a busy machine it may only have been told to look.
        if (owner === null) for (const one of owners) if (one !== leaving) await here.acquire(ask(one, true));
        return owner !== null && owner !== leaving;
      });
      const { holder: found } = await here.read(session);
      held = { session, owner: found?.owner ?? '', token: found?.token ?? 0 };
      tokens.push(held.token);
      for (const owner of owners) if (owner !== leaving && owner !== held.owner) await here.leave(session, owner);
    }
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    expect(await here.release(held)).toBe('released');
    expect(await here.read(session)).toMatchObject({ holder: null, waiting: [] });
  });
}
