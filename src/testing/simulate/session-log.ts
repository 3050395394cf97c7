/**
 * The simulated sessions: an append log each, of real lines, read back by the real reader.
 * Owns: what was written and acknowledged, S4, S15, S17. Must not know: locks.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttemptError } from '../../errors.js';
import { encodeRecord } from '../../session/line.js';
import { readSession } from '../../session/read-session.js';
import type { OpenedSession, OpenRequest, SessionRecord, SessionRecords } from '../../session/session-records.js';
import type { Process } from './network.js';
import type { World } from './world.js';

interface Log { readonly lines: string[]; readonly acknowledged: Set<number>; highest: number }

/** Called in the tick in which a write passed the gate. */
export type Passed = (session: string, token: number) => void;

export class SessionLogs {
  readonly #logs = new Map<string, Log>();
  #nextId = 0;
  faults = true;

  constructor(readonly world: World, readonly passed: Passed) {}

  floorOf = (session: string): number => this.#of(session).highest;

  /** The records an attempt of this process is given: slow, failing and hanging at times. */
  recordsOf(process: Process): SessionRecords {
    return {
      tokenFloor: async (session) => this.floorOf(session),
      open: (request) => this.#open(process, request),
    };
  }

  /** A write that went past every check long ago and lands now: a zombie's. */
  landRaw(session: string, token: number): void {
    this.world.counts.rawWrites += 1;
    this.#land(session, token, { zombie: true });
  }

  /** Reads every session with the real reader and compares with what was written. */
  async verify(): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'attempt-simulate-'));
    try {
      for (const [session, log] of this.#logs) await this.#verifyOne(join(directory, session), session, log);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async #verifyOne(file: string, session: string, { lines, acknowledged }: Log): Promise<void> {
    const { world } = this;
    await writeFile(file, lines.join(''));
    const { records, discarded } = await readSession(file);
    let highest = 0;
    for (const { token } of records) {
      world.check('S4', (token ?? 0) >= highest, () => `${session}: token ${token} was accepted after ${highest}`);
      highest = Math.max(highest, token ?? 0);
    }
    const count = records.length + discarded;
    world.check('S17', count === lines.length, () => `${session}: ${lines.length} records, of which ${count} are accounted for`);
    const read = new Set(records.map(({ record }) => (record as { id: number }).id));
    const missing = [...acknowledged].find((id) => !read.has(id));
    world.check('S15', missing === undefined, () => `${session}: record ${missing} was acknowledged and no reader sees it`);
    world.counts.leftOut += discarded;
    world.counts.acknowledged += acknowledged.size;
  }

  async #open(process: Process, { session, token }: OpenRequest): Promise<OpenedSession> {
    const fate = process.random.next();
    const { clock } = process;
    if (this.faults && fate < 0.05) throw new Error('the session cannot be opened');
    if (this.faults && fate < 0.1) await new Promise<never>(() => {}); // never answers
    if (fate < 0.5) await new Promise<void>((resolve) => { clock.setTimeout(resolve, process.random.between(1, 300)); });
    const write = (record: SessionRecord): void | Promise<void> => {
      this.passed(session, token ?? 0);
      if (!process.random.chance(0.3)) return this.#acknowledge(session, token ?? 0, record);
      return new Promise((resolve, reject) => { // begun in this tick, lands later
        this.world.time.at(this.world.time.now + process.random.between(1, 400), () => {
          try { resolve(this.#acknowledge(session, token ?? 0, record)); } catch (error) { reject(error as Error); }
        });
      });
    };
    return {
      fencing: 'stamped', append: write, close: () => {},
      appendSync: (record) => { this.passed(session, token ?? 0); this.#acknowledge(session, token ?? 0, record); },
    };
  }

  /** What the engine promises: no record is acknowledged behind a higher token. */
  #acknowledge(session: string, token: number, record: SessionRecord): void {
    if (this.#of(session).highest > token) {
      this.world.counts.refused += 1;
      throw new AttemptError('WRITE_FENCED', 'a higher token is at work');
    }
    this.#of(session).acknowledged.add(this.#land(session, token, record));
  }

  #land(session: string, token: number, record: SessionRecord): number {
    const log = this.#of(session);
    const id = this.#nextId++;
    log.lines.push(encodeRecord({ ...record, id }, token));
    log.highest = Math.max(log.highest, token);
    return id;
  }

  #of(session: string): Log {
    let log = this.#logs.get(session);
    if (!log) this.#logs.set(session, log = { lines: [], acknowledged: new Set(), highest: 0 });
    return log;
  }
}
