/**
 * What a test of an engine stands on: ways to it, attempts that write and tell, and the history that is judged in the end.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { createAttempt, type Attempt, type AttemptOptions, type LockStore, type WorkContext } from '../../../src/index.js';
import type { EngineRecords } from '../../../src/locks/engine/record-queue.js';
import { checkHistory, type HistoryEvent } from '../../../src/testing/history.js';
import { Proxy } from '../../support/proxy.js';

/** An engine as its tests use it. */
export interface EngineUnderTest {
  /** The socket file of the server. */
  readonly socket: string;
  /** Locks and records whose connections lead through this proxy. */
  connect(proxy: Proxy, leaseMs: number): Promise<{ locks: LockStore; records: EngineRecords; end(): Promise<void> }>;
  /** How the question for a lock, for its release, and for a write begin on the wire. */
  readonly questions: { readonly acquire: RegExp; readonly release: RegExp; readonly write: RegExp };
}

/** Longest time a fact may take, milliseconds. Never reached when all is well. */
const MOST_MS = 30_000;

export async function become(what: string, fact: () => Promise<boolean> | boolean): Promise<void> {
  const until = performance.now() + MOST_MS;
  while (!await fact()) {
    if (performance.now() > until) throw new Error(`expected within ${MOST_MS} ms: ${what}`);
    await pause(3);
  }
}

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** One way to the engine, with a proxy of its own. */
export interface Way {
  readonly proxy: Proxy;
  readonly locks: LockStore;
  readonly records: EngineRecords;
}

/** An attempt that writes until it is told to end, and tells of all it does. */
export interface Writing {
  readonly attempt: Attempt<unknown>;
  readonly token: number;
  readonly written: number;
  /** How often a synchronous write was refused because the lease was in doubt. */
  readonly doubts: number;
  readonly report: ReturnType<Attempt<unknown>['start']>;
  end(): Writing['report'];
}

export class Bed {
  readonly session = `key ${randomUUID()}`;
  readonly history: HistoryEvent[] = [];
  readonly #engine: EngineUnderTest;
  readonly #context: TestContext;
  readonly #leaseMs: number;

  constructor(engine: EngineUnderTest, context: TestContext, leaseMs: number) {
    this.#engine = engine;
    this.#context = context;
    this.#leaseMs = leaseMs;
  }

  /** @param leaseMs another lease than the bed's */
  async way(leaseMs = this.#leaseMs): Promise<Way> {
    const proxy = await new Proxy(this.#engine.socket).listen();
    const { end, ...rest } = await this.#engine.connect(proxy, leaseMs);
    this.#context.onTestFinished(async () => {
      await proxy.close(); // first: what is still asked then is answered by its failure
      await end();
    });
    return { proxy, ...rest };
  }

  options(way: Way, more: Partial<AttemptOptions<unknown>> = {}): AttemptOptions<unknown> {
    return { session: this.session, locks: way.locks, records: way.records, work: () => {}, ...more };
  }

  /** Starts an attempt that writes, and waits until it does. */
  async write(way: Way, name: string, more: Partial<AttemptOptions<unknown>> = {}): Promise<Writing> {
    let over = false;
    const facts = { token: 0, written: 0, doubts: 0 };
    const tell = (is: HistoryEvent['is'], record?: string, at = now()): void =>
      void this.history.push({ is, session: this.session, token: facts.token, at, ...(record && { record }) } as HistoryEvent);
    const work = async ({ guard, session, token, signal }: WorkContext): Promise<void> => {
      facts.token = token ?? 0;
      tell('granted');
      for (let n = 1; !over && !signal.aborted; n += 1) {
        const record = `${name}/${n}`;
        const at = now(); // before the gate is asked: held then means held now
        try {
          guard(() => tell('holds', undefined, at));
        } catch (error) {
          if ((error as { code?: string }).code === 'LEASE_IN_DOUBT') facts.doubts += 1;
        }
        tell('writes', record);
        await session.append({ record }).then(() => {
          tell('written', record);
          facts.written += 1;
        }, (error: { code?: string }) => {
          if (error.code !== 'WRITE_FAILED') tell('refused', record);
        });
        await pause(3);
      }
    };
    const attempt = createAttempt(this.options(way, { work, ...more }));
    const report = attempt.start();
    await become(`${name} writes`, () => facts.written > 0);
    const writing = {
      attempt, report,
      get token() { return facts.token; },
      get written() { return facts.written; },
      get doubts() { return facts.doubts; },
      end: () => {
        over = true;
        return report;
      },
    };
    return writing;
  }

  /** Reads what is there in the end and compares it with all that was told. */
  async judge(way: Way): Promise<void> {
    const { records } = await way.records.read(this.session);
    const found = records.map(({ record, token }) => ({ token, record: (record as { record: string }).record }));
    const { violations, grants } = checkHistory(this.history, new Map([[this.session, found]]));
    this.#context.expect(violations).toEqual([]);
    this.#context.expect(grants, 'a history to judge').toBeGreaterThan(0);
  }
}
