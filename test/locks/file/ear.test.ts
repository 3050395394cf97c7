/**
 * What lies in a holder's room as an ask: which names are asks, what is read of them, and what its ear makes of them.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { askOnDisk } from '../../../src/locks/file/ask-on-disk.js';
import { asksFor, clearAsks, layAsk, namesIn, parseAsk, readAsk, removeAsk } from '../../../src/locks/file/asks.js';
import { Ear } from '../../../src/locks/file/ear.js';
import type { Places } from '../../../src/locks/file/session-path.js';
import type { AskToEnd, LeaseNotice } from '../../../src/locks/lock-store.js';
import { processMark } from '../../../src/owner.js';
import { watchers } from '../../support/counting-clock.js';
import { temporaryDirectory } from '../../support/temporary.js';

const ID = '01234567-89ab-4cde-8f01-23456789abcd';
const askOf = (more: Partial<AskToEnd> = {}): AskToEnd => ({ as: 'user', by: 'us', signal: new AbortController().signal, ...more });
const userAsk = (token: number): string => `ask.${token}.user.${randomUUID()}`;

describe('an ask in the room', () => {
  test('S7: its name says which grant is meant, and as what; any other name is no ask', () => {
    expect(parseAsk(`ask.7.user.${ID}`)).toEqual({ token: 7, as: 'user' });
    expect(parseAsk(`ask.1234567890123456.superseded.${ID}`)).toEqual({ token: 1_234_567_890_123_456, as: 'superseded' });
    const others = [
      `ask.0.user.${ID}`, `ask.07.user.${ID}`, `ask.12345678901234567.user.${ID}`, `ask.7.root.${ID}`, `ask.7.user.${ID}x`,
      `xask.7.user.${ID}`, `ask.7.user.${ID.toUpperCase()}`, `ask.7.user.${ID.slice(1)}`, `ask.x.user.${ID}`, 'ask.', '',
    ];
    expect(others.map(parseAsk)).toEqual(others.map(() => null));
    const meant = [userAsk(7), userAsk(7)];
    expect(asksFor(7, [...others, userAsk(70), ...meant, userAsk(6)])).toEqual(meant);
    expect(asksFor(7, Array.from({ length: 30 }, () => userAsk(7))), 'not more than count').toHaveLength(16);
  });

  test('S9: it is laid complete, says who asks and why, and is removed once', () => {
    const room = temporaryDirectory();
    const name = layAsk(room, { token: 7, as: 'user' }, ID, askOf({ reason: 'enough' }), 0o640);
    expect([name, readdirSync(room), statSync(join(room, name)).mode & 0o777]).toEqual([`ask.7.user.${ID}`, [name], 0o640]);
    const content = JSON.parse(readFileSync(join(room, name), 'utf8')) as Record<string, unknown>;
    expect(content).toMatchObject({ ...processMark(), by: 'us', reason: 'enough', at: expect.any(Number) as number });
    expect(readAsk(room, name)).toEqual({ type: 'stopped', by: 'us', reason: 'enough' });
    expect([removeAsk(room, name), removeAsk(room, name), readAsk(room, name)]).toEqual([true, false, null]);
  });

  test('M06: one that cannot be laid leaves nothing half-made, and the error is told', () => {
    const room = temporaryDirectory();
    mkdirSync(join(room, `ask.7.user.${ID}`));
    writeFileSync(join(room, `ask.7.user.${ID}`, 'in the way'), '');
    expect(() => layAsk(room, { token: 7, as: 'user' }, ID, askOf(), null)).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(room)).toEqual([`ask.7.user.${ID}`]);
  });

  test('L6: without words it is an ask all the same, of somebody who did not say', () => {
    const room = temporaryDirectory();
    const read = (content: string, as = 'user'): LeaseNotice | null => {
      const name = `ask.7.${as}.${randomUUID()}`;
      writeFileSync(join(room, name), content);
      return readAsk(room, name);
    };
    expect(read('')).toEqual({ type: 'stopped', by: 'somebody who did not say', reason: null });
    expect(read('{"by":7,"reason":8}')).toEqual({ type: 'stopped', by: 'somebody who did not say', reason: null });
    expect(read('{"by":"b"}', 'superseded')).toEqual({ type: 'superseded', by: 'b' });
    writeFileSync(join(room, 'note'), '{}');
    expect(readAsk(room, 'note')).toBeNull();
  });

  test('S7: with a second name it is not one of ours', () => {
    const room = temporaryDirectory();
    const name = userAsk(7);
    writeFileSync(join(room, 'secret'), '{"by":"x"}');
    linkSync(join(room, 'secret'), join(room, name));
    expect(readAsk(room, name)).toBeNull();
  });

  test('S17: with a grant the asks for those before it go, its own and later ones stay, and so does what is no ask', () => {
    const room = temporaryDirectory();
    const [before, own, later, other] = [userAsk(6), userAsk(7), userAsk(8), 'ask.6'];
    for (const name of [before, own, later, other]) writeFileSync(join(room, name), '');
    clearAsks(room, namesIn(room), 7);
    expect(readdirSync(room).sort()).toEqual([own, later, other].sort());
    expect(namesIn(join(room, 'nowhere'))).toEqual([]);
  });
});

describe('an ear', () => {
  function setUp(token = 7, answer?: (notice: LeaseNotice, ear: Ear) => void) {
    const room = temporaryDirectory();
    const heard: LeaseNotice[] = [];
    const line = { heard: 0 };
    const ear: Ear = new Ear(room, () => token, (notice) => {
      heard.push(notice);
      answer?.(notice, ear);
    }, () => { line.heard += 1; });
    const plant = (name: string, by = 'x'): void => writeFileSync(join(room, name), JSON.stringify({ by }));
    /** As if nothing had happened in the room for long. */
    const age = (): void => utimesSync(room, new Date(1_000), new Date(1_000));
    return { room, ear, heard, line, plant, age };
  }

  const planted = `ask.7.user.${ID.replace('0', 'f')}`;

  test('L6: hears what lies there when it begins to listen, each kind once, and takes it away', () => {
    const { room, ear, heard, plant } = setUp();
    expect(ear.isWatching).toBe(false);
    mkdirSync(join(room, planted));
    plant(`ask.7.user.${ID}`, 'one');
    plant(`ask.8.user.${ID}`, 'for another grant');
    ear.listen();
    expect([heard, readdirSync(room), ear.isWatching]).toEqual([
      [{ type: 'stopped', by: 'one', reason: null }], [planted, `ask.8.user.${ID}`], true,
    ]);
    expect(watchers(), 'a watch that keeps no process alive').toBe(0);
    plant(`ask.7.user.${ID}`, 'two');
    plant(`ask.7.superseded.${ID}`, 'three');
    ear.listen();
    expect(heard.slice(1)).toEqual([{ type: 'superseded', by: 'three' }]);
    expect(readdirSync(room)).toEqual([planted, `ask.8.user.${ID}`]);
    ear.close();
  });

  test('hears that somebody joins or leaves the line', async () => {
    const { room, ear, line } = setUp();
    ear.listen();
    writeFileSync(join(room, 'other'), '');
    writeFileSync(join(room, `wait.1.${ID}`), '');
    await vi.waitFor(() => expect(line.heard).toBeGreaterThan(0), { interval: 1 });
    ear.close();
  });

  test('L6: one that never listened looks at nothing when the lock is given back; one that did looks once more', () => {
    const never = setUp();
    never.plant(`ask.7.user.${ID}`);
    never.ear.lastLook();
    never.ear.listen();
    expect([never.heard, never.ear.isWatching]).toEqual([[], false]);

    const { room, ear, heard, plant, age } = setUp();
    ear.listen();
    plant(`ask.7.user.${ID}`);
    age(); // whatever the time of the room says
    ear.lastLook();
    expect([heard.length, ear.isWatching, readdirSync(room)]).toEqual([1, false, []]);
    plant(`ask.7.superseded.${ID}`);
    ear.listen();
    expect(heard.length, 'it is closed').toBe(1);
  });

  test('L6: looks again only if something may have happened in the room since', () => {
    const { ear, heard, plant, age } = setUp();
    age();
    ear.listen();
    plant(`ask.7.user.${ID}`);
    age(); // changed, and yet of the same time as before: what is spared by not looking
    ear.listen();
    expect(heard).toEqual([]);
    plant(`ask.7.superseded.${ID}`);
    ear.listen();
    expect(heard).toHaveLength(2);
    ear.close();
  });

  test('L6: a time that is young says nothing: another change may bear the same', () => {
    const { room, ear, heard, plant } = setUp();
    const young = new Date(Date.now() + 1_000);
    utimesSync(room, young, young);
    ear.listen();
    plant(`ask.7.user.${ID}`);
    utimesSync(room, young, young);
    ear.listen();
    expect(heard).toHaveLength(1);
    ear.close();
  });

  test('L6: what is asked while it watches is heard without a beat', async () => {
    let hears = (): void => {};
    const told = new Promise<void>((resolve) => { hears = resolve; });
    const { ear, heard, line, plant } = setUp(7, () => hears());
    ear.listen();
    plant(`ask.8.user.${ID}`, 'of another grant');
    plant(`ask.7.user.${ID}`, 'now');
    await told;
    expect(line.heard, 'an ask is no ticket').toBe(0);
    expect(heard).toEqual([{ type: 'stopped', by: 'now', reason: null }]);
    ear.close();
    expect(ear.isWatching).toBe(false);
  });

  test('L6: where there is no room nothing is heard, nothing is watched, and it listens again when there is one', () => {
    const { room, ear, heard, plant } = setUp();
    rmSync(room, { recursive: true });
    ear.listen();
    expect([heard, ear.isWatching]).toEqual([[], false]);
    mkdirSync(room);
    plant(`ask.7.user.${ID}`);
    ear.listen();
    expect([heard.length, ear.isWatching]).toEqual([1, false]);
    ear.lastLook();
  });

  test('S12: when what it heard has ended the lease it hears no more', () => {
    const { room, ear, heard, plant } = setUp(7, (_notice, one) => one.close());
    plant(`ask.7.user.${ID}`);
    plant(`ask.7.superseded.${ID}`);
    ear.listen();
    expect([heard.length, readdirSync(room).length]).toEqual([1, 1]);
  });
});

