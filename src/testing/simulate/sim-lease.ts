/**
 * A process's hold on a simulated lock: renews it, notices doubt and loss, gives it back.
 * Owns: what the holder believes. Must not know: who else wants the lock.
 */
import type { Lease, LeaseNotice, ReleaseAnswer } from '../../locks/lock-store.js';
import { Notices } from '../../locks/notices.js';
import { LEASE_MS, RPC_MS, type Grant, type LockServer } from './lock-server.js';
import type { Network, Process } from './network.js';

const RENEW_EVERY_MS = LEASE_MS / 3;

export interface LeaseHost {
  readonly server: LockServer;
  readonly network: Network;
  readonly process: Process;
  /** Everyone who listens has been told of the loss. */
  lostTold(owner: string): void;
}

export class SimLease implements Lease {
  readonly token: number;
  readonly owner: string;
  deadline: number;
  readonly #notices = new Notices();
  #timer: unknown = null;
  #renewing: Promise<void> | null = null;
  #over = false;
  #inDoubt = false;
  #listened = false;
  #givenBack = false;

  /** @param askedAt when the grant was asked for, on the process's clock: its lease is counted from there */
  constructor(readonly host: LeaseHost, readonly name: string, { owner, token }: Grant, askedAt: number) {
    this.owner = owner;
    this.token = token;
    this.deadline = askedAt + LEASE_MS;
    this.#renewIn(RENEW_EVERY_MS);
  }

  /** Somebody has asked to give it back. */
  get isGivenBack(): boolean { return this.#givenBack; }

  async release(): Promise<ReleaseAnswer> {
    this.#givenBack = true;
    this.#stop();
    const { faults } = this.host.network;
    if (this.host.process.random.chance(0.03) && faults) return new Promise(() => {}); // never answers
    await this.#renewing; // one in flight is joined: it ends within RPC_MS
    const { server, network, process } = this.host;
    try {
      return await network.call(process, `release ${this.owner}`, () => server.release(this.name, this.owner));
    } catch {
      return 'unknown'; // an honest answer: the message may or may not have arrived
    }
  }

  onNotice(fn: (notice: LeaseNotice) => void): () => void {
    this.#listened = true;
    return this.#notices.listen(fn);
  }

  /** Somebody else asks us to go: not a loss. */
  supersede(by: string): void {
    if (!this.#over) this.#notices.tell({ type: 'superseded', by });
  }

  #stop(): void {
    this.#over = true;
    this.host.process.clock.clearTimeout(this.#timer ?? {});
    this.#timer = null;
  }

  #renewIn(ms: number): void {
    this.#timer = this.host.process.clock.setTimeout(() => { this.#renewing = this.#renew(); }, ms);
  }

  async #renew(): Promise<void> {
    const { server, network, process } = this.host;
    const askedAt = process.clock.now();
    let held: boolean | null = null; // not known
    try {
      held = await network.call(process, `renew ${this.owner}`, (at) => server.renew(this.name, this.owner, this.token, at));
    } catch { /* not known: asked again below */ }
    if (this.#over) return;
    if (held === false) return this.#lose('another attempt has it, or nobody');
    if (held) this.deadline = Math.max(this.deadline, askedAt + LEASE_MS);
    const late = process.clock.now() - this.deadline;
    if (late >= LEASE_MS) return this.#waitOut(askedAt);
    if (late >= 0 && !this.#inDoubt) this.#notices.tell({ type: 'inDoubt' });
    this.#inDoubt = late >= 0;
    this.#renewIn(held ? RENEW_EVERY_MS : RPC_MS / 4);
  }

  /**
   * Given up, and nothing more is sent. The last renewal may have been performed and only its answer lost: a loss told
   * at once would end an attempt whose grant lives on. So it is told when what that renewal gained is over too.
   */
  #waitOut(askedAt: number): void {
    const { clock } = this.host.process;
    this.#timer = clock.setTimeout(() => this.#lose('in doubt for too long'), Math.max(0, askedAt + LEASE_MS - clock.now()));
  }

  #lose(reason: string): void {
    this.#stop();
    this.host.server.world.counts.losses += 1;
    this.host.server.world.tell(this.owner, `is told that token ${this.token} is lost: ${reason}`);
    this.#notices.tell({ type: 'lost', reason });
    if (this.#listened) this.host.lostTold(this.owner);
  }
}
