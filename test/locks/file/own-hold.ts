/**
 * Our own hold on one lock directory, for tests that take its steps one by one.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OwnLock } from '../../../src/locks/file/lock-directory.js';
import { occupantOf, type Occupant } from '../../../src/locks/file/occupant.js';
import { nameOf, type OwnerRecord } from '../../../src/locks/file/owner-entry.js';
import type { Places } from '../../../src/locks/file/session-path.js';
import { processMark } from '../../../src/owner.js';
import { temporaryDirectory } from '../../support/temporary.js';

export const [ID, OTHER] = ['01234567-89ab-4cde-8f01-23456789abcd', '11234567-89ab-4cde-8f01-23456789abcd'];
export const UNTIL = 5_000;
export const atOnce = (): number => 0;

export const recordOf = (attemptId = 'a'): OwnerRecord => ({
  ...processMark(), id: ID, session: 's', owner: 'o', attemptId, since: 5, leaseMs: 2_000, state: 'running', note: null, labels: {},
});

export function setUp(mode: number | null = null) {
  const home = temporaryDirectory();
  const places: Places = { session: join(home, 's'), lock: join(home, 's.lock'), room: join(home, 's.attempt'), mode };
  const own = new OwnLock(places, ID);
  const inside = (): string[] => (existsSync(places.lock) ? readdirSync(places.lock).sort() : []);
  const taken = (): OwnLock => {
    own.take(recordOf(), UNTIL, atOnce);
    return own;
  };
  const dead = (): Occupant & { kind: 'empty' } => {
    mkdirSync(places.lock);
    const found = occupantOf(places.lock);
    if (found.kind !== 'empty') throw new Error(found.kind);
    return found;
  };
  return { home, places, own, inside, taken, dead };
}

export const nameAs = (token: number, until: number, id = ID): string => nameOf({ token, until, id });
