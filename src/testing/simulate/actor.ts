/**
 * Plays one script: makes the real attempt, is its work and its cleanup, aborts it, and writes on as its zombie.
 * Owns: what the work does. Must not know: what ought to come of it.
 */
import { createAttempt } from '../../attempt.js';
import { AttemptError } from '../../errors.js';
import type { CleanupContext, WorkContext } from '../../options.js';
import type { LockServer } from './lock-server.js';
import type { Process } from './network.js';
import { ANSWER_MS, CLEANUP_MS, OPEN_MS, SAFETY_MS, WORK_ENDS_MS, type Script } from './plan.js';
import { randomOf, type Random } from './random.js';
import type { SessionLogs } from './session-log.js';
import type { SimLocks } from './sim-locks.js';
import { Watch } from './watch.js';

export interface Stage {
  readonly server: LockServer;
  readonly logs: SessionLogs;
  readonly process: Process;
  readonly locks: SimLocks;
  /** Makes ids differ between runs of one process; the trace does not show it. */
  readonly run: string;
}

export class Actor {
  readonly watch: Watch;
  readonly #signal = new AbortController();
  readonly #random: Random;

  constructor(readonly script: Script, readonly stage: Stage) {
    const { process, server, run } = stage;
    const { timeoutMs, idleTimeoutMs, index } = script;
    this.#random = randomOf(server.world.seed, `actor ${index}`);
    const attempt = createAttempt<unknown>({
      session: script.session, attemptId: `${run}-a${index}`, locks: stage.locks, records: stage.logs.recordsOf(process),
      clock: process.clock, signal: this.#signal.signal, waitMs: script.waitMs, settleMs: script.settleMs,
      onUnsettled: script.onUnsettled, answerMs: ANSWER_MS, openMs: OPEN_MS, cleanupMs: CLEANUP_MS,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(idleTimeoutMs !== undefined && idleTimeoutMs < (timeoutMs ?? Infinity) && { idleTimeoutMs }),
      ...(script.cleanup !== 'none' && { cleanup: (context: CleanupContext) => this.#cleanUp(context) }),
      work: (context) => this.#work(context),
    });
    this.watch = new Watch(`a${index}`, script.session, process, server, attempt, script);
  }

  /** Everything the script does at a time of its own. */
  schedule(): void {
    const { time } = this.stage.server.world;
    const { attempt } = this.watch;
    time.at(this.script.startAt, () => this.stage.process.clock.deliver(() => void attempt.start()));
    for (const { at, by, bySignal } of this.script.aborts) {
      time.at(at, () => this.stage.process.clock.deliver(() => this.#abort(by, bySignal)));
    }
  }

  #abort(by: Script['aborts'][number]['by'], bySignal: boolean): void {
    const { attempt } = this.watch;
    if (bySignal && by === 'user' && attempt.snapshot().state !== 'idle') return this.#signal.abort('stop');
    this.watch.aborted(by, attempt.abort(`by ${by}`, { by }));
  }

  async #work(context: WorkContext): Promise<unknown> {
    const { isZombie, workMs, throws } = this.script;
    this.watch.started(context.session);
    if (isZombie) this.#haunt(context);
    const { clock } = this.stage.process;
    const until = clock.now() + (isZombie ? SAFETY_MS + WORK_ENDS_MS : workMs);
    const end = SAFETY_MS + WORK_ENDS_MS;
    while (clock.now() < until && clock.time.now < end && (isZombie || !context.signal.aborted)) {
      await this.#writeSomehow(context);
      context.progress('at work');
      await new Promise<void>((resolve) => { clock.setTimeout(resolve, this.script.writeEveryMs); });
    }
    if (throws) throw new Error('the work failed');
    return 'the work is done';
  }

  /** As it comes: in a delicate section, after a window, or just so. */
  async #writeSomehow(context: WorkContext): Promise<void> {
    const { sections, yields, graceMs, pauses, windowMs } = this.script;
    const { counts } = this.stage.server.world;
    const pause = (ms: number): Promise<void> =>
      new Promise((resolve) => { this.stage.process.clock.setTimeout(resolve, ms); });
    try {
      if (this.#random.chance(yields)) {
        await context.yieldLock(async () => {
          counts.windows += 1;
          this.watch.inWindow();
          await pause(this.#random.between(0, windowMs));
          this.watch.inWindow();
        });
        counts.resumed += 1;
        this.watch.resumed();
      }
      if (!this.#random.chance(sections)) return await this.#write(context);
      await context.section('delicate', async () => {
        counts.sections += 1;
        await this.#write(context);
        await pause(this.#random.between(0, 600));
      }, { graceMs, pauseTimeout: pauses });
    } catch (error) {
      // Told to end, or to try again: the attempt's own signal, or a write that did not settle before a window.
      if (!context.signal.aborted && !(error instanceof AttemptError)) throw error;
    }
  }

  async #write({ session }: Pick<WorkContext, 'session'>): Promise<void> {
    const record = { by: this.script.index };
    try {
      const how = this.#random.next();
      if (how < 0.3) session.appendSync(record);
      else if (how < 0.9 || this.script.isZombie) await session.append(record);
      else await session.guard(async () => {});
    } catch (error) {
      if (!(error instanceof AttemptError)) throw error;
      this.stage.server.world.counts.refused += 1;
    }
  }

  /** A zombie's writes do not need its process, and some ask no gate: they were on their way for long. */
  #haunt({ token, session }: WorkContext): void {
    const { time } = this.stage.server.world;
    const { clock } = this.stage.process;
    const haunt = (): void => {
      const asks = this.#random.chance(0.5) && !clock.isAsleep; // on a sleeping machine nobody asks a gate
      if (asks) void this.#write({ session });
      else this.stage.logs.landRaw(this.script.session, token ?? 0);
      if (time.now < SAFETY_MS + WORK_ENDS_MS) time.at(time.now + this.#random.between(50, 900), haunt);
    };
    time.at(time.now + this.#random.between(50, 900), haunt);
  }

  async #cleanUp(context: CleanupContext): Promise<void> {
    await this.#write(context);
    if (this.script.cleanup === 'throws') throw new Error('the cleanup failed');
    if (this.script.cleanup === 'hangs') await new Promise<never>(() => {});
  }
}
