/**
 * What will happen in a run, drawn from the seed before it begins: attempts, aborts, faults of processes.
 * Owns: the proportions. Must not know: how any of it is carried out.
 */
import type { AbortRequester } from '../../options.js';
import type { Standstill } from '../virtual-clock.js';
import { randomOf, type Random } from './random.js';

export interface SimulateOptions {
  readonly seed: number;
  /** Attempts of the safety phase; 1 to 200. Default: 10. */
  readonly attempts?: number;
  /** How many of them ignore every abort and go on writing past every check. Default: 3. */
  readonly zombies?: number;
  /** Only these attempts, by number: what a story was shrunk to. Default: all. */
  readonly only?: readonly number[];
  /** Events after which the run stops, whatever was reached. Default: no limit. */
  readonly steps?: number;
  /** Faults of processes and locks (crashes, sleeps, cuts, force). Default: true. */
  readonly processFaults?: boolean;
  /** Share of messages to which something happens, 0 to 1. Default: 0.12. */
  readonly messageFaults?: number;
}

/** The safety phase, milliseconds: attempts start and faults happen within. */
export const SAFETY_MS = 20_000;
/** No work of any attempt goes on longer than this after the safety phase, zombies included. */
export const WORK_ENDS_MS = 4_000;

/** Bounds that are the same for all attempts. */
export const ANSWER_MS = 2_000;
export const OPEN_MS = 1_500;
export const CLEANUP_MS = 1_000;

export interface Script {
  readonly index: number;
  readonly session: string;
  readonly process: number;
  readonly startAt: number;
  readonly isZombie: boolean;
  readonly waitMs: number;
  readonly timeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly settleMs: number;
  readonly onUnsettled: 'fence' | 'hold';
  readonly cleanup: 'none' | 'writes' | 'throws' | 'hangs';
  readonly workMs: number;
  readonly throws: boolean;
  readonly writeEveryMs: number;
  /** Each time it writes: the chance to give the lock up for a window, and how long that lasts. */
  readonly yields: number;
  readonly windowMs: number;
  /** Each time it writes: the chance to do so in a delicate section, and what that does to the budgets. */
  readonly sections: number;
  readonly graceMs: number;
  readonly pauses: boolean;
  readonly aborts: readonly { readonly at: number; readonly by: AbortRequester; readonly bySignal: boolean }[];
}

export type Fault =
  | { readonly at: number; readonly kind: 'crash'; readonly process: number }
  | { readonly at: number; readonly kind: Standstill; readonly process: number; readonly ms: number }
  | { readonly at: number; readonly kind: 'cut'; readonly process: number; readonly ms: number }
  | { readonly at: number; readonly kind: 'wallStep'; readonly process: number; readonly ms: number }
  | { readonly at: number; readonly kind: 'force' | 'supersede'; readonly session: string };

export interface Plan {
  readonly sessions: readonly string[];
  readonly processes: number;
  readonly scripts: readonly Script[];
  readonly faults: readonly Fault[];
}

export function planOf(options: SimulateOptions): Plan {
  const { seed, attempts = 10, zombies = 3, only, processFaults = true } = options;
  const random = randomOf(seed, 'plan');
  const sessions = Array.from({ length: random.between(1, 3) }, (_, index) => `s${index}`);
  const processes = random.between(2, 4);
  const scripts = Array.from({ length: attempts }, (_, index) =>
    ({ ...scriptOf(randomOf(seed, `script ${index}`), index, index < zombies, sessions, processes),
      ...habitsOf(randomOf(seed, `habits ${index}`)) }));
  const faults = processFaults ? faultsOf(randomOf(seed, 'faults'), sessions, processes) : [];
  return { sessions, processes, faults, scripts: scripts.filter(({ index }) => only?.includes(index) ?? true) };
}

function scriptOf(
  random: Random, index: number, isZombie: boolean, sessions: readonly string[], processes: number,
): Omit<Script, keyof Habits> {
  const startAt = random.between(0, SAFETY_MS * 0.8);
  const timeoutMs = random.chance(0.4) ? random.between(300, 4_000) : undefined;
  const by: readonly AbortRequester[] = ['user', 'user', 'timeout', 'shutdown', 'superseded'];
  return {
    index, isZombie, startAt, timeoutMs,
    session: random.pick(sessions), process: random.between(0, processes - 1),
    waitMs: random.pick([0, 1_500, 6_000, 20_000, Infinity]),
    idleTimeoutMs: random.chance(0.2) ? random.between(100, 250) : undefined,
    settleMs: random.pick([0, 300, 1_000]),
    onUnsettled: random.chance(0.2) ? 'hold' : 'fence',
    cleanup: random.pick(['none', 'none', 'writes', 'throws', 'hangs']),
    workMs: random.pick([0, 50, 800, 3_000, 8_000]),
    throws: random.chance(0.2),
    writeEveryMs: random.between(20, 400),
    aborts: Array.from({ length: random.pick([0, 0, 1, 1, 2, 3]) }, () => ({
      at: startAt + random.between(-500, 8_000), by: random.pick(by), bySignal: random.chance(0.3),
    })),
  };
}

export const noHabits = { yields: 0, windowMs: 0, sections: 0, graceMs: 0, pauses: false };
type Habits = typeof noHabits;

/** Half of all attempts have windows, a third have sections. */
function habitsOf(random: Random): Habits {
  const [yields, sections] = [random.chance(0.5), random.chance(0.35)];
  return {
    yields: yields ? random.pick([0.2, 0.6]) : 0, windowMs: random.pick([0, 20, 300, 1_500]),
    sections: sections ? random.pick([0.2, 0.7]) : 0, graceMs: random.pick([0, 100, 800]), pauses: random.chance(0.3),
  };
}

function faultsOf(random: Random, sessions: readonly string[], processes: number): readonly Fault[] {
  return Array.from({ length: random.between(0, 8) }, (): Fault => {
    const at = random.between(500, SAFETY_MS);
    const process = random.between(0, processes - 1);
    const kind = random.pick(['crash', 'asleep', 'asleep', 'blocked', 'cut', 'cut', 'wallStep', 'force', 'supersede']);
    // A sleep shorter than the noise of `os.uptime` (1 s) is none, see clock.ts.
    const ms = random.between(1_200, 9_000);
    switch (kind) {
      case 'crash': return { at, kind, process };
      case 'wallStep': return { at, kind, process, ms: random.between(-60_000, 60_000) };
      case 'force': case 'supersede': return { at, kind, session: random.pick(sessions) };
      default: return { at, kind: kind as Standstill | 'cut', process, ms };
    }
  });
}
