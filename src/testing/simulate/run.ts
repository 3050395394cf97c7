/**
 * One run: a safety phase with faults in which nothing may break, a liveness phase without in which all must end,
 * and an afterlife in which crashed processes wake up and still may break nothing.
 * Owns: the order of phases and the liveness bounds. Must not know: what an attempt does.
 */
import { attempts } from '../../register.js';
import { microtasksDone, VirtualClock } from '../virtual-clock.js';
import { Actor } from './actor.js';
import { attemptOf, LEASE_MS, LockServer, RPC_MS } from './lock-server.js';
import { Network, type Process } from './network.js';
import {
  ANSWER_MS, CLEANUP_MS, noHabits, OPEN_MS, planOf, SAFETY_MS, WORK_ENDS_MS, type Fault, type Plan, type Script, type SimulateOptions,
} from './plan.js';
import { randomOf } from './random.js';
import { SessionLogs } from './session-log.js';
import { POLL_MS, SimLocks } from './sim-locks.js';
import { World, type Counts, type Violation } from './world.js';

export interface RunResult {
  readonly options: SimulateOptions;
  readonly violation: Violation | null;
  readonly counts: Counts;
  readonly trace: readonly string[];
  /** Of the whole trace: the same for the same options. */
  readonly digest: string;
  /** How long after the faults ended the last attempt did, and how long that may take at most. */
  readonly liveness: { readonly longestMs: number; readonly boundMs: number };
}

/**
 * L1, from the end of the faults: an attempt that still waits may wait out its patience (those without limit wait for
 * the others, those with windows once more), then each step its own bound. `d` is a message each way per step.
 */
const D_MS = 4 * RPC_MS;
const HOLD_MS = ANSWER_MS + OPEN_MS + WORK_ENDS_MS + 1_000 + CLEANUP_MS + LEASE_MS + D_MS;
/** L3: a session whose holder is gone is granted again within the lease, a poll and a message. */
const AGAIN_MS = LEASE_MS + POLL_MS + D_MS;

let runs = 0;

export async function simulate(options: SimulateOptions): Promise<RunResult> {
  const simulation = new Simulation(options, `sim-${process.pid}-${runs += 1}`);
  await simulation.run();
  return simulation.result();
}

class Simulation {
  readonly world: World;
  readonly plan: Plan;
  readonly server: LockServer;
  readonly logs: SessionLogs;
  readonly network: Network;
  readonly processes: readonly Process[];
  readonly actors: Actor[] = [];
  #longestMs = 0;

  constructor(readonly options: SimulateOptions, readonly name: string) {
    const { seed } = options;
    this.world = new World(seed);
    this.plan = planOf(options);
    this.logs = new SessionLogs(this.world, (session, token) => this.#passed(session, token));
    this.server = new LockServer(this.world, this.logs.floorOf);
    this.network = new Network(this.world, options.messageFaults ?? 0.12);
    this.processes = Array.from({ length: this.plan.processes }, (_, index) => ({
      name: `p${index}`, clock: new VirtualClock(this.world.time), random: randomOf(seed, `process ${index}`),
      crashed: false, cutUntil: 0, stoodAt: -Infinity,
    }));
  }

  get boundMs(): number {
    return HOLD_MS * Math.max(1, this.plan.scripts.length + this.plan.scripts.filter(({ yields }) => yields > 0).length);
  }

  async run(): Promise<void> {
    for (const script of this.plan.scripts) this.#enter(script).schedule();
    for (const fault of this.plan.faults) this.world.time.at(fault.at, () => this.#strike(fault));
    await this.#until(SAFETY_MS, () => false);
    this.#endFaults();
    await this.#liveness();
    await this.#afterlife();
    await this.logs.verify();
    for (const { watch } of this.actors) watch.verifyEnd();
  }

  result(): RunResult {
    const { violation, counts, trace } = this.world;
    return {
      options: this.options, violation, counts, trace, digest: this.world.digest(),
      liveness: { longestMs: this.#longestMs, boundMs: this.boundMs },
    };
  }

  #enter(script: Script): Actor {
    const process = this.processes[script.process] as Process;
    const locks = new SimLocks({
      server: this.server, network: this.network, process,
      asked: (owner) => this.#actor(owner)?.watch.asked(),
      tried: (owner) => this.#actor(owner)?.watch.tried(),
      granted: (lease) => this.#actor(lease.owner)?.watch.granted(lease),
      lostTold: (owner) => this.#actor(owner)?.watch.lossTold(owner),
    });
    const actor = new Actor(script, { server: this.server, logs: this.logs, process, locks, run: this.name });
    this.actors.push(actor);
    this.world.counts.attempts += 1;
    return actor;
  }

  #actor(owner: string): Actor | undefined {
    return this.actors.find(({ watch }) => watch.name === attemptOf(owner));
  }

  /** A write passed the gate: then nobody else has been granted the session, unless it was taken by force. */
  #passed(session: string, token: number): void {
    const own = this.server.entriesOf(session).find(({ grant }) => grant.token === token);
    if (own?.ended?.how === 'by force') return;
    this.world.check('S2', !this.server.isSucceeded(session, token), () =>
      `${session}: a write of token ${token} passed the gate after the next grant`);
  }

