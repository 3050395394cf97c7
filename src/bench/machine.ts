/** The machine that was measured on. */
import { readdirSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import { cpus, release, type } from 'node:os';
import { basename } from 'node:path';

/** statfs(2) and the kernel's magic.h; elsewhere than on Linux the number says nothing. */
const FILESYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'], [0x01021994, 'tmpfs'], [0x9123683e, 'btrfs'], [0x58465342, 'xfs'], [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
]);

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly system: string;
  readonly filesystem: string;
}

/**
 * Without a journal ext4 does not use an inode again soon after it was freed, and looks for another one: where thousands
 * of files have been removed within the last minute or so (by anybody), making one then takes 1 ms instead of 20 us.
 */
function hasJournal(directory: string): boolean {
  try {
    const { dev } = statSync(directory); // as Linux encodes it
    const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
    const device = basename(readlinkSync(`/sys/dev/block/${major}:${minor}`));
    return readdirSync('/proc/fs/jbd2').some((name) => name.startsWith(`${device}-`));
  } catch {
    return true; // not to be told
  }
}

export function machineOf(directory: string): Machine {
  const kind = statfsSync(directory).type >>> 0;
  const named = process.platform === 'linux' ? FILESYSTEMS.get(kind) ?? `type 0x${kind.toString(16)}` : 'unknown';
  const filesystem = named !== 'ext4' || hasJournal(directory) ? named
    : 'ext4 without a journal, where making a file is slow for a while after many were removed';
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? 'unknown', cores: cpus().length, node: process.version,
    system: `${type()} ${release()}`, filesystem,
  };
}
