/**
 * Those of one process who wait, as one in the line of processes: its ticket, whom it waits for, whom it passes.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { GRACE_MS, ProcessLine } from '../../../src/locks/file/process-line.js';
import { placesOf } from '../../../src/locks/file/session-path.js';
import { ticketsAmong } from '../../../src/locks/file/tickets.js';
import { Turns } from '../../../src/locks/file/turns.js';
import type { HolderInfo } from '../../../src/locks/lock-store.js';
import { processMark } from '../../../src/owner.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { temporaryDirectory } from '../../support/temporary.js';

const NOBODY = { ...processMark(), pid: 2 ** 22 + 1 };
const infoOf = (attemptId: string): HolderInfo =>
  ({ attemptId, pid: 1, host: 'h', state: 'acquiring.waiting', note: null, labels: {} });

function setUp() {
  const clock = new VirtualClock();
  const places = placesOf(join(temporaryDirectory(), 'session.jsonl'), undefined, 'make');
  const line = new ProcessLine(places, clock);
  const tickets = (): readonly string[] => (existsSync(places.room) ? ticketsAmong(readdirSync(places.room)) : []);
  /** A ticket as another process leaves it. */
  const plant = (number: number, mark: object = processMark()): string => {
    const name = `wait.${number}.${randomUUID()}`;
    writeFileSync(join(places.room, name), JSON.stringify({ ...mark, since: Date.now(), waiting: [] }));
    return name;
  };
  const told = (): unknown[] => tickets().map((name) =>
    (JSON.parse(readFileSync(join(places.room, name), 'utf8')) as { waiting: { attemptId: string }[] }).waiting.map(({ attemptId }) => attemptId));
  return { clock, places, line, tickets, plant, told };
}

describe('the ticket of a process', () => {
  test('L4 L5: one for all of its attempts that wait; who joined or left is told a little later; it goes with the last', async () => {
    const { clock, line, tickets, told } = setUp();
    const armed = vi.spyOn(clock, 'setTimeout');
    const leave = line.join(infoOf('one'));
    expect([told(), clock.armed, line.size, line.isEmpty]).toEqual([[['one']], 0, 1, false]);
    const [ticket] = tickets();
    const leaveToo = line.join(infoOf('two'));
    line.join(infoOf('three'));
    expect([told(), clock.armed, line.size]).toEqual([[['one']], 1, 3]);
    expect(armed.mock.lastCall?.slice(1), 'it keeps no process alive').toEqual([20, 'background']);
    await clock.advance(20);
    expect([told(), tickets(), clock.armed]).toEqual([[['one', 'two', 'three']], [ticket], 0]);
    leave();
    leave(); // has left already
    expect(clock.armed).toBe(1);
    await clock.advance(20);
    expect(told()).toEqual([['two', 'three']]);
    leaveToo();
    expect([line.size, clock.armed, tickets()]).toEqual([1, 1, [ticket]]);
  });

  test('L5: with the last to leave its ticket is gone, and what was to be told is not', async () => {
    const { clock, line, tickets } = setUp();
    const leave = [line.join(infoOf('one')), line.join(infoOf('two'))];
    expect(clock.armed).toBe(1);
    leave.forEach((fn) => fn());
    expect([clock.armed, tickets(), line.isEmpty]).toEqual([0, [], true]);
    const again = line.join(infoOf('three'));
    expect(tickets()).toHaveLength(1);
    line.join(infoOf('four'));
    expect(clock.armed, 'told anew').toBe(1);
    again();
  });

  test('L4: one that cannot be written is no reason not to wait', async () => {
    const { clock, places, line } = setUp();
    writeFileSync(places.room, 'a file'); // not a room
    const leave = line.join(infoOf('one'));
    line.join(infoOf('two'))();
    leave();
    expect([line.isEmpty, clock.armed]).toEqual([true, 0]);
    const late = line.join(infoOf('late'));
    rmSync(places.room);
    expect([line.frontOf([]), readdirSync(places.room).length], 'laid as soon as it can be').toEqual([null, 1]);
    late();
    const again = line.join(infoOf('one'));
    line.join(infoOf('two'));
    rmSync(places.room, { recursive: true }); // cleaned away by somebody
    await clock.advance(20);
    line.toTheEnd([`wait.1.${randomUUID()}`]);
    expect(() => again()).not.toThrow();
    expect([existsSync(places.room), line.size]).toEqual([false, 1]);
  });

  test('M15: who joins clears dead tickets away, the first four and the last four', () => {
    const { line, plant, tickets } = setUp();
    line.join(infoOf('one'))(); // makes the room
    const dead = Array.from({ length: 10 }, (_, n) => plant(n + 1, NOBODY));
    line.join(infoOf('two'));
    expect(tickets().slice(0, -1)).toEqual(dead.slice(4, 6));
    expect(tickets().at(-1)).toMatch(/^wait\.11\./);
  });
});

