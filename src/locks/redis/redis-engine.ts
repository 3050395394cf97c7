/**
 * Redis as an engine of locks: the scripts, and what their answers mean. Owns nothing but its blocking connection.
 */
import type { Clock } from '../../clock.js';
import { AttemptError } from '../../errors.js';
import { noticesOf, parsed } from '../engine/asks.js';
import { infoText, readInfo } from '../engine/info.js';
import {
  ALIVE_MS, type AskLaid, type EngineAsk, type EngineBusy, type EngineClaim, type EngineGrant, type EngineHolder,
  type EngineRelease, type EngineStatus, type EngineWaiter, type LockEngine, type Ring,
} from '../engine/lock-engine.js';
import type { AskAnswer, HolderInfo, LeaseNotice } from '../lock-store.js';
import { Bell } from './bell.js';
import { isConnectionFailure, type Commands, type Script } from './client.js';
import { bellsOf, keysOf, sessionOf, type SessionKeys } from './keys.js';
import * as scripts from './scripts.js';

export class RedisEngine implements LockEngine {
  readonly tokenScope = 'until-failover';
  /** A script runs alone: whoever releases has either seen us in line, or we have seen their release. */
  readonly firstLookMs = Infinity;
  readonly #commands: Commands;
  readonly #prefix: string;
  readonly #bell: Bell;
  /** In front of the id of a bell, as a script has to spell it. */
  readonly #bells: string;
  #last: { readonly session: string; readonly keys: SessionKeys } | null = null;

  constructor(commands: Commands, prefix: string, clock: Clock) {
    this.#commands = commands;
    this.#prefix = prefix;
    this.#bells = `${commands.keyPrefix}${bellsOf(prefix)}`;
    this.#bell = new Bell(commands, bellsOf(prefix), clock);
  }

  async acquire({ session, owner, leaseMs, info, wait }: EngineAsk): Promise<EngineGrant | EngineBusy> {
    const args = [leaseMs, infoText(info, this.#bell.name), wait ? 1 : 0, ALIVE_MS];
    const answer = await this.#run(scripts.acquire, session, owner, args, 'buried') as [number, ...string[]];
    if (Number(answer[0]) === 1) {
      const [, token, isNew, epoch] = answer;
      return { status: 'granted', token: Number(token), isNew: Number(isNew) === 1, epoch: epoch ?? '' };
    }
    const [, heldBy = '', token = '', ends = '', since = '', text = '', left = ''] = answer;
    const seen = { status: 'busy', token: Number(token) } as const;
    if (heldBy === '') return { ...seen, holder: null, endsInMs: Infinity };
    return { ...seen, holder: holderOf(heldBy, token, ends, since, text), endsInMs: Number(left) };
  }

  async raise({ session, owner, token }: EngineClaim, floor: number): Promise<number | null> {
    const answer = await this.#run(scripts.raise, session, owner, [token, floor]);
    return answer === null ? null : Number(answer);
  }

  async renew({ session, owner, token }: EngineClaim, leaseMs: number, info: HolderInfo): Promise<readonly LeaseNotice[] | null> {
    const args = [token, leaseMs, infoText(info, this.#bell.name, 'with facts')];
    const asked = await this.#run(scripts.renew, session, owner, args, 'asks') as string[] | null;
    return asked && noticesOf(asked.map(parsed));
  }

  async ask(session: string, token: number, ask: AskLaid): Promise<AskAnswer> {
    return String(await this.#run(scripts.ask, session, '', [token, ask.as, laid(ask), this.#asks(session)])) as AskAnswer;
  }

  async withdraw(session: string, token: number, ask: AskLaid): Promise<void> {
    await this.#run(scripts.withdraw, session, '', [token, laid(ask), this.#asks(session)]);
  }

  async release({ session, owner, token }: EngineClaim): Promise<EngineRelease> {
    return String(await this.#run(scripts.release, session, owner, [token])) as EngineRelease;
  }

  async bury(session: string, owner: string, keepMs: number): Promise<boolean> {
    return Number(await this.#run(scripts.bury, session, owner, [Math.ceil(keepMs)], 'buried')) === 1;
  }

  async force(session: string, token: number): Promise<boolean> {
    return Number(await this.#run(scripts.force, session, '', [token])) === 1;
  }

  async read(session: string): Promise<EngineStatus> {
    const answer = await this.#run(scripts.read, session, '', []) as string[];
    const [owner = '', token = '', ends = '', since = '', info = '', now = '', ...waiting] = answer;
    const seen = { now: Number(now), token: Number(token) };
    return { ...seen, holder: owner === '' ? null : holderOf(owner, token, ends, since, info), waiting: waiting.map(waiterOf) };
  }

  async sessions(most: number): Promise<readonly string[]> {
    if (this.#commands.isCluster) throw new AttemptError('CONFIG_INVALID', 'in a cluster name the sessions: they lie on many nodes');
    const before = `${this.#commands.keyPrefix}${this.#prefix}:{`;
    const held = new Set<string>();
    let cursor = '0';
    do {
      const pattern = `${before.replace(/[*?[\]\\^]/g, '\\$&')}*}:lock`;
      const [next, keys] = await this.#commands.call(['SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000']) as [unknown, string[]];
      const found = keys.map(String).map((key) => sessionOf(key.slice(before.length, -'}:lock'.length)));
      const looks = await Promise.all(found.map(async (session) => ({ session, holder: (await this.read(session)).holder })));
      for (const { session, holder } of looks) if (holder !== null) held.add(session);
      cursor = String(next);
    } while (cursor !== '0' && held.size < most);
    return [...held].sort().slice(0, most);
  }

  async leave(session: string, owner: string): Promise<void> {
    await this.#run(scripts.leave, session, owner, []);
  }

  listen(_session: string, owner: string, ring: Ring): () => void {
    return this.#bell.listen(owner, ring);
  }

  isConnectionFailure(error: unknown): boolean {
    return isConnectionFailure(error);
  }

  /** A session is asked about several times in a row: its keys are put together once. */
  #keysOf(session: string): SessionKeys {
    if (this.#last?.session !== session) this.#last = { session, keys: keysOf(this.#prefix, session) };
    return this.#last.keys;
  }

  /** In a script a key has to be spelled as the client would. */
  #asks(session: string): string {
    return `${this.#commands.keyPrefix}${this.#keysOf(session).asks}`;
  }

  #run(
    script: Script, session: string, owner: string, args: readonly (string | number)[], fifth?: 'buried' | 'asks',
  ): Promise<unknown> {
    const all = this.#keysOf(session);
    const keys = [all.lock, all.line, all.waiters, all.seen, ...(fifth ? [`${all[fifth]}${owner}`] : [])];
    return script.run(this.#commands, keys, [owner, this.#bells, ...args]);
  }
}

const laid = ({ id, as, notice }: AskLaid): string => JSON.stringify({ id, as, ...notice });

function holderOf(owner: string, token: string, ends: string, since: string, info: string): EngineHolder {
  return { ...readInfo(info), owner, token: Number(token), since: Number(since) || null, until: Number(ends) || null };
}

/** A waiter is kept as the time it came, a blank, and what it tells. */
function waiterOf(text: string): EngineWaiter {
  const blank = text.indexOf(' ');
  const { attemptId, pid, host, instance } = readInfo(text.slice(blank + 1));
  return { attemptId: attemptId ?? '', pid: pid ?? 0, host: host ?? '', since: Number(text.slice(0, blank)), instance };
}
