/**
 * The options of file locks: what they mean, their defaults, and their checks. Touches nothing.
 */
import { systemClock, type Clock } from '../../clock.js';
import { expect, expectKnown, expectMs } from '../../config-checks.js';
import { LEAST_LEASE_MS } from './lease-times.js';
import { FilesystemCheck, type Statfs, type UnsafeFilesystem } from './safe-filesystem.js';

export interface LocalFileLocksOptions {
  /** How long a lock lives without renewal, milliseconds, at least 2 000. Default: 10 000. */
  leaseMs?: number;
  /** Lay locks in this directory instead of beside the session. Made if missing. Default: none. */
  directory?: string;
  /** A network or FUSE file system, where a lock file is not exclusive: refuse, or only warn. Default: `refuse`. */
  unsafeFilesystem?: UnsafeFilesystem;
  /** Tells the type of a file system. Default: the system's. For tests. */
  statfs?: Statfs;
  /** Default: the system's. For tests. */
  clock?: Clock;
}

/** With every default. Throws AttemptError `CONFIG_INVALID`. */
export function checked(options: LocalFileLocksOptions): {
  readonly leaseMs: number; readonly directory: string | undefined; readonly filesystem: FilesystemCheck; readonly clock: Clock;
} {
  expectKnown(options, ['leaseMs', 'directory', 'unsafeFilesystem', 'statfs', 'clock']);
  const { leaseMs = 10_000, directory, unsafeFilesystem = 'refuse', statfs, clock = systemClock } = options;
  expectMs('leaseMs', leaseMs, { min: LEAST_LEASE_MS });
  expect(directory === undefined || (typeof directory === 'string' && directory !== ''), 'directory', 'a path', directory);
  expect(['refuse', 'warn'].includes(unsafeFilesystem), 'unsafeFilesystem', '"refuse" or "warn"', unsafeFilesystem);
  expect(statfs === undefined || typeof statfs === 'function', 'statfs', 'a function', statfs);
  return { leaseMs, directory, filesystem: new FilesystemCheck(unsafeFilesystem, statfs), clock };
}