describe('whom it waits for', () => {
  test('L4: the nearest in front that lives; without a ticket, whoever is there', () => {
    const { line, plant, tickets } = setUp();
    expect(line.frontOf([])).toBeNull();
    line.join(infoOf('one'));
    expect([line.frontOf(tickets()), line.othersAmong(tickets())]).toEqual([null, false]);
    const [own = ''] = tickets();
    const [first, second] = [plant(0), plant(0)].sort();
    const third = plant(1, NOBODY);
    const behind = plant(9);
    const all = [first, second, third, own, behind] as string[];
    expect(line.frontOf(all)).toBe(second);
    expect(existsSync(third)).toBe(false);
    expect(line.frontOf([own, behind])).toBeNull();
    expect([line.othersAmong([own]), line.othersAmong([own, behind])]).toEqual([false, true]);
    const stranger = setUp().line;
    expect(stranger.frontOf([behind])).toBe(behind);
    expect([stranger.othersAmong([]), stranger.othersAmong([behind])]).toEqual([false, true]);
  });

  test('L7: one that lets a free lock lie for a while is passed, for as long as its ticket is there', async () => {
    const { clock, line, plant } = setUp();
    await clock.advance(1_000);
    line.join(infoOf('one'))();
    const [hung, other] = [plant(1), plant(2)];
    const both = [hung, other];
    expect([line.firstOf(both) === hung, line.firstOf(both) === other]).toEqual([true, false]);
    expect(line.letsLie(hung, true)).toBe(false);
    await clock.advance(GRACE_MS - 1);
    expect([line.letsLie(hung, true), line.letsLie(hung, false)]).toEqual([false, false]);
    await clock.advance(GRACE_MS);
    expect(line.letsLie(hung, true), 'it was taken meanwhile: counted anew').toBe(false);
    expect(line.letsLie(other, true), 'another one').toBe(false);
    await clock.advance(GRACE_MS);
    expect(line.letsLie(hung, true), 'counted anew for another one').toBe(false);
    await clock.advance(GRACE_MS);
    expect(line.letsLie(hung, true)).toBe(true);
    expect([line.firstOf(both) === hung, line.firstOf(both) === other]).toEqual([false, true]);
    expect([line.frontOf(both), line.frontOf([hung])]).toEqual([other, null]);
    expect(line.frontOf([other]), 'it has gone').toBe(other);
    expect(line.frontOf([hung]), 'and come again').toBe(hung);
  });

  test('L4: who was served goes behind those who wait, unless it is there already, or has no ticket', () => {
    const { line, plant, tickets } = setUp();
    line.toTheEnd([`wait.5.${randomUUID()}`]);
    expect(tickets()).toEqual([]);
    line.join(infoOf('one'));
    const [own = ''] = tickets();
    line.toTheEnd([own]);
    expect(tickets()).toEqual([own]);
    const other = plant(4);
    line.toTheEnd([own, other]);
    expect(tickets()).toEqual([other, own.replace('wait.1.', 'wait.5.')]);
    expect(line.frontOf(tickets())).toBe(other);
  });
});

