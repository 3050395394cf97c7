/**
 * Clocks and places that differ between two processes of one machine: a wall clock that is ahead or behind (faketime), a
 * pid namespace of its own (unshare), a thread pool in which nothing goes on. With the attempt of the sweep as the first
 * process and its rival as the second, both real.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, type TestContext } from 'vitest';
import { readSession } from '../../src/session/read-session.js';
import { temporaryDirectory } from '../support/temporary.js';
import { canRun } from './stepping-clock.js';
import { Told, type ToldChild } from './told-child.js';

const LEASE_MS = 2_000;
const MOST_MS = 25_000;
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.mjs`, import.meta.url));

interface Scene { readonly first?: readonly string[]; readonly second?: readonly string[]; readonly about?: object }

/** Both started under a command and its arguments. */
function scene({ onTestFinished }: TestContext, { first = [], second = [], about = {} }: Scene) {
  const directory = temporaryDirectory(onTestFinished);
  const session = join(directory, 's');
  const start = (prefix: readonly string[], script: string, args: string[]): ToldChild => {
    const [command = '', ...rest] = [...prefix, process.execPath, fixture(script), ...args];
    const told = new Told(command, rest, { env: { ...process.env, UV_THREADPOOL_SIZE: '1' } });
    onTestFinished(async () => void await told.kill());
    return told;
  };
  const told = { session, operation: 'release', leaseMs: LEASE_MS, name: 'first', ...about };
  const rival = start(second, 'rival', []);
  return {
    session,
    starts: () => start(first, 'victim', [JSON.stringify(told)]),
    wants: (name: string, waitMs: number): void => rival.send({ session, name, leaseMs: told.leaseMs, waitMs }),
    isTold: async (name: string) => (await rival.says((fact) => fact.report !== undefined && fact['name'] === name, MOST_MS))?.report,
  };
}

const reportOf = async (one: ToldChild) => (await one.says((fact) => fact.report !== undefined, MOST_MS))?.report;

/** The first holds its lock and stands still in its work, with its heart beating. */
const holds = (first: ToldChild) => first.says((fact) => fact['ready'] === 'operation', MOST_MS);

test('S16 S4: a second process whose wall clock is a minute ahead takes over; the first is told, and writes nothing', async (context) => {
  canRun('faketime', ['-f', '+60s', 'true'], context.skip);
  const { session, starts, wants, isTold } = scene(context, { second: ['faketime', '-f', '+60s'] });
  const first = starts();
  expect(await holds(first)).not.toBeNull();
  wants('second', MOST_MS);
  expect(await isTold('second')).toMatchObject({ outcome: 'completed', lease: 'released', token: 2 });
  first.send('go');
  expect(await reportOf(first)).toMatchObject({ lease: 'lost', token: 1 });
  expect((await readSession(session)).records.map(({ token }) => token)).toEqual([2, 2]);
});

test('S16 L3: a second process whose wall clock is a minute behind is granted when the first has ended', async (context) => {
  canRun('faketime', ['-f', '-60s', 'true'], context.skip);
  const { starts, wants, isTold } = scene(context, { second: ['faketime', '-f', '-60s'] });
  const first = starts();
  expect(await holds(first)).not.toBeNull();
  wants('early', 0);
  expect(await isTold('early')).toMatchObject({ outcome: 'notStarted', lease: 'neverHeld' });
  wants('second', MOST_MS);
  first.send('go');
  expect(await reportOf(first)).toMatchObject({ outcome: 'completed', lease: 'released', token: 1 });
  expect(await isTold('second')).toMatchObject({ outcome: 'completed', lease: 'released', token: 2 });
});

test('S7 L3: a holder in a pid namespace of its own is not taken for dead, and is taken over when it is killed', async (context) => {
  const alone = ['--pid', '--fork', '--kill-child', '--mount-proc'];
  canRun('unshare', [...alone, 'true'], context.skip);
  // A lease that a slow machine does not let end while its holder lives.
  const { starts, wants, isTold } = scene(context, { first: ['unshare', ...alone], about: { leaseMs: 6_000 } });
  const first = starts();
  expect(await holds(first)).not.toBeNull();
  wants('early', 0);
  expect(await isTold('early')).toMatchObject({ outcome: 'notStarted', lease: 'neverHeld' });
  await first.kill(); // unshare, and with it the process inside
  wants('second', MOST_MS);
  expect(await isTold('second')).toMatchObject({ outcome: 'completed', lease: 'released', token: 2 });
});

test('S19: with a thread pool in which nothing goes on, a used session is locked, worked on and given back', async (context) => {
  const pipe = join(temporaryDirectory(context.onTestFinished), 'pipe');
  canRun('mkfifo', [pipe], context.skip);
  const { starts, wants, isTold } = scene(context, { about: { blockPoolWith: pipe } });
  wants('before', MOST_MS);
  expect(await isTold('before')).toMatchObject({ outcome: 'completed', token: 1 });
  const first = starts();
  expect(await holds(first)).not.toBeNull();
  first.send('go');
  expect(await reportOf(first)).toMatchObject({ outcome: 'completed', lease: 'released', token: 2 });
  wants('after', MOST_MS);
  expect(await isTold('after')).toMatchObject({ outcome: 'completed', token: 3 });
});

test('S19: ... and so is one that was never locked', async (context) => {
  const pipe = join(temporaryDirectory(context.onTestFinished), 'pipe');
  canRun('mkfifo', [pipe], context.skip);
  const { starts, wants, isTold } = scene(context, { about: { blockPoolWith: pipe } });
  const first = starts();
  expect(await holds(first)).not.toBeNull();
  first.send('go');
  expect(await reportOf(first)).toMatchObject({ outcome: 'completed', lease: 'released', token: 1 });
  wants('after', MOST_MS);
  expect(await isTold('after')).toMatchObject({ outcome: 'completed', token: 2 });
});
