/**
 * What an incident asks of a runner, so that the same sequence and the same assertions can be put to ours and to a
 * hand-written one that has the bug. `incident()` does both.
 */
import { describe, expect, test } from 'vitest';
import { createAttempt, type AbortedBy, type AttemptOptions, type LockStore } from '../../src/index.js';
import { Scene, useScene } from '../support/scene.js';
import type { Bug } from './hand-written.js';
import { handWritten } from './hand-written.js';

export interface WorkTools {
  readonly signal: AbortSignal;
  write(text: string): Promise<void>;
  /** Runs a write of the caller's own; the release should wait for it. */
  guard<R>(fn: () => Promise<R>): Promise<R>;
}

export interface RunOptions {
  readonly scene: Scene;
  readonly locks: LockStore;
  readonly session?: string;
  readonly work: (tools: WorkTools) => unknown;
  readonly cleanup?: () => unknown;
  readonly settleMs?: number;
  readonly timeoutMs?: number;
  readonly waitMs?: number;
}

export interface Ending {
  readonly outcome: string;
  readonly abortedBy: AbortedBy | null;
  readonly abandoned: boolean;
}

export interface Running {
  readonly done: Promise<Ending>;
  abort(by: 'user' | 'timeout' | 'shutdown' | 'superseded', reason?: unknown): void;
}

export type Runner = (options: RunOptions) => Running;

export const ours: Runner = ({ scene, locks, session = 'session', work, ...options }) => {
  const attempt = createAttempt({
    ...options as Partial<AttemptOptions<unknown>>, session, locks, clock: scene.clock, records: scene.records,
    work: ({ signal, session: writer, guard }) => work({
      signal, write: (text) => writer.append({ text }), guard,
    }),
  });
  return { done: attempt.start(), abort: (by, reason) => void attempt.abort(reason, { by }) };
};

/** An outsider's single try, past every runner: true if the lock could be had. It is given back. */
export async function isFree(scene: Scene, locks: LockStore, session = 'session'): Promise<boolean> {
  const info = { attemptId: 'outsider', pid: 0, host: '', state: '', note: null, labels: {} };
  const asked = locks.acquire({
    session, owner: `outsider ${Math.random()}`, waitMs: 0, signal: new AbortController().signal, info,
  });
  await scene.clock.advance(0);
  const result = await asked;
  if (result.status === 'granted') await result.lease.release();
  return result.status === 'granted';
}

/** Has it ended by now? Does not wait for time. */
export async function hasEnded(scene: Scene, running: Running): Promise<Ending | null> {
  let ending: Ending | null = null;
  void running.done.then((one) => { ending = one; }, () => undefined);
  await scene.settled();
  return ending;
}

/**
 * An incident: the sequence holds for ours and for a hand-written runner without bugs; with the bug it is
 * caught.
 */
export function incident(
  title: string, bugs: Bug | readonly Bug[], sequence: (runner: Runner, scene: Scene) => Promise<void>,
): void {
  const scene = useScene();
  describe(title, () => {
    test(`${title}: ours`, () => sequence(ours, scene()));
    test(`${title}: a correct runner passes, so the assertions ask for nothing of ours alone`, () =>
      sequence(handWritten(null), scene()));
    for (const bug of [bugs].flat()) {
      test(`${title}: must fail: a runner that ${bug}`, async () => {
        const spoilt = new Scene(); // what the bug leaves behind is not held against this test
        const caught = await sequence(handWritten(bug), spoilt).then(() => null, (error: unknown) => error);
        expect(caught, 'the assertions catch the bug').toMatchObject({ name: 'AssertionError' });
      });
    }
  });
}