  #strike(fault: Fault): void {
    const { world } = this;
    if ('session' in fault) {
      world.tell(fault.session, fault.kind);
      if (fault.kind === 'force') this.server.force(fault.session);
      else this.#supersede(fault.session);
      return;
    }
    const process = this.processes[fault.process] as Process;
    if (process.crashed) return;
    world.tell(process.name, `${fault.kind}${'ms' in fault ? ` ${fault.ms} ms` : ''}`);
    if (fault.kind === 'crash') {
      process.crashed = true;
      process.stoodAt = Infinity;
      world.counts.crashes += 1;
      process.clock.standStill('blocked');
    } else if (fault.kind === 'cut') process.cutUntil = world.time.now + fault.ms;
    else if (fault.kind === 'wallStep') process.clock.stepWall(fault.ms);
    else {
      world.counts.standstills += 1;
      process.clock.standStill(fault.kind);
      process.stoodAt = world.time.now;
      world.time.at(world.time.now + fault.ms, () => { if (!process.crashed) process.clock.goOn(); });
    }
  }

  #supersede(session: string): void {
    for (const { watch } of this.actors) {
      if (watch.session === session) watch.process.clock.deliver(() => watch.lease?.supersede('a newer message'));
    }
  }

  #endFaults(): void {
    this.world.tell('--', 'the faults end');
    this.network.faults = this.logs.faults = false;
    for (const process of this.processes) {
      process.cutUntil = 0;
      if (!process.crashed) process.clock.goOn();
    }
  }

  /** Every attempt of a living process ends within its bound, and then every session is granted again. */
  async #liveness(): Promise<void> {
    const { world } = this;
    const began = world.time.now;
    const living = this.actors.filter(({ watch }) => !watch.process.crashed);
    await this.#until(began + this.boundMs, () => living.every(({ watch }) => watch.report));
    this.#longestMs = Math.max(0, ...living.map(({ watch }) => (watch.endedAt ?? Infinity) - began));
    const stuck = living.find(({ watch }) => !watch.report)?.watch;
    if (!this.#stopped) world.check('L1', !stuck, () => `${stuck?.name} is still in ${stuck?.state} ${this.boundMs} ms after the faults`);
    if (this.#stopped) return;
    const process = this.processes.find(({ crashed }) => !crashed);
    if (!process) return;
    for (const [index, session] of this.plan.sessions.entries()) {
      const next = this.#enter({
        index: 1_000 + index, session, process: this.processes.indexOf(process), startAt: world.time.now, isZombie: false,
        waitMs: AGAIN_MS, timeoutMs: undefined, idleTimeoutMs: undefined, settleMs: 0, onUnsettled: 'fence',
        cleanup: 'none', workMs: 0, throws: false, writeEveryMs: 100, aborts: [], ...noHabits,
      });
      next.schedule();
      await this.#until(world.time.now + AGAIN_MS + HOLD_MS, () => next.watch.report !== null);
      world.check('L3', next.watch.report?.outcome === 'completed', () =>
        `${session} was not granted again within ${AGAIN_MS} ms: ${next.watch.report?.outcome}`);
    }
  }

  /** The crashed wake up, long after they were replaced: nothing breaks, and nothing stays armed (L5). */
  async #afterlife(): Promise<void> {
    for (const process of this.processes.filter(({ crashed }) => crashed)) {
      process.crashed = false;
      process.clock.goOn();
    }
    for (const { watch } of this.actors) if (!watch.report) watch.attempt.abort('the run is over', { by: 'shutdown' });
    await this.#until(this.world.time.now + HOLD_MS + SAFETY_MS, () => this.world.time.armed === 0);
    const left = this.actors.filter(({ watch }) => !watch.report).map(({ watch }) => watch.name);
    if (this.#stopped) return;
    this.world.check('L5', left.length === 0, () => `never ended: ${left.join(', ')}`);
    this.world.check('L5', this.world.time.armed === 0, () => `${this.world.time.armed} timers are left`);
    const named = attempts.active().filter(({ attemptId }) => attemptId.startsWith(`${this.name}-`));
    this.world.check('S6', named.length === 0, () => `still in the register: ${named.length}`);
  }

  get #stopped(): boolean {
    return this.world.violation !== null || this.world.counts.events >= (this.options.steps ?? Infinity);
  }

  async #until(at: number, isOver: () => boolean): Promise<void> {
    await microtasksDone();
    while (this.world.time.nextAt <= at && !this.#stopped && !isOver()) {
      if (!this.world.time.step()) return;
      this.world.counts.events += 1;
      await microtasksDone();
    }
  }
}
