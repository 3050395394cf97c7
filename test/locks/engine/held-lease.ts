/**
 * A lease by itself, held in an engine in memory: its heart beats when the test says so.
 */
import { SleepMeter } from '../../../src/clock.js';
import { EngineLease } from '../../../src/locks/engine/engine-lease.js';
import type { HolderInfo } from '../../../src/locks/lock-store.js';
import { asking, listen, microtasksDone, scene } from './scene.js';

/** Of a lease of six seconds: a third, its end by our clock, and how long it is revived after that. */
export const [LEASE_MS, THIRD_MS, END_MS, REVIVED_MS] = [6_000, 2_000, 5_940, 5_000];

export async function lease({ askMs = 1_000, info: some }: { askMs?: number; info?: Partial<HolderInfo> } = {}) {
  const { clock, server, engine } = scene();
  const { session, owner, info } = asking('holder', { ...(some && { info: some }) });
  const asked = { at: clock.now(), sleep: new SleepMeter(clock) };
  await engine.acquire({ session, owner, info, leaseMs: LEASE_MS, wait: false });
  const ended: EngineLease[] = [];
  const made = new EngineLease({
    engine, session, owner, info, clock, leaseMs: LEASE_MS, askMs, ended: (one) => void ended.push(one),
  }, 1, asked);
  const heard = listen(made);
  const types = () => heard.map(({ type }) => type);
  /** Time passes, and the heart beats once. */
  const beatAfter = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    made.beat();
    await microtasksDone();
  };
  return { clock, server, engine, made, heard, types, ended, beatAfter, renewals: () => server.count('renew') };
}
