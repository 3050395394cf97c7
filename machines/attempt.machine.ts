/**
 * THE ATTEMPT. One try at work on a session, under the session's write lock. This file is the specification.
 *
 * Facts come in as events, commands go out as named actions; nothing here waits, reads a clock or touches a disk.
 * `abort.user`, `abort.timeout`, `abort.shutdown`, `abort.superseded` are requests; `lease.lost` is a fact.
 * The only final state is `released`, and every way into it has given the lock back or knows that it is gone.
 */
import { cancel, raise, setup } from 'xstate';
import { commands, initialContext, outputOf, recording } from './attempt.actions.js';
import { delays } from './attempt.delays.js';
import * as guards from './attempt.guards.js';
import { asks, budgetEvents, windowStates } from './attempt.parts.js';
import type { AttemptContext, AttemptEvent, AttemptInput, AttemptOutput } from './attempt.types.js';

/** An abort while we hold the lock: one edge a cause. What only a timeout does hangs on the timeout's edge. */
const abortsWhileHeld = {
  'abort.user': { target: 'aborting.user', actions: 'recordAbort' },
  'abort.timeout': { target: 'aborting.timeout', actions: ['recordAbort', 'markAbandoned', 'callOnTimeout'] },
  'abort.shutdown': { target: 'aborting.shutdown', actions: 'recordAbort' },
  'abort.superseded': { target: 'aborting.superseded', actions: 'recordAbort' },
  'lease.lost': { target: 'aborting.leaseLost', actions: ['recordAbort', 'recordLoss'] },
} as const;

/** The one way out, of finished and of aborted work alike. It asks about work and lease, never who aborted. */
const wayOut = [
  { guard: 'canCleanUp', target: 'cleaning' },
  { guard: 'canRelease', target: 'releasing' },
  { guard: 'canEnd', target: 'released' },
] as const;

