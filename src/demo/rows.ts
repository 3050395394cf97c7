/**
 * The rows in which an attempt comes to an end of its own while the next one waits in another process.
 * The rows in which a process dies or stands still are in `crash-rows.ts`.
 */
import type { Actor } from './cast.js';
import type { AttemptCommand } from './protocol.js';
import type { Stage } from './stage.js';
import { checkEnding, same, showPath, within, type Check, type Promised, type Row } from './verdict.js';

export interface Scene {
  readonly title: string;
  /** For the screen, where something takes its time. */
  readonly meanwhile?: string;
  readonly play: (stage: Stage) => Promise<Row>;
}

/**
 * From the end of the work to the grant in the waiting process, milliseconds. It takes 2 to 10. The bound is below
 * what is left of any lease that is renewed (leaseMs less a third), so only a lock that was given back passes, and
 * far above what a busy machine needs.
 */
export const HANDOVER_MS = 2_500;

/** How long work that ignores its stop is waited for here, milliseconds; an attempt's own default is 2 000. */
const SETTLE_MS = 300;

/** Long enough for the next attempt to be in line before it fires, milliseconds. */
const TIMEOUT_MS = 600;

const RAN = ['acquiring.waiting', 'locked', 'running.working'] as const;
const GIVEN_BACK = ['releasing.asking', 'released'] as const;
const finished = { abortedBy: null, abandoned: false, lease: 'released', path: [...RAN, ...GIVEN_BACK] } as const;

interface Ordinary {
  readonly title: string;
  readonly command: Pick<AttemptCommand, 'play' | 'timeoutMs' | 'settleMs'>;
  /** What ends it; null: it ends by itself. */
  readonly tell: 'finish' | 'stop' | null;
  /** The moment from which the wait of the next one is counted. */
  readonly from: 'aborted' | 'settled';
  readonly since: string;
  readonly nextWithin: readonly [number, number];
  readonly promised: Promised;
  /** What else is to be seen once the next one has had the lock. */
  readonly afterwards?: (actor: Actor, name: string) => Promise<{ notes: readonly string[]; checks: readonly Check[] }>;
}

/** One attempt at work, the next one waiting in another process, and the first one's end. */
function ordinary(scene: Ordinary): Scene {
  const { title, command, tell, from, since, nextWithin, promised, afterwards } = scene;
  const name = title.replaceAll(' ', '-');
  const next = `next-after-${name}`;
  return {
    title,
    async play(stage) {
      const [one, other] = await stage.cast.company();
      one.tell({ do: 'attempt', name, session: stage.session, ...command });
      await one.when('granted', name);
      await stage.queue(other, next);
      if (tell) one.tell({ do: tell, name });
      const [ended, start, granted] = await Promise.all([
        one.when('ended', name), one.when(from, name), other.when('granted', next), other.when('ended', next),
      ]);
      const nextMs = granted.at - start.at;
      const more = await afterwards?.(one, name) ?? { notes: [], checks: [] };
      const found: Promised = { ...ended.ending, path: ended.path };
      return {
        title, outcome: outcomeOf(found), lock: found.lease, path: showPath(found.path), nextMs, since,
        notes: more.notes,
        checks: [
          ...checkEnding(promised, found), within('next granted', ...nextWithin, nextMs),
          same('lock files left', 0, stage.lockFiles().length), ...more.checks,
        ],
      };
    },
  };
}

export const outcomeOf = ({ outcome, abortedBy }: Pick<Promised, 'outcome' | 'abortedBy'>): string =>
  abortedBy ? `${outcome} by ${abortedBy}` : outcome;

const completes = ordinary({
  title: 'completes', command: { play: 'obeys' }, tell: 'finish', from: 'settled', since: 'after its work ended',
  nextWithin: [0, HANDOVER_MS], promised: { ...finished, outcome: 'completed' },
});

const throws = ordinary({
  title: 'throws', command: { play: 'throws' }, tell: 'finish', from: 'settled', since: 'after its work threw',
  nextWithin: [0, HANDOVER_MS], promised: { ...finished, outcome: 'failed' },
});

const userStop = ordinary({
  title: 'user stop', command: { play: 'obeys' }, tell: 'stop', from: 'aborted', since: 'after the stop',
  nextWithin: [0, HANDOVER_MS],
  promised: {
    outcome: 'aborted', abortedBy: 'user', abandoned: false, lease: 'released',
    path: [...RAN, 'aborting.user', ...GIVEN_BACK],
  },
});

const timeout = ordinary({
  title: 'timeout', command: { play: 'obeys', timeoutMs: TIMEOUT_MS }, tell: null, from: 'aborted',
  since: 'after the time limit', nextWithin: [0, HANDOVER_MS],
  promised: {
    outcome: 'aborted', abortedBy: 'timeout', abandoned: true, lease: 'released',
    path: [...RAN, 'aborting.timeout', ...GIVEN_BACK],
  },
  afterwards: async () => ({ notes: ['the only ending that marks its run as abandoned'], checks: [] }),
});

