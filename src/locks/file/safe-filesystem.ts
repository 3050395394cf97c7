/**
 * Is a directory on a file system where mkdir, rename and link are atomic for everybody who can see it?
 * Told by the type number of statfs(2), on Linux; elsewhere the type is not known and nothing is claimed.
 * Source of the numbers: the kernel's include/uapi/linux/magic.h and statfs(2).
 */
import { statfsSync } from 'node:fs';
import { AttemptError } from '../../errors.js';
import { warn } from '../../warnings.js';

const UNSAFE: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'], [0x517b, 'SMB'], [0xfe534d42, 'SMB2'], [0xff534d42, 'CIFS'], [0x65735546, 'FUSE'],
  [0x01021997, '9P'], [0x5346414f, 'AFS'], [0x6b414653, 'AFS'], [0x00c36400, 'Ceph'], [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'], [0x73757245, 'Coda'], [0x564c, 'NCP'], [0x7461636f, 'OCFS2'], [0x01161970, 'GFS2'],
]);

/** What is done about a session on a network or FUSE file system. */
export type UnsafeFilesystem = 'refuse' | 'warn';

export type Statfs = (path: string) => { readonly type: number };

/** Directories whose answer is remembered; a mount that changes under a running process is not noticed. */
const MOST_DIRECTORIES = 1_000;

export class FilesystemCheck {
  readonly #policy: UnsafeFilesystem;
  readonly #statfs: Statfs;
  readonly #checked = new Set<string>();

  constructor(policy: UnsafeFilesystem, statfs: Statfs = statfsSync, private readonly platform: string = process.platform) {
    this.#policy = policy;
    this.#statfs = statfs;
  }

  /** @throws AttemptError `UNSAFE_FILESYSTEM` under the policy `refuse` */
  check(directory: string): void {
    if (this.platform !== 'linux' || this.#checked.has(directory)) return;
    const kind = UNSAFE.get(this.#statfs(directory).type >>> 0);
    if (kind !== undefined) {
      const message = `${directory} is on ${kind}, where a lock file is not exclusive; expected a local file system. `
        + 'Keep the lock elsewhere (`directory`; of the command --store files:<directory>), use an engine\'s locks, or accept '
        + 'the risk with `unsafeFilesystem: "warn"`.';
      if (this.#policy === 'refuse') throw new AttemptError('UNSAFE_FILESYSTEM', message);
      warn('UNSAFE_FILESYSTEM', message);
    }
    if (this.#checked.size >= MOST_DIRECTORIES) this.#checked.clear();
    this.#checked.add(directory);
  }
}
