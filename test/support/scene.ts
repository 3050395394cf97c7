/**
 * What a test of attempts needs: a clock, a scripted store, records, and the check that nothing is left behind.
 *
 * `useScene()` is called once a test file. After each test it holds the whole file to L5: no attempt at work, no
 * timer on a test clock, no listener on a caller's signal or a lease, no session open, no rejection unheard.
 */
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect } from 'vitest';
import { attempts, createAttempt, type Attempt, type AttemptOptions } from '../../src/index.js';
import { ScriptedStore, type Script } from './scripted-store.js';
import { microtasksDone as settled, VirtualClock } from '../../src/testing/virtual-clock.js';
import { TestRecords } from './test-records.js';
import type { StoreCapabilities } from '../../src/locks/lock-store.js';

export class Scene {
  readonly clock = new VirtualClock();
  readonly records = new TestRecords();
  readonly signals: AbortController[] = [];
  readonly stores: ScriptedStore[] = [];
  readonly warnings: { readonly code: string; readonly message: string }[] = [];
  readonly #hear = (warning: Error & { code?: string }): void => {
    if (warning.code?.startsWith('ATTEMPT_')) this.warnings.push({ code: warning.code, message: warning.message });
  };

  /** What an earlier test has left is that test's failure. */
  readonly #before = new Set(attempts.active().map(({ attemptId }) => attemptId));
  #others: ((warning: Error) => void)[] = [];

  /** Hears warnings instead of whoever prints them. */
  listen(): void {
    this.#others = process.listeners('warning');
    process.removeAllListeners('warning').on('warning', this.#hear);
  }

  silence(): void {
    process.off('warning', this.#hear);
    for (const other of this.#others) process.on('warning', other);
  }

  /** A store of this scene's clock. */
  store(script: Script = {}, capabilities: Partial<StoreCapabilities> = {}): ScriptedStore {
    const store = new ScriptedStore(this.clock, script, capabilities);
    this.stores.push(store);
    return store;
  }

  /** A caller's signal, watched. */
  controller(): AbortController {
    const controller = new AbortController();
    this.signals.push(controller);
    return controller;
  }

  /** An attempt on this clock, with a granting store and records in memory unless the options say otherwise. */
  attempt<T = unknown>(options: Partial<AttemptOptions<T>> & Pick<AttemptOptions<T>, 'work'>): Attempt<T> {
    return createAttempt<T>({
      session: 'session', clock: this.clock, records: this.records, ...options,
      locks: options.locks ?? this.store(),
    });
  }

  /** Has everything that can go on without time gone on? Afterwards yes. */
  settled(): Promise<void> {
    return settled();
  }

  /** Waits for a promise while no time passes, except for what waits for no time at all. */
  async now<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    void promise.then(() => { over = true; }, () => { over = true; });
    while (!over) await this.clock.advance(0);
    return promise;
  }

  /** Codes of the warnings so far. */
  async warned(): Promise<string[]> {
    await settled();
    return this.warnings.map(({ code }) => code);
  }

  async expectNothingLeft(): Promise<void> {
    await settled();
    const left = attempts.active().filter(({ attemptId }) => !this.#before.has(attemptId));
    expect(left, 'no attempt is at work').toEqual([]);
    expect(this.clock.armed, 'no timer is left').toBe(0);
    for (const { signal } of this.signals) {
      expect(getEventListeners(signal, 'abort'), 'no listener is left on the signal').toEqual([]);
    }
    for (const store of this.stores) {
      expect(store.held, 'nothing is held').toBe(0);
      for (const { lease } of store.asks) expect(lease?.listeners ?? 0, 'no listener is left on a lease').toBe(0);
    }
    expect(this.records.opened - this.records.closed, 'no session is open').toBe(0);
  }
}

/** A fresh scene for each test of the file, checked for leftovers after it. */
export function useScene(): () => Scene {
  let scene = new Scene();
  beforeEach(() => {
    scene = new Scene();
    scene.listen();
  });
  afterEach(async () => {
    await scene.expectNothingLeft();
    scene.silence();
  });
  return () => scene;
}

/** Waits for a fact that real disks and threads bring about, in no time of a test clock. */
export async function until(fact: () => unknown): Promise<void> {
  while (!fact()) await settled();
}

/** A promise settled from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T = unknown>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined); // it may be rejected before anybody looks
  return { promise, resolve, reject };
}

/** An object that is awaited by whoever awaits it. Made here alone, since elsewhere it would be a mistake. */
export function thenable<T extends object>(then: (resolve: (value: unknown) => void) => unknown, on: T): T {
  Object.defineProperty(on, 'then', { value: then }); // oxlint-disable-line no-thenable
  return on;
}

/** Work that ends when its signal says so, by throwing the signal's reason. */
export const untilAborted = ({ signal }: { signal: AbortSignal }): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

/** Work that never settles, whatever it is told. */
export const never = (): Promise<never> => new Promise(() => {});
