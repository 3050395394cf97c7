/**
 * Parts of the machine that fit a page of their own, or occur twice: giving back, the budgets of the run, the window.
 * The same rules hold as in `attempt.machine.ts`: everything by name, nothing inline.
 */

/** Ask for release, ask again. What the answers mean is the business of the state this happens in. */
export const asks = {
  asking: {
    entry: ['recordAsk', 'askRelease'],
    on: { 'release.unknown': { guard: 'isAnswer', target: 'pausing', actions: 'recordReleaseFailure' } },
    after: { askMs: { target: 'pausing', actions: 'recordReleaseFailure' } },
  },
  pausing: { after: { retryMs: 'asking' } },
} as const;

/** A budget of the run is over: once it is put off for a section that is open, else it is a timeout. */
const budgetOver = [
  { guard: 'mayPutOff', actions: ['recordOverdue', 'armGraceTimer'] },
  { guard: 'isOverdue', actions: 'timeOut' },
] as const;

/** What moves the budgets of the run: progress, the ends of budgets, and the sections of the work. */
export const budgetEvents = {
  'work.progressed': { guard: 'budgetsRun', actions: ['disarmIdleTimer', 'armIdleTimer'] },
  'work.overran': budgetOver,
  'work.idled': budgetOver,
  'grace.ended': { actions: 'timeOut' },
  'section.entered': [
    { guard: 'beginsPause', actions: ['recordSection', 'disarmRunTimer', 'disarmIdleTimer'] },
    { actions: 'recordSection' },
  ],
  'section.left': [
    { guard: 'endsGrace', actions: ['recordSectionEnd', 'timeOut'] },
    { guard: 'endsPause', actions: ['recordSectionEnd', 'armRunTimer', 'armIdleTimer'] },
    { actions: 'recordSectionEnd' },
  ],
} as const;

/** A window that cannot be ended with the lock in hand is a loss, for the reason recorded with it. */
const loseWindow = <Record extends string>(record: Record) =>
  ({ target: '#attempt.aborting.leaseLost', actions: [record, 'recordWindowLoss'] }) as const;

/** In `running`: the work gives the lock up, and takes it back before it goes on. */
export const windowStates = {
  // Being given back for a window, renewal stopped.
  yielding: {
    entry: 'beginReleasing',
    on: {
      'release.confirmed': { guard: 'answersRelease', target: 'yielded', actions: 'recordReleased' },
      'release.notHeld': [
        { guard: 'isNews', target: '#attempt.aborting.leaseLost', actions: ['recordAbort', 'recordLoss'] },
        { guard: 'answersRelease', target: 'yielded', actions: 'recordNotHeld' },
      ],
    },
    after: { leaseMs: { target: 'yielded', actions: 'recordLeaseEnd' } },
    initial: 'asking',
    states: asks,
  },
  // Not held. The work's window is open.
  yielded: {
    entry: 'runWindow',
    on: { 'window.ended': 'reacquiring' },
  },
  // One request is out again; then granted, and the session is being opened again.
  reacquiring: {
    entry: ['recordRequest', 'requestLock'],
    exit: 'cancelRequest',
    initial: 'waiting',
    states: {
      waiting: {
        on: {
          'lock.granted': { guard: 'answersRequest', target: 'opening', actions: 'recordGrantBack' },
          'lock.busy': { guard: 'answersRequest', ...loseWindow('recordBusy') },
          'lock.unknown': { guard: 'answersRequest', ...loseWindow('recordStoreFailure') },
        },
        after: {
          waitMs: { guard: 'hasPatience', ...loseWindow('recordPatienceOver') },
          answerMs: { guard: 'isOneTry', ...loseWindow('recordPatienceOver') },
        },
      },
      opening: {
        entry: ['countCommand', 'openSession'],
        exit: 'endOpening',
        on: {
          'session.opened': { guard: 'isAnswer', target: '#attempt.running.working', actions: ['recordHeldAgain', 'resumeWork'] },
          'session.failed': { guard: 'isAnswer', ...loseWindow('recordOpenFailure') },
        },
        after: { openMs: loseWindow('recordOpenFailure') },
      },
    },
  },
} as const;
