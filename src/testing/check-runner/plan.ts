/**
 * Which sequences a mode is exercised with on this port, or why it is not.
 * Owns: what each mode needs. Must not know: how sequences are drawn or run.
 */
import { NO_ABORT, NO_FAIL_RELEASE, NO_LEASE, NO_OUTCOME, NO_WRITER, type Abilities } from './abilities.js';
import { MODES, type ModeId } from './modes.js';
import * as lock from './sequences/lock.js';
import * as neighbours from './sequences/neighbours.js';
import type { Context, FastCheck, Steps } from './sequences/context.js';
import type { Cause } from './watched-attempt.js';

/** Longer than this nobody stops a whole process for a check, milliseconds. */
const LONGEST_STALL_MS = 3_000;

export interface Plan {
  readonly ways: readonly { readonly name: string; readonly steps: Steps }[];
  /** Why the mode is not exercised: nothing of it, or not what it is about. */
  readonly why: string | null;
  /** What else was left out. */
  readonly missing: readonly string[];
}

/** What is known to be broken when a mode's turn comes: it is left out of what follows, and told once. */
export interface Known {
  readonly abilities: Abilities;
  readonly broken: ReadonlySet<ModeId>;
  readonly brokenCauses: ReadonlySet<Cause>;
}

type Need = (known: Known, context: Context) => string | null;

const needsCause: Need = ({ abilities }, { causes }) => {
  if (causes.length > 0) return null;
  return abilities.causes.length > 0 ? 'every kind of abort the runner knows breaks M01 already' : NO_ABORT;
};
const needsAbort: Need = (known, context) => {
  if (!known.abilities.abort) return NO_ABORT;
  return context.causes.some((cause) => cause !== 'limit')
    ? null
    : 'every kind of abort() breaks M01 already';
};
const needsWriter: Need = ({ abilities }) => (abilities.writes ? null : NO_WRITER);
const needsLease: Need = ({ abilities }) => (abilities.bounds.leaseMs === undefined ? NO_LEASE : null);
const needsOutcome: Need = ({ abilities }) => (abilities.outcome ? null : NO_OUTCOME);
const needsRefusal: Need = ({ abilities }) =>
  abilities.bounds.waitMs === Infinity ? 'bounds.waitMs is Infinity: a start is never refused' : null;
const needsFailRelease: Need = ({ abilities }) => (abilities.failRelease ? null : NO_FAIL_RELEASE);
const needsLimit: Need = ({ abilities }) =>
  abilities.causes.includes('limit') ? null : 'a run budget had no effect';
const needsStall: Need = ({ abilities: { clock, bounds } }) => {
  if (clock) return "the port's clock cannot stand still while time goes on: make a port in real time";
  return (bounds.leaseMs ?? 0) <= LONGEST_STALL_MS
    ? null
    : `leaseMs is above ${LONGEST_STALL_MS} ms: lower it in the port`;
};

interface Recipe {
  readonly steps: (context: Context) => Steps;
  readonly needs: readonly Need[];
}

const RECIPES: Partial<Record<ModeId, Recipe>> = {
  M02: { steps: lock.whileAcquiring, needs: [needsAbort] },
  M03: { steps: lock.ignored, needs: [needsCause] },
  M04: { steps: lock.lateReacquire, needs: [needsCause] },
  M05: { steps: lock.waitsForItself, needs: [needsAbort] },
  M06: { steps: lock.releaseFails, needs: [needsFailRelease] },
  M07: { steps: lock.everyPath, needs: [] },
  M08: { steps: neighbours.nested, needs: [] },
  M09: { steps: neighbours.zombieWrites, needs: [needsWriter, needsCause] },
  M10: { steps: neighbours.ownWrites, needs: [needsWriter] },
  M11: { steps: neighbours.watchdog, needs: [needsLease, needsWriter, needsStall] },
  M12: { steps: neighbours.renewal, needs: [needsLease] },
  M13: { steps: neighbours.foreignRelease, needs: [] },
  M18: { steps: neighbours.causes, needs: [needsOutcome, needsAbort] },
  M19: { steps: neighbours.wrongGeneration, needs: [needsAbort] },
  M20: { steps: lock.doneBeforeDone, needs: [] },
  M21: { steps: neighbours.budgets, needs: [needsLimit] },
  M22: { steps: neighbours.busy, needs: [needsRefusal] },
};

export function contextOf(fc: FastCheck, { abilities, broken, brokenCauses }: Known): Context {
  return {
    fc,
    causes: abilities.causes.filter((cause) => !brokenCauses.has(cause)),
    endsUnsettled: abilities.bounds.settleMs !== Infinity && !broken.has('M03'),
    canAbort: abilities.abort,
    canWrite: abilities.writes,
    canTell: abilities.outcome,
    leaseEnds: abilities.bounds.leaseMs !== undefined,
  };
}

/** One way for each cause, so that it shows which kinds break. */
function kindByKind(context: Context, { abilities }: Known): Plan {
  const { causes, missing } = abilities;
  return {
    ways: causes.map((cause) => ({
      name: cause === 'limit' ? 'TICK(timeoutMs)' : `ABORT(${cause})`,
      steps: lock.kindGated(context, cause),
    })),
    why:
      causes.length === 0
        ? NO_ABORT
        : causes.length === 1
          ? `only ${causes[0]} could be exercised; ${missing.join('; ')}`
          : null,
    missing,
  };
}

/** Modes whose sequences abort: a broken cause is missing there. */
const ABORTING: readonly ModeId[] = ['M02', 'M03', 'M04', 'M05', 'M06', 'M09', 'M13', 'M18', 'M19', 'M20'];
/** Modes that want an attempt to end while its work goes on. */
const OUTLIVED: readonly ModeId[] = ['M04', 'M09', 'M13', 'M18', 'M19', 'M20'];

const leftOut = ({ brokenCauses }: Known): string[] =>
  [...brokenCauses].map(
    (cause) => `${cause === 'limit' ? 'TICK(timeoutMs)' : `ABORT(${cause})`}: it breaks M01 already`,
  );

export function planOf(mode: ModeId, context: Context, known: Known): Plan {
  const { never } = MODES[mode];
  if (never !== undefined) return { ways: [], why: never, missing: [] };
  if (mode === 'M01') return kindByKind(context, known);
  const recipe = RECIPES[mode];
  if (!recipe) throw new RangeError(`${mode} has no recipe`);
  const why = recipe.needs.map((need) => need(known, context)).find((reason) => reason !== null) ?? null;
  if (why !== null) return { ways: [], why, missing: [] };
  const missing = ABORTING.includes(mode) ? leftOut(known) : [];
  if (known.broken.has('M03') && OUTLIVED.includes(mode))
    missing.push('work that ignores its abort: it breaks M03 already');
  if (mode === 'M05' && !known.abilities.writes) missing.push(`a write under way: ${NO_WRITER}`);
  if (mode === 'M06' && known.abilities.bounds.leaseMs === undefined)
    missing.push(`a release that never works: ${NO_LEASE}`);
  return { ways: [{ name: mode, steps: recipe.steps(context) }], why: null, missing };
}
