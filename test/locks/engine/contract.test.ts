/**
 * The contract of a lock store, on what the engines share, above an engine in memory; and that engine held to the steps
 * that PostgreSQL and Redis are held to.
 */
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { EngineLocks } from '../../../src/locks/engine/engine-locks.js';
import { lockStoreContract } from '../../../src/testing/lock-store-contract.js';
import { CountingClock } from '../../support/counting-clock.js';
import { MemoryEngine, MemoryServer } from './memory-engine.js';

describe('locks of an engine', () => {
  const clock = new CountingClock();
  const cases = lockStoreContract(() => {
    const engine = new MemoryEngine(new MemoryServer(systemClock));
    return { store: new EngineLocks({ engine, clock, leaseMs: 10_000, name: 'a test' }), session: 'a key' };
  });
  test.each(cases.map((one) => [one.title, one] as const))('%s', async (_title, one) => {
    expect(await one.run()).toBe('kept');
    expect(clock.armed, 'L5: timers left').toBe(0);
  });
});
