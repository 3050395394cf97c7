/**
 * The runner everybody writes by hand, correct or with one of the family's bugs: what the incidents must catch.
 */
import type { AbortedBy, ReleaseAnswer } from '../../src/index.js';
import type { Lease } from '../../src/locks/lock-store.js';
import { deferred } from '../support/scene.js';
import type { Ending, Runner, RunOptions } from './runner-port.js';

export type Bug =
  | 'releases only after a timeout' | 'releases only after a user abort' | 'marks every abort abandoned'
  | 'forgets a lock that arrives late' | 'runs work that was aborted while acquiring'
  | 'waits for the work for ever'
  | 'takes the lock back for a late write' | 'skips the release inside a write' | 'releases inside a write'
  | 'tries the release once' | 'throws between work and release' | 'leaves the writer open'
  | 'lets the last cause win' | 'says done before it is' | 'counts the settle bound anew';

const LEASE_MS = 10_000;

export function handWritten(bug: Bug | null): Runner {
  return (options) => {
    const run = new HandWritten(options, bug);
    return { done: run.run(), abort: (by) => run.abort(by) };
  };
}

class HandWritten {
  readonly #told = new AbortController();
  readonly #aborted = deferred<'aborted'>();
  readonly #wanted = new AbortController();
  #abortedBy: AbortedBy | null = null;
  #abandoned = false;
  #started = false;
  #open = true;
  #writes: Promise<unknown>[] = [];
  #settleUntil = 0;

  constructor(readonly options: RunOptions, readonly bug: Bug | null) {}

  abort(by: AbortedBy): void {
    const { scene, settleMs = 2_000 } = this.options;
    if (this.#abortedBy !== null && this.bug === 'counts the settle bound anew') this.#settleUntil += settleMs;
    if (this.#abortedBy !== null && this.bug !== 'lets the last cause win') return;
    this.#abortedBy = by;
    this.#settleUntil = scene.clock.now() + settleMs;
    this.#abandoned = this.#started && (by === 'timeout' || this.bug === 'marks every abort abandoned');
    this.#open &&= this.bug === 'leaves the writer open' || this.bug === 'takes the lock back for a late write';
    this.#wanted.abort();
    this.#aborted.resolve('aborted');
    this.#told.abort(new DOMException(by, 'AbortError'));
  }

  async run(): Promise<Ending> {
    const lease = await this.#acquire();
    if (!lease) return this.#ending('notStarted');
    if (this.#abortedBy !== null && this.bug !== 'runs work that was aborted while acquiring') {
      await this.#release(lease);
      return this.#ending('notStarted');
    }
    const outcome = await this.#work();
    if (this.#abortedBy === null) this.#open = false;
    if (this.bug === 'throws between work and release') await this.options.cleanup?.();
    else await Promise.resolve().then(this.options.cleanup).catch(() => undefined);
    const forgets = (this.bug === 'releases only after a timeout' && this.#abortedBy === 'user')
      || (this.bug === 'releases only after a user abort' && this.#abortedBy === 'timeout')
      || (this.bug === 'skips the release inside a write' && this.#writes.length > 0);
    if (forgets) return this.#ending(outcome);
    const released = this.#release(lease);
    if (this.bug !== 'says done before it is') await released;
    return this.#ending(outcome);
  }

  async #acquire(): Promise<Lease | null> {
    const { locks, session = 'session', waitMs = 60_000 } = this.options;
    const info = { attemptId: 'hand', pid: process.pid, host: 'h', state: 'running.working', note: null, labels: {} };
    const asked = locks.acquire({
      session, owner: `hand ${Math.random()}`, waitMs, signal: this.#wanted.signal, info,
    });
    if (this.bug === 'forgets a lock that arrives late') {
      const first = await Promise.race([asked, this.#aborted.promise]);
      if (first === 'aborted') return null;
    }
    const result = await asked;
    return result.status === 'granted' ? result.lease : null;
  }

  async #work(): Promise<string> {
    const { scene, timeoutMs, work } = this.options;
    this.#started = true;
    const timer = timeoutMs === undefined ? null : scene.clock.setTimeout(() => this.abort('timeout'), timeoutMs);
    const tools = {
      signal: this.#told.signal, write: (text: string) => this.#write(text),
      guard: <R>(fn: () => Promise<R>) => this.#guard(fn),
    };
    const working = Promise.resolve(tools).then(work).then(() => 'completed', () => 'failed');
    const how = await Promise.race([working, this.#aborted.promise]);
    if (timer !== null) scene.clock.clearTimeout(timer);
    if (how !== 'aborted') return how;
    if (this.bug === 'waits for the work for ever') await working;
    const seesNoWrites = this.bug === 'releases inside a write' || this.bug === 'skips the release inside a write';
    await this.#settle(seesNoWrites ? working : working.then(() => Promise.all(this.#writes)));
    return 'aborted';
  }

  async #settle(working: Promise<unknown>): Promise<void> {
    const { clock } = this.options.scene;
    const ended = working.then(() => true);
    while (clock.now() < this.#settleUntil) {
      const [timer, over] = this.#timer(this.#settleUntil - clock.now());
      const settled = await Promise.race([ended, over]);
      clock.clearTimeout(timer);
      if (settled) return;
    }
  }

  async #release(lease: Lease): Promise<void> {
    const { clock } = this.options.scene;
    const until = clock.now() + LEASE_MS;
    for (let pause = 50; clock.now() < until; pause *= 2) {
      const asked = Promise.resolve(lease).then((one) => one.release()).catch((): ReleaseAnswer => 'unknown');
      if (this.bug === 'tries the release once') return void await asked;
      const [timer, over] = this.#timer(Math.min(2_500, until - clock.now()));
      const answer = await Promise.race([asked, over]);
      clock.clearTimeout(timer);
      if (answer === 'released' || answer === 'notHeld') return;
      await this.#timer(Math.min(pause, Math.max(0, until - clock.now())))[1];
    }
  }

  #timer(ms: number): [unknown, Promise<false>] {
    const { promise, resolve } = deferred<false>();
    return [this.options.scene.clock.setTimeout(() => resolve(false), ms), promise];
  }

  #guard<R>(fn: () => Promise<R>): Promise<R> {
    const writing = fn();
    const tracked: Promise<unknown> = writing.catch(() => undefined).then(() => {
      this.#writes = this.#writes.filter((one) => one !== tracked);
    });
    this.#writes.push(tracked);
    return writing;
  }

  async #write(text: string): Promise<void> {
    const { locks, session = 'session', scene } = this.options;
    if (!this.#open) throw new Error('closed');
    if (this.bug === 'takes the lock back for a late write' && this.#told.signal.aborted) {
      const info = { attemptId: 'hand', pid: 0, host: '', state: '', note: null, labels: {} };
      await locks.acquire({ session, owner: 'late', waitMs: 0, signal: new AbortController().signal, info });
    }
    scene.records.written.push({ token: null, record: { text } });
  }

  #ending(outcome: string): Ending {
    return {
      outcome: this.#abortedBy ? 'aborted' : outcome, abortedBy: this.#abortedBy, abandoned: this.#abandoned,
    };
  }
}
