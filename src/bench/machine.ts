/** The machine that was measured on. */
import { statfsSync } from 'node:fs';
import { cpus, release, type } from 'node:os';

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

export function machineOf(directory: string): Machine {
  const kind = statfsSync(directory).type >>> 0;
  const filesystem = process.platform === 'linux' ? FILESYSTEMS.get(kind) ?? `type 0x${kind.toString(16)}` : 'unknown';
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? 'unknown', cores: cpus().length, node: process.version,
    system: `${type()} ${release()}`, filesystem,
  };
}
