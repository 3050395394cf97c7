/**
 * THE ATTEMPT. One try at work on a session, under the session's write lock. This file is the specification.
 *
 * Facts come in as events, commands go out as named actions; nothing here waits, reads a clock or touches a disk.
 * `abort.user`, `abort.timeout`, `abort.shutdown`, `abort.superseded` are requests; `lease.lost` is a fact.
 * The only final state is `released`, and every way into it has given the lock back or knows that it is gone.
 */
import { assign, cancel, raise, setup } from 'xstate';
import { commands, initialContext, outputOf, records } from './attempt.actions.js';
import { delays } from './attempt.delays.js';
import * as guards from './attempt.guards.js';
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
    countCommand: assign(records.countCommand),
    recordRequest: assign(records.recordRequest),
    recordGrant: assign(records.recordGrant),
    recordBusy: assign(records.recordBusy),
    recordPatienceOver: assign(records.recordPatienceOver),
    recordStoreFailure: assign(records.recordStoreFailure),
    recordOpenFailure: assign(records.recordOpenFailure),
    recordAbort: assign(records.recordAbort),
    recordLateAbort: assign(records.recordLateAbort),
    markAbandoned: assign(records.markAbandoned),
    recordLoss: assign(records.recordLoss),
    recordStart: assign(records.recordStart),
    recordReturn: assign(records.recordReturn),
    recordThrow: assign(records.recordThrow),
    recordUnsettled: assign(records.recordUnsettled),
    recordCleanupFailure: assign(records.recordCleanupFailure),
    beginReleasing: assign(records.beginReleasing),
    recordAsk: assign(records.recordAsk),
    recordReleaseFailure: assign(records.recordReleaseFailure),
    recordReleased: assign(records.recordReleased),
    recordNotHeld: assign(records.recordNotHeld),
    recordLeaseEnd: assign(records.recordLeaseEnd),
    timeOutRun: raise({ type: 'abort.timeout', kind: 'run' }),
    timeOutIdle: raise({ type: 'abort.timeout', kind: 'idle' }),
    armIdleTimer: raise({ type: 'work.idled' }, { id: 'idle', delay: 'idleTimeoutMs' }),
    disarmIdleTimer: cancel('idle'),
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
      entry: ['countCommand', 'recordRequest', 'requestLock'],
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

    // Held and renewed. The writer is open and the work runs.
    running: {
      entry: ['recordStart', 'startWork', 'armIdleTimer'],
      exit: ['closeWriter', 'disarmIdleTimer'],
      on: {
        ...abortsWhileHeld,
        'work.returned': { actions: 'recordReturn' },
        'work.threw': { actions: 'recordThrow' },
        'work.progressed': { actions: ['disarmIdleTimer', 'armIdleTimer'] },
        'work.idled': { guard: 'hasIdleBudget', actions: 'timeOutIdle' },
      },
      after: { timeoutMs: { guard: 'hasRunBudget', actions: 'timeOutRun' } },
      always: wayOut,
    },

    // Held, or lost and known to be. The writer is closed, the work has been told and may still settle.
    // Causes are bare labels: entry, wait and way out belong to this parent.
    aborting: {
      entry: 'tellWork',
      on: {
        'work.returned': { actions: 'recordReturn' },
        'work.threw': { actions: 'recordThrow' },
        'lease.lost': { actions: ['recordLateAbort', 'recordLoss'] },
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
        'lease.lost': { target: 'released', actions: 'recordLoss' },
        'lock.granted': { guard: 'answersRequest', target: 'releasing', reenter: true, actions: 'recordGrant' },
      },
      after: { leaseMs: { target: 'released', actions: 'recordLeaseEnd' } },
      initial: 'asking',
      states: {
        asking: {
          entry: ['countCommand', 'recordAsk', 'askRelease'],
          on: { 'release.unknown': { guard: 'isAnswer', target: 'pausing', actions: 'recordReleaseFailure' } },
          after: { askMs: { target: 'pausing', actions: 'recordReleaseFailure' } },
        },
        pausing: { after: { retryMs: 'asking' } },
      },
    },

    // Not held by us. The only final state.
    released: { type: 'final' },
  },
});

export type AttemptMachine = typeof attemptMachine;