const ignoresTheStop = ordinary({
  title: 'ignores the stop', command: { play: 'ignores', settleMs: SETTLE_MS }, tell: 'stop', from: 'aborted',
  since: 'after the stop',
  // Timers may fire a millisecond early by the clock that is compared here.
  nextWithin: [SETTLE_MS - 2, SETTLE_MS + HANDOVER_MS],
  promised: {
    outcome: 'aborted', abortedBy: 'user', abandoned: false, lease: 'released',
    path: [...RAN, 'aborting.user', ...GIVEN_BACK],
  },
  async afterwards(actor, name) {
    actor.tell({ do: 'finish', name });
    const { code } = await actor.when('refused', name);
    return {
      notes: [`its work still goes on after settleMs (${SETTLE_MS}); what it writes is refused: ${code}`],
      checks: [same('its next write', 'WRITER_CLOSED', code)],
    };
  },
});

const stoppedWhileWaiting: Scene = {
  title: 'stopped while waiting',
  async play(stage) {
    const name = 'stopped-while-waiting';
    const [holder, waiter, third] = await stage.cast.company();
    holder.tell({ do: 'attempt', name: 'in-its-way', session: stage.session, play: 'obeys' });
    await holder.when('granted', 'in-its-way');
    await stage.queue(waiter, name);
    await stage.queue(third, 'next-after-waiting');
    waiter.tell({ do: 'stop', name });
    const ended = await waiter.when('ended', name);
    const stopMs = ended.at - (await waiter.when('aborted', name)).at;
    holder.tell({ do: 'finish', name: 'in-its-way' });
    const granted = await third.when('granted', 'next-after-waiting');
    const nextMs = granted.at - (await holder.when('settled', 'in-its-way')).at;
    await Promise.all([holder.when('ended', 'in-its-way'), third.when('ended', 'next-after-waiting')]);
    const found: Promised = { ...ended.ending, path: ended.path };
    const ran = waiter.saidOf(name).some(({ is }) => is === 'granted');
    return {
      title: this.title, outcome: outcomeOf(found), lock: found.lease, path: showPath(found.path), nextMs,
      since: 'after the holder\'s end',
      notes: [`out of the line ${stopMs.toFixed(1)} ms after its stop; its work never ran`],
      checks: [
        ...checkEnding({
          outcome: 'aborted', abortedBy: 'user', abandoned: false, lease: 'neverHeld',
          path: ['acquiring.waiting', 'acquiring.cancelling', 'released'],
        }, found),
        same('its work ran', false, ran), within('its end after the stop', 0, HANDOVER_MS, stopMs),
        within('next granted', 0, HANDOVER_MS, nextMs), same('lock files left', 0, stage.lockFiles().length),
      ],
    };
  },
};

const waitsItsTurn: Scene = {
  title: 'waits its turn',
  async play(stage) {
    const name = 'waits-its-turn';
    const [holder, waiter] = await stage.cast.company();
    holder.tell({ do: 'attempt', name: 'at-work', session: stage.session, play: 'obeys', note: 'step 2 of 3' });
    await holder.when('granted', 'at-work');
    await stage.queue(waiter, name);
    // What the holder is doing is told to others with its next heartbeat.
    const seen = await stage.until('the holder shown at work', ({ holder: shown }) => shown?.note === 'step 2 of 3');
    const { attemptId, pid, state, note } = seen.holder ?? {};
    const shown = `attempt ${attemptId} (pid ${pid}, ${state}, "${note}")`;
    holder.tell({ do: 'finish', name: 'at-work' });
    const granted = await waiter.when('granted', name);
    const nextMs = granted.at - (await holder.when('settled', 'at-work')).at;
    const [ended] = await Promise.all([waiter.when('ended', name), holder.when('ended', 'at-work')]);
    const found: Promised = { ...ended.ending, path: ended.path };
    return {
      title: this.title, outcome: outcomeOf(found), lock: found.lease, path: showPath(found.path), nextMs,
      since: 'after the holder\'s end', notes: [`shown while it waited: held by ${shown}`],
      checks: [
        ...checkEnding({ ...finished, outcome: 'completed' }, found),
        same('holder shown', `attempt at-work (pid ${holder.pid}, running.working, "step 2 of 3")`, shown),
        within('granted', 0, HANDOVER_MS, nextMs), same('lock files left', 0, stage.lockFiles().length),
      ],
    };
  },
};

export const ownEndings: readonly Scene[] = [
  completes, throws, userStop, timeout, ignoresTheStop, stoppedWhileWaiting, waitsItsTurn,
];
