/**
 * The command's own process group: starting it, signalling it, and knowing when its last member has ended.
 * Must not know: locks, attempts, why it is signalled.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** How the command itself ended. */
export interface CommandEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GroupOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Stay in the terminal's group: then only the child itself can be signalled and waited for. */
  readonly foreground: boolean;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** The group is looked at this often after its leader has ended: soon at first, as most are empty by then. */
const FIRST_LOOK_MS = 5;
const SLOWEST_LOOK_MS = 200;

export class ProcessGroup {
  readonly #child: ChildProcess;
  readonly #own: boolean;
  /** The command itself has ended. Rejects if it could not be started (ENOENT, EACCES). */
  readonly leaderEnded: Promise<CommandEnd>;

  constructor({ command, args, env, foreground }: GroupOptions) {
    this.#own = !foreground && process.platform !== 'win32';
    this.#child = spawn(command, args, { stdio: 'inherit', env, detached: this.#own });
    this.leaderEnded = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Sends a signal to every member. Nobody there to hear it is no failure. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return; // it never started
    try {
      process.kill(this.#own ? -pid : pid, signal);
    } catch (error) {
      if (codeOf(error) !== 'ESRCH' && codeOf(error) !== 'EPERM') throw error; // all gone, or gone to another user
    }
  }

  /** Resolves when no member of the group lives. Zombies have ended: an init that does not reap must not hang us. */
  async ended(): Promise<CommandEnd> {
    const end = await this.leaderEnded;
    const { pid } = this.#child;
    let wait = FIRST_LOOK_MS;
    while (this.#own && pid !== undefined && groupLives(pid)) {
      await new Promise((resolve) => { setTimeout(resolve, wait); });
      wait = Math.min(wait * 2, SLOWEST_LOOK_MS);
    }
    return end;
  }
}

function groupLives(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM'; // somebody is there whom we may not signal; ESRCH: nobody
  }
  return hasLivingMember(group) ?? true;
}

/** Looks through /proc for a member that is not a zombie; null where there is no /proc to look through. */
function hasLivingMember(group: number): boolean | null {
  let pids: string[];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return null; // not Linux: what kill said has to do
  }
  return pids.some((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(pgrp) === group && state !== 'Z' && state !== 'X';
    } catch {
      return false; // ended while we looked
    }
  });
}