describe('asked through the room', () => {
  const HOUR_MS = 3_600_000;

  function held(record: object = {}, token = 3): Places {
    const home = temporaryDirectory();
    const places = { session: join(home, 's'), lock: join(home, 's.lock'), room: join(home, 's.attempt'), mode: null };
    mkdirSync(places.lock);
    mkdirSync(places.room);
    const content = { id: ID, ...processMark(), leaseMs: 2 * HOUR_MS, ...record };
    writeFileSync(join(places.lock, `owner.${token}.${Date.now() + HOUR_MS}.${ID}`), JSON.stringify(content));
    return places;
  }

  test('M19: laid for the grant that holds the lock, and withdrawn when nobody wants it any more', () => {
    expect(askOnDisk(held({}, 1), 1, askOf()), 'the first of all').toBe('asked');
    const places = held();
    const stop = new AbortController();
    expect(askOnDisk(places, 3, askOf({ signal: stop.signal }))).toBe('asked');
    const [name = ''] = readdirSync(places.room);
    expect(parseAsk(name)).toEqual({ token: 3, as: 'user' });
    stop.abort();
    expect(readdirSync(places.room)).toEqual([]);
  });

  test.each<[string, number | null, string, object]>([
    ['of a lock without a token', null, 'unknown', {}],
    ['of a grant under way', 0, 'unknown', {}],
    ['of another grant', 1, 'notHeld', {}],
    ['of a later grant', 4, 'notHeld', {}],
    ['of a dead process', 3, 'notHeld', { pid: 2 ** 22 + 1 }],
  ])('M19: not laid: %s (%s): %s', (_what, token, answer, record) => {
    const places = held(record);
    expect(askOnDisk(places, token, askOf())).toBe(answer);
    expect(readdirSync(places.room)).toEqual([]);
  });

  test('M19: not laid where nobody holds the lock, or what lies there is not ours', () => {
    const places = held();
    rmSync(places.lock, { recursive: true });
    expect(askOnDisk(places, 3, askOf())).toBe('notHeld');
    mkdirSync(places.lock);
    expect(askOnDisk(places, 3, askOf())).toBe('notHeld');
    expect(readdirSync(places.room)).toEqual([]);
  });

  test('M19: not laid for one that refuses, or when it is not wanted any more; a user is not refused', () => {
    const refuses = held({ supersedable: false });
    expect(askOnDisk(refuses, 3, askOf({ as: 'superseded' }))).toBe('refused');
    expect(askOnDisk(refuses, 3, askOf({ signal: AbortSignal.abort() }))).toBe('unknown');
    expect(readdirSync(refuses.room)).toEqual([]);
    expect(askOnDisk(refuses, 3, askOf())).toBe('asked');
    expect(askOnDisk(held({ supersedable: true }), 3, askOf({ as: 'superseded' }))).toBe('asked');
    expect(askOnDisk(held({ id: 'another' }), 3, askOf({ as: 'superseded' })), 'who has not told yet').toBe('asked');
  });

  test('M19: given back while it was being laid: nobody will hear it, and it is taken away', () => {
    const places = held();
    // The last thing asked of the ask before it is written: its words.
    const ask = askOf();
    Object.defineProperty(ask, 'by', { get: () => {
      rmSync(places.lock, { recursive: true, force: true });
      return 'us';
    } });
    expect(askOnDisk(places, 3, ask)).toBe('notHeld');
    expect(readdirSync(places.room)).toEqual([]);
  });
});
