/**
 * The engine in memory takes the steps that PostgreSQL and Redis take: what is tested above it is tested for them.
 */
import { describe } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { EngineLocks } from '../../../src/locks/engine/engine-locks.js';
import { doneElsewhere } from '../fleets/elsewhere.js';
import { stepsOf } from '../fleets/protocol.js';
import { MemoryEngine, MemoryServer } from './memory-engine.js';

describe('the steps of an engine in memory', () => {
  const server = new MemoryServer(systemClock);
  stepsOf(() => new MemoryEngine(server));

  const store = (leaseMs: number) => new EngineLocks({ engine: new MemoryEngine(server), clock: systemClock, leaseMs, name: 'a test' });
  doneElsewhere(async (leaseMs = 10_000) => [store(leaseMs), store(leaseMs)]);
});