export const attemptMachine = setup({
  types: {} as { context: AttemptContext; events: AttemptEvent; input: AttemptInput; output: AttemptOutput },
  guards,
  delays,
  actions: {
    ...commands,
    ...recording,
    timeOut: raise(({ context, event }) => ({
      type: 'abort.timeout', kind: context.clock.overdue ?? (event.type === 'work.idled' ? 'idle' : 'run'),
    })),
    armRunTimer: raise({ type: 'work.overran' }, { id: 'run', delay: 'runMs' }),
    armIdleTimer: raise({ type: 'work.idled' }, { id: 'idle', delay: 'idleTimeoutMs' }),
    armGraceTimer: raise({ type: 'grace.ended' }, { id: 'grace', delay: 'graceMs' }),
    disarmRunTimer: cancel('run'),
    disarmIdleTimer: cancel('idle'),
    disarmGraceTimer: cancel('grace'),
  },
}).createMachine({
  id: 'attempt',
  context: initialContext,
  output: outputOf,
  initial: 'idle',

  // Wherever a state below does not say otherwise an abort is late: it is recorded and changes nothing.
  on: { 'abort.*': { actions: 'recordLateAbort' } },

  states: {
    // Nothing asked, nothing held.
    idle: {
      on: {
        start: 'acquiring',
        'abort.timeout': { target: 'released', actions: ['recordAbort', 'callOnTimeout'] },
        'abort.*': { target: 'released', actions: 'recordAbort' },
      },
    },

    acquiring: {
      entry: ['recordRequest', 'requestLock'],
      initial: 'waiting',
      states: {
        // One request is out.
        waiting: {
          on: {
            'lock.granted': { guard: 'answersRequest', target: '#attempt.locked', actions: 'recordGrant' },
            'lock.busy': { guard: 'answersRequest', target: '#attempt.released', actions: 'recordBusy' },
            'lock.unknown': { guard: 'answersRequest', target: '#attempt.releasing', actions: 'recordStoreFailure' },
            'abort.timeout': { target: 'cancelling', actions: ['recordAbort', 'callOnTimeout'] },
            'abort.*': { target: 'cancelling', actions: 'recordAbort' },
          },
          after: {
            waitMs: { guard: 'hasPatience', target: 'cancelling', actions: 'recordPatienceOver' },
            answerMs: { guard: 'isOneTry', target: 'cancelling', actions: 'recordPatienceOver' },
          },
        },
        // Cancelled, no answer yet: the lock may still arrive, and is then given back.
        cancelling: {
          entry: 'cancelRequest',
          on: {
            'lock.granted': { guard: 'answersRequest', target: '#attempt.releasing', actions: 'recordGrant' },
            'lock.busy': { guard: 'answersRequest', target: '#attempt.released', actions: 'recordBusy' },
            'lock.unknown': { guard: 'answersRequest', target: '#attempt.releasing', actions: 'recordStoreFailure' },
          },
          after: { answerMs: { target: '#attempt.releasing', actions: 'recordStoreFailure' } },
        },
      },
    },

    // Held and renewed. The session is being opened; no work yet.
    locked: {
      entry: ['countCommand', 'openSession'],
      exit: 'endOpening',
      on: {
        ...abortsWhileHeld,
        'session.opened': { guard: 'isAnswer', target: 'running' },
        'session.failed': { guard: 'isAnswer', target: 'releasing', actions: 'recordOpenFailure' },
      },
      after: { openMs: { target: 'releasing', actions: 'recordOpenFailure' } },
    },

    // The work runs. The lock is held, but for windows in which the work gives it up and takes it back.
    running: {
      entry: ['recordStart', 'startWork', 'armRunTimer', 'armIdleTimer'],
      exit: ['disarmRunTimer', 'disarmIdleTimer', 'disarmGraceTimer'],
      on: {
        ...abortsWhileHeld,
        'work.returned': { actions: 'recordReturn' },
        'work.threw': { actions: 'recordThrow' },
        ...budgetEvents,
      },
      always: wayOut,
      initial: 'working',
      states: {
        // Held and renewed. The writer is open.
        working: {
          exit: 'closeWriter',
          on: { 'lock.yield': 'yielding' },
        },
        // Windows in which the work gives the lock up and takes it back: yielding, yielded, reacquiring.
        ...windowStates,
      },
    },

    // The writer is closed, the work has been told and may still settle. The lock is held, lost, or, where a window
    // was cut short, on its way: what still arrives is given back at once.
    // Causes are bare labels: entry, wait and way out belong to this parent.
    aborting: {
      entry: 'tellWork',
      on: {
        'work.returned': { actions: 'recordReturn' },
        'work.threw': { actions: 'recordThrow' },
        'lease.lost': { actions: ['recordLateAbort', 'recordLoss'] },
        'lock.granted': { guard: 'answersRequest', actions: ['recordGrant', 'recordAsk', 'askRelease'] },
        'lock.busy': { guard: 'answersRequest', actions: 'recordBusy' },
        'release.confirmed': { guard: 'answersRelease', actions: 'recordReleased' },
        'release.notHeld': { guard: 'answersRelease', actions: 'recordNotHeld' },
      },
      after: { settleMs: { actions: 'recordUnsettled' } },
      always: wayOut,
      initial: 'user',
      states: { user: {}, timeout: {}, shutdown: {}, superseded: {}, leaseLost: {} },
    },

    // Held. The caller's bounded cleanup may write last records with a writer of its own.
    cleaning: {
      entry: ['countCommand', 'runCleanup'],
      exit: 'endCleanup',
      on: {
        'cleanup.ended': { guard: 'isAnswer', target: 'releasing' },
        'cleanup.failed': { guard: 'isAnswer', target: 'releasing', actions: 'recordCleanupFailure' },
        'lease.lost': { target: 'released', actions: 'recordLoss' },
      },
      after: { cleanupMs: { target: 'releasing', actions: 'recordCleanupFailure' } },
    },

    // Being given back, renewal stopped. Ask, ask again, and at worst wait until the lease has ended by itself.
    releasing: {
      entry: 'beginReleasing',
      on: {
        'release.confirmed': { guard: 'answersRelease', target: 'released', actions: 'recordReleased' },
        'release.notHeld': { guard: 'answersRelease', target: 'released', actions: 'recordNotHeld' },
        'lease.lost': { guard: 'knowsGrant', target: 'released', actions: 'recordLoss' },
        'lock.granted': { guard: 'answersRequest', target: 'releasing', reenter: true, actions: 'recordGrant' },
      },
      after: { leaseMs: { target: 'released', actions: 'recordLeaseEnd' } },
      initial: 'asking',
      states: asks,
    },

    // Not held by us. The only final state.
    released: { type: 'final' },
  },
});

export type AttemptMachine = typeof attemptMachine;
