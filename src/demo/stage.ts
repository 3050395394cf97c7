/**
 * Where the demonstration takes place: a fresh directory, one session file in it, and the processes that want it.
 */
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { localFileLocks, type SessionStatus } from '../index.js';
import { Cast, type Actor } from './cast.js';
import { LEASE_MS } from './protocol.js';

/** How often a fact on the disk is looked for, milliseconds. */
const LOOK_MS = 3;
const MOST_MS = 30_000;

export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), 'attempt-demo-'));
  readonly session = join(this.directory, 'session.jsonl');
  /** Records whose append was acknowledged, whoever made them: `<attempt> <step>`. */
  readonly acknowledged: string[] = [];
  readonly cast = new Cast(this.directory, (saying) => {
    if (saying.is === 'wrote') this.acknowledged.push(`${saying.name} ${saying.step}`);
  });
  readonly #locks = localFileLocks({ leaseMs: LEASE_MS });

  constructor() {
    writeFileSync(this.session, '{"role":"user","text":"a line from before, of somebody else"}\n');
  }

  /** Who holds the session and who waits for it, read from the disk. */
  async status(): Promise<SessionStatus> {
    const [status] = await this.#locks.query(this.session);
    if (!status) throw new Error('the store told nothing about the session');
    return status;
  }

  /** Waits until the disk says so. */
  async until(what: string, matches: (status: SessionStatus) => boolean): Promise<SessionStatus> {
    for (const end = performance.now() + MOST_MS; performance.now() < end; await pause(LOOK_MS)) {
      const status = await this.status();
      if (matches(status)) return status;
    }
    throw new Error(`${what}: not within ${MOST_MS} ms`);
  }

  /** An attempt, in another process, that waits for the session and, once granted, writes one record and ends. */
  async queue(actor: Actor, name: string): Promise<void> {
    actor.tell({ do: 'attempt', name, session: this.session, play: 'returns' });
    await this.until(`${name} in line`, ({ waiting }) => waiting.some(({ attemptId }) => attemptId === name));
  }

  /** Files that keep somebody out, or should have been taken away: a lock, a staged one, a place in line. */
  lockFiles(): readonly string[] {
    const left: string[] = [];
    const lock = `${this.session}.lock`;
    if (lstatSync(lock, { throwIfNoEntry: false })) left.push(basename(lock));
    const room = `${this.session}.attempt`;
    if (!lstatSync(room, { throwIfNoEntry: false })) return left;
    return [...left, ...readdirSync(room).filter((name) => !/^(token\.|boot\.|reports$)/.test(name))];
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
