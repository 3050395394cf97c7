/**
 * Messages between simulated processes and the lock's far side, and what can happen to them on the way.
 * Owns: delays, losses, doubles, failing answers. Must not know: what a message says.
 */
import type { VirtualClock } from '../virtual-clock.js';
import { RPC_MS } from './lock-server.js';
import type { Random } from './random.js';
import type { World } from './world.js';

export interface Process {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly random: Random;
  crashed: boolean;
  /** Cut off: no message of it arrives until then (world time). */
  cutUntil: number;
  /** When it last stood still (world time); -Infinity: never. */
  stoodAt: number;
}

type Fate = 'fine' | 'slow' | 'requestLost' | 'replyLost' | 'doubled' | 'failsBefore' | 'failsAfter';
const FATES: readonly Fate[] = ['slow', 'slow', 'requestLost', 'replyLost', 'doubled', 'failsBefore', 'failsAfter'];

export class Network {
  /** Off in the liveness phase. */
  faults = true;

  constructor(readonly world: World, readonly faultRate: number) {}

  /**
   * Asks the far side. Rejects with an error if it answers with one or not in time: then nobody knows what was done.
   * @param execute performed once at most, however often the message arrives; the time is when it was sent
   */
  call<T>(from: Process, what: string, execute: (sentAt: number) => T): Promise<T> {
    const { time } = this.world;
    const sentAt = time.now;
    const fate = this.#fate(from, what);
    let answer: { readonly value: T } | null = null;
    return new Promise<T>((resolve, reject) => {
      const limit = from.clock.setTimeout(() => reject(new Error(`${what}: no answer`)), RPC_MS);
      const reply = (settle: () => void, delay: number): void => void time.at(time.now + delay, () =>
        from.clock.deliver(() => { from.clock.clearTimeout(limit); settle(); }));
      const fails = (): void => reply(() => reject(new Error(`${what}: the store failed`)), this.#delay(from, fate));
      const arrive = (): void => {
        if (time.now - sentAt > RPC_MS || from.cutUntil > time.now) return;
        if (fate === 'failsBefore') return fails();
        answer ??= { value: execute(sentAt) };
        const { value } = answer;
        if (fate === 'failsAfter') return fails();
        if (fate !== 'replyLost') reply(() => resolve(value), this.#delay(from, fate));
      };
      if (fate !== 'requestLost') time.at(sentAt + this.#delay(from, fate), arrive);
      if (fate === 'doubled') time.at(sentAt + this.#delay(from, 'slow'), arrive);
    });
  }

  #fate(from: Process, what: string): Fate {
    const draw = from.random.chance(this.faultRate); // drawn in any case: the stream must not depend on the phase
    const fate = draw && this.faults ? from.random.pick(FATES) : 'fine';
    if (fate === 'fine') return fate;
    this.world.counts.faults += 1;
    this.world.tell(from.name, `message ${fate}: ${what}`);
    return fate;
  }

  #delay(from: Process, fate: Fate): number {
    const slow = fate === 'slow' && this.faults;
    return from.random.between(1, slow ? RPC_MS : 15);
  }
}