describe('turns', () => {
  function turnsAt() {
    const one = setUp();
    const turns = new Turns(one.clock, 10_000);
    const line = turns.lineAt(one.places);
    line.join(infoOf('one'));
    return { ...one, turns, line };
  }

  test('L4: freely within a process while nobody else waits, eight times past others, then it goes behind them', () => {
    const { turns, places, tickets, plant } = turnsAt();
    expect(turns.mayPassOn(places, tickets(), 99)).toBe('freely');
    plant(7);
    expect([0, 7].map((passed) => turns.mayPassOn(places, tickets(), passed))).toEqual(['pastOthers', 'pastOthers']);
    expect(tickets()[0]).toMatch(/^wait\.1\./);
    expect(turns.mayPassOn(places, tickets(), 8)).toBe(false);
    expect(tickets()[1]).toMatch(/^wait\.8\./);
  });

  test('L4: who is served while others of its process wait: those go behind the others', () => {
    const { turns, places, line, tickets, plant } = turnsAt();
    plant(7);
    const before = tickets();
    turns.served(places, []);
    turns.served(places, before);
    expect(tickets(), 'nobody else of ours waits').toEqual(before);
    line.join(infoOf('two'));
    turns.served(places, before);
    expect(tickets()[1]).toMatch(/^wait\.8\./);
  });

  test('L5: a line is forgotten when nobody is in it', () => {
    const { turns, places, line } = turnsAt();
    turns.forget(places);
    expect(turns.lineAt(places), 'somebody is').toBe(line);
    const other = { ...places, lock: `${places.lock}2` };
    const empty = turns.lineAt(other);
    expect(turns.lineAt(other)).toBe(empty);
    turns.forget(other);
    expect(turns.lineAt(other)).not.toBe(empty);
    expect(() => turns.forget({ ...places, lock: 'nowhere' })).not.toThrow();
  });

  test('L4 L7: who is in front, whether it is its turn, and that it is passed when it lets a free lock lie', async () => {
    const { clock, turns, places, tickets, plant } = turnsAt();
    expect(turns.frontOf(places, [])).toBeNull();
    expect(turns.frontOf(places, tickets())).toBeNull();
    const [first = '', second = ''] = [plant(0), plant(0)].sort();
    expect(turns.frontOf(places, tickets())).toEqual({ ticket: second, isSuspect: true });
    expect(turns.frontOf(places, [first, ...tickets().slice(2)])).toEqual({ ticket: first, isSuspect: true });
    await clock.advance(GRACE_MS);
    expect(turns.frontOf(places, [first, ...tickets().slice(2)])).toBeNull();
  });

  test('L4: what was free at two looks far apart may have been held in between: it has not been let lie', async () => {
    const { clock, turns, places, tickets, plant } = turnsAt();
    const ticket = plant(0);
    const looks: unknown[] = [];
    for (const ms of [0, 251, 250, 0]) {
      await clock.advance(ms);
      looks.push(turns.frontOf(places, tickets()));
    }
    expect(looks.slice(0, 2)).toEqual([{ ticket, isSuspect: true }, { ticket, isSuspect: true }]);
    expect(looks.slice(2)).toEqual([null, null]);
    turns.lineAt(places).toTheEnd(tickets());
    expect(turns.frontOf(places, tickets()), 'and comes before those who were served meanwhile').toEqual({ ticket, isSuspect: true });
  });

  test('L4: a ticket that somebody removed is taken again; one that a look has missed stays', () => {
    const { turns, places, tickets, plant } = turnsAt();
    const [own = ''] = tickets();
    const other = plant(9);
    turns.frontOf(places, [other]);
    expect(tickets(), 'missed').toEqual([own, other]);
    rmSync(join(places.room, own));
    turns.frontOf(places, [own, other]);
    expect(tickets(), 'seen just now').toEqual([other]);
    expect(turns.mayPassOn(places, tickets(), 8), 'others wait, if not ourselves').toBe(false);
    expect(new ProcessLine(places, new VirtualClock()).frontOf(tickets()), 'of a process that does not wait').toBe(other);
    expect(tickets()).toEqual([other]);
    turns.frontOf(places, tickets());
    expect(tickets()).toHaveLength(2);
    expect(tickets()).not.toContain(own);
  });

  test('L4: while the lock is held only whose turn it is is suspected of letting it lie', () => {
    const { clock, turns, places, tickets, plant } = turnsAt();
    const id = randomUUID();
    mkdirSync(places.lock);
    writeFileSync(join(places.lock, `owner.3.${clock.wallNow() + 60_000}.${id}`), JSON.stringify({ ...processMark(), id }));
    const [first = '', second = ''] = [plant(0), plant(0)].sort();
    expect(turns.frontOf(places, tickets())).toEqual({ ticket: second, isSuspect: false });
    rmSync(join(places.room, second));
    expect(turns.frontOf(places, tickets())).toEqual({ ticket: first, isSuspect: true });
  });

  test('L4 L7: of two that do not move each is passed, also the one that we are not right behind', async () => {
    const { clock, turns, places, tickets, plant } = turnsAt();
    const [first = '', second = ''] = [plant(0), plant(0)].sort();
    turns.frontOf(places, tickets());
    await clock.advance(GRACE_MS);
    expect(turns.frontOf(places, tickets()), 'one is passed, the other one is looked at sooner').toEqual({ ticket: second, isSuspect: true });
    expect(turns.lineAt(places).firstOf([first, second])).toBe(second);
    await clock.advance(GRACE_MS);
    expect(turns.frontOf(places, tickets())).toBeNull();
  });

  test.runIf(process.platform === 'linux').each([['alive', processMark(), false], ['dead', NOBODY, true]])(
    'L4: a lock whose holder is %s is, or is not, let lie', async (_how, mark, passes) => {
      const { clock, turns, places, tickets, plant } = turnsAt();
      const id = randomUUID();
      mkdirSync(places.lock);
      writeFileSync(join(places.lock, `owner.3.${clock.wallNow() + 60_000}.${id}`), JSON.stringify({ ...mark, id }));
      const hung = plant(0);
      expect(turns.frontOf(places, tickets())?.ticket).toBe(hung);
      await clock.advance(GRACE_MS);
      expect(turns.frontOf(places, tickets()) === null).toBe(passes);
  });
});
