/**
 * A fleet on one virtual clock: processes that ask for, hold and give back locks of one engine in memory, while questions
 * and answers are late, lost or refused, and processes stand still. The same seed, the same life. Owns: what happens, and what is judged as it does.
 */
import { randomOf, type Random } from '../../../src/testing/simulate/random.js';
import { VirtualClock } from '../../../src/testing/virtual-clock.js';
import { EngineLocks } from '../../../src/locks/engine/engine-locks.js';
import type { Lease, ReleaseAnswer } from '../../../src/locks/lock-store.js';
import { faults, type Fault } from './faults.js';
import { MemoryEngine, MemoryServer } from './memory-engine.js';
import { asking } from './scene.js';

const [LEASE_MS, WORKERS, ROUNDS] = [3_000, 6, 6];
/** When the weather clears: from then on everything has to come to its end. */
const STORM_MS = 60_000;

export interface Told {
  /** What must not be, as it was seen. */
  readonly broken: readonly string[];
  readonly grants: number;
  readonly lost: number;
  readonly unknown: number;
}

function weatherOf(random: Random, clock: VirtualClock): () => Fault | undefined {
  const [outageAt, outageMs] = [random.between(0, STORM_MS / 2), random.pick([0, 1_000, 9_000])];
  return () => {
    const now = clock.now();
    if (now >= outageAt && now < outageAt + outageMs) return random.pick<Fault>([faults.cut, faults.swallowed]);
    if (now > STORM_MS || random.chance(0.6)) return undefined;
    const [there, back] = [random.between(0, 400), random.between(0, 400)];
    if (random.chance(0.6)) {
      return async (perform) => {
        await clock.pause(there);
        const found = perform();
        await clock.pause(back);
        return found;
      };
    }
    const fault = random.pick<Fault>([faults.cut, faults.lost, faults.lost, faults.silent, faults.swallowed, faults.refused]);
    return async (perform) => {
      await clock.pause(there);
      return fault(perform);
    };
  };
}

/** One process: its clock, which others do not stop, and what it has been granted. */
class Worker {
  readonly #fleet: Fleet;
  readonly #name: number;
  readonly #random: Random;
  readonly clock: VirtualClock;
  readonly #store: EngineLocks;

  constructor(fleet: Fleet, name: number) {
    this.#fleet = fleet;
    this.#name = name;
    this.#random = randomOf(fleet.seed, `worker ${name}`);
    this.clock = new VirtualClock(fleet.clock.time);
    const engine = new MemoryEngine(fleet.server, (fn) => this.clock.deliver(fn));
    this.#store = new EngineLocks({ engine, clock: this.clock, leaseMs: LEASE_MS, name: 'a test' });
  }

