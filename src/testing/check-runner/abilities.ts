/**
 * What a port can do and its runner knows, as found by the port's own check. Owns: the words for what is
 * missing.
 */
import type { RunnerPort } from './port.js';
import type { Cause } from './watched-attempt.js';

export interface Abilities {
  readonly bounds: RunnerPort['bounds'];
  /** What can end an attempt early, in the order in which a shrunk sequence prefers them. */
  readonly causes: readonly Cause[];
  /** Causes that cannot be exercised, and why. */
  readonly missing: readonly string[];
  readonly abort: boolean;
  readonly writes: boolean;
  readonly outcome: boolean;
  readonly failRelease: boolean;
  readonly clock: boolean;
}

export const NO_ABORT = 'the port has no abort()';
export const NO_WRITER = 'the port has no write() and read()';
export const NO_OUTCOME = 'the port has no outcome(), or it never knows one';
export const NO_FAIL_RELEASE = 'the port has no failRelease()';
export const NO_LEASE = 'the port has no bounds.leaseMs: its locks do not end by themselves';
export const NO_LIMIT = 'TICK(timeoutMs): a run budget had no effect, so the runner has none';

/** Members of the port, as far as they can be seen without calling any. */
export function membersOf(
  port: RunnerPort,
): Pick<Abilities, 'bounds' | 'writes' | 'outcome' | 'failRelease' | 'clock'> {
  return {
    bounds: port.bounds,
    writes: Boolean(port.write && port.read),
    outcome: Boolean(port.outcome),
    failRelease: Boolean(port.failRelease),
    clock: Boolean(port.clock),
  };
}
