/**
 * What must be true of every life of an attempt, checked from outside: against the store's own ledger and
 * answers, never against the driver's word alone.
 */
import { expect } from 'vitest';
import { budgets, play, type Played } from './play.js';

const isAborted = ({ report }: Played): boolean => report.outcome === 'aborted';
const saidToUs = ({ store }: Played): unknown[] => store.releases.map(({ said }) => said);

export const invariants: Record<string, (played: Played) => void | Promise<void>> = {
  'S6: when done, nothing is held, by the store\'s own ledger': (played) => {
    expect(played.heldAtDone).toBe(0);
  },

  'S8: one outcome; whatever comes later changes nothing': (played) => {
    expect(played.reportLater).toBe('');
  },

  'S9: the first abort is the one reported, user and timeout told apart': (played) => {
    const { report, firstAbort } = played;
    if (isAborted(played)) expect(report.abortedBy).toBe(firstAbort);
    else expect(report.abortedBy).toBeNull();
    expect(new Set(report.lateAborts).size).toBe(report.lateAborts.length);
    const isTimeout = report.abortedBy === 'timeout';
    expect(played.onTimeouts).toBe(isTimeout ? 1 : 0);
    expect(report.timeoutKind !== null).toBe(isTimeout);
    expect(report.abandoned).toBe(isTimeout && played.startedIn.length > 0);
  },

  'S10: work starts at most once, while running, with a lease that is held and not in doubt': (played) => {
    expect(played.startedIn.length).toBeLessThanOrEqual(1);
    const well = { state: 'running.working', lost: false, inDoubt: false, held: 1 };
    for (const start of played.startedIn) expect(start).toEqual(well);
    expect(played.report.settled === null).toBe(played.startedIn.length === 0);
  },

  'S5: no write passes outside running; a started work is told of its abort': (played) => {
    expect(played.wrongWrites).toBe(0);
    if (isAborted(played) && played.startedIn.length > 0) expect(played.told).toBe(true);
  },

  'S11: asked once; what is granted late is given back; nothing is acquired after teardown': (played) => {
    expect(played.store.asks.length).toBeLessThanOrEqual(1);
    if (played.plan.options.signalledBefore) expect(played.store.asks).toHaveLength(0);
    expect(played.heldAtLast).toBe(0);
  },

  'S14: the report never lies about the lock': (played) => {
    const { report, store, plan } = played;
    const lease = store.asks[0]?.lease;
    const said = saidToUs(played);
    switch (report.lease) {
      case 'released': expect(said).toContain('released'); break;
      case 'expired':
        expect(report.token !== null || !plan.options.hasTokens).toBe(true);
        expect(played.heldAtDone).toBe(0);
        break;
      case 'neverHeld': if (report.outcome !== 'aborted') expect(report.outcome).toBe('notStarted'); break;
      case 'lost': expect(lease).not.toBeNull(); break;
      case 'unconfirmed': expect(store.releases.length).toBeGreaterThan(0); break;
    }
    if (!plan.options.hasTokens) expect(report.token).toBeNull();
    if (report.outcome === 'completed' || report.outcome === 'failed') expect(report.lease).not.toBe('neverHeld');
  },

  'S18: whether and how the lock is given back does not depend on who aborted': async (played) => {
    const { plan, report, store } = played;
    const steps = plan.steps.map((step) => (step.do === 'abort' ? { ...step, by: 'user' as const } : step));
    const twin = await play({ ...plan, steps });
    expect(twin.report.lease).toBe(report.lease);
    expect(twin.report.settled).toBe(report.settled);
    expect(twin.report.timings).toEqual(report.timings);
    expect(twin.store.releases.map(({ at, byOwner }) => [at, byOwner]))
      .toEqual(store.releases.map(({ at, byOwner }) => [at, byOwner]));
  },

  'S19: done comes after the last ask for release was decided, and L5: leaves no timer': (played) => {
    expect(played.heldAtDone).toBe(0);
    expect(played.timersAtDone).toBe(0);
    expect(played.scene.clock.armed).toBe(0);
    expect(played.report.trace.transitions.at(-1)?.to).toBe('released');
  },

  'L2: from an abort while running to releasing within settleMs + cleanupMs': (played) => {
    const { onUnsettled, settleMs } = played.plan.options;
    const { transitions } = played.report.trace;
    const aborted = transitions.find(({ from, to }) => from === 'running.working' && to.startsWith('aborting'));
    const left = transitions.find(({ to }) => to.startsWith('releasing') || to === 'released');
    if (!aborted || !left || onUnsettled === 'hold') return;
    expect(left.at - aborted.at).toBeLessThanOrEqual(settleMs + budgets.cleanupMs);
  },

  'L1: every wait on the way is bounded by its own limit': (played) => {
    const { waitMs, settleMs, timeoutMs, onUnsettled } = played.plan.options;
    const { answerMs, openMs, cleanupMs, leaseMs } = budgets;
    const bounds: Record<string, number> = {
      'acquiring.waiting': waitMs === 0 ? answerMs : waitMs, 'acquiring.cancelling': answerMs, locked: openMs,
      running: timeoutMs ?? Infinity, aborting: onUnsettled === 'hold' ? Infinity : settleMs, cleaning: cleanupMs,
    };
    const { transitions } = played.report.trace;
    for (const [index, { from, at }] of transitions.entries()) {
      const bound = bounds[from] ?? bounds[from.split('.')[0] as string] ?? Infinity;
      expect(at - (transitions[index - 1]?.at ?? 0), from).toBeLessThanOrEqual(bound);
    }
    const entered = transitions.find(({ to }) => to.startsWith('releasing'));
    // A grant that comes while we give back starts the lease anew, once.
    if (entered) expect((transitions.at(-1)?.at ?? 0) - entered.at).toBeLessThanOrEqual(2 * leaseMs);
  },
};