  async work(): Promise<void> {
    const { pick, between, chance } = this.#random;
    for (let round = 0; round < ROUNDS; round += 1) {
      const [session, owner, leaves] = [`key ${between(1, 2)}`, `${this.#name}.${round}`, new AbortController()];
      await this.clock.pause(between(0, 3_000));
      if (chance(0.3)) void this.clock.pause(between(0, 4_000)).then(() => leaves.abort());
      const [floor, readMs] = [chance(0.2) ? between(0, 40) : 0, pick([0, 10, 1_500])];
      const tokenFloor = async () => {
        await this.clock.pause(readMs);
        return Math.min(floor, this.#fleet.server.at(session).token + 3);
      };
      const request = asking(owner, { session, waitMs: pick([0, 300, 5_000, Infinity]), signal: leaves.signal, tokenFloor });
      const answer = await this.#store.acquire(request);
      const lease = answer.status === 'granted' ? answer.lease : null;
      this.#fleet.told.unknown += answer.status === 'unknown' ? 1 : 0;
      this.#fleet.must(!lease || !leaves.signal.aborted, `S11: ${owner} had left, and was granted ${session}`);
      // A lost lease is not given back: what the engine may still have of it ends by itself.
      const isLost = lease !== null && await this.#hold(session, lease);
      if (answer.status !== 'busy' && !isLost) await this.#giveBack(session, owner, lease);
    }
  }

  /** Stands still at times, as a process that is stopped does. */
  async stall(random: Random): Promise<void> {
    const { clock } = this.#fleet;
    while (clock.now() < STORM_MS && random.chance(0.6)) {
      await clock.pause(random.between(0, 12_000));
      this.clock.standStill('blocked');
      await clock.pause(random.pick([50, 700, 4_000, 9_000]));
      this.clock.goOn();
    }
  }

  /** @returns true: it was lost meanwhile */
  async #hold(session: string, lease: Lease): Promise<boolean> {
    const { must, granted, server, told } = this.#fleet;
    let isLost = false;
    lease.onNotice(({ type }) => { isLost ||= type === 'lost'; });
    must(!granted.has(`${session} ${lease.token}`), `S1: ${session}: token ${lease.token} was granted twice`);
    granted.add(`${session} ${lease.token}`);
    for (let left = this.#random.between(0, 12); left > 0 && !isLost; left -= 1) {
      await this.clock.pause(this.#random.between(1, 900));
      const { owner, token } = server.at(session);
      const isSure = !isLost && this.clock.now() < lease.deadline;
      must(!isSure || (owner === lease.owner && token === lease.token), `S2: ${lease.owner} believes in ${session}, and ${owner} has it`);
    }
    told.lost += isLost ? 1 : 0;
    return isLost;
  }

  /** As an attempt does: by its lease, or by its owner, until somebody knows. */
  async #giveBack(session: string, owner: string, lease: Lease | null): Promise<void> {
    for (let answer: ReleaseAnswer = 'unknown'; answer === 'unknown';) {
      answer = lease && this.#random.chance(0.7) ? await lease.release() : await this.#store.releaseOwner(session, owner);
      const kept = this.#fleet.server.at(session);
      const isFree = kept.owner !== owner || !this.#fleet.server.isHeld(kept);
      if (answer === 'unknown') await this.clock.pause(50);
      else this.#fleet.must(isFree, `S6: ${owner} was told ${answer}, and holds ${session}`);
    }
  }
}

class Fleet {
  readonly seed: number;
  readonly clock = new VirtualClock();
  readonly server = new MemoryServer(this.clock);
  readonly broken: string[] = [];
  readonly granted = new Set<string>();
  readonly told = { lost: 0, unknown: 0 };

  constructor(seed: number) {
    this.seed = seed;
    this.server.weather = weatherOf(randomOf(seed, 'weather'), this.clock);
  }

  must = (holds: boolean, what: string): void => {
    if (!holds) this.broken.push(`${Math.round(this.clock.now())} ms: ${what}`);
  };

  async live(): Promise<void> {
    const { must, server, clock } = this;
    const workers = Array.from({ length: WORKERS }, (_, name) => new Worker(this, name));
    const all = workers.flatMap((one, name) => [one.work(), one.stall(randomOf(this.seed, `stalls of ${name}`))]);
    let left = all.length;
    Promise.all(all.map((one) => one.then(() => { left -= 1; }))).catch((error: Error) => must(false, `thrown: ${error.stack}`));
    // Once the weather is clear nobody waits longer than those before it hold, and what is under way takes to be over.
    for (let minutes = 0; minutes < 20 && left > 0; minutes += 1) await clock.advance(60_000);
    must(left === 0, `L1 L4: ${left} of ${WORKERS} never came to their end`);
    await clock.advance(LEASE_MS + 6_000);
    for (const session of server.sessions) must(false, `S6: ${session} is held by ${server.at(session).owner} at the end`);
    must(clock.time.armed === 0, `L5: ${clock.time.armed} timers are left`);
    must(server.bells.size === 0, `L5: ${[...server.bells.keys()].join()} listen at the end`);
  }
}

/** One life of a fleet. @param seed the same seed, the same life */
export async function live(seed: number): Promise<Told> {
  const fleet = new Fleet(seed);
  await fleet.live();
  return { broken: fleet.broken, grants: fleet.granted.size, ...fleet.told };
}
