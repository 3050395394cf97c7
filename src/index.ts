/** attempt-lifecycle: exports only. */
export { createAttempt, runAttempt, type Attempt } from './attempt.js';
export { unwrap } from './report.js';
export type {
  AbortedReport, AttemptReport, CompletedReport, FailedReport, NotStartedReport, Timings, Transition,
} from './report.js';
export { attempts, type AbortAllResult, type AbortByIdAnswer } from './register.js';
export { stopAttempt, type StopAnswer, type StopOptions } from './stop-attempt.js';
export { AbortReason, AttemptError, StopAsked, type AttemptErrorCode } from './errors.js';
export type { SectionOptions } from './driver/sections.js';
export type { Yielded } from './driver/windows.js';
export type { AbortRequester, AttemptOptions, CleanupContext, WorkContext } from './options.js';
export type { AbortAnswer, AttemptSnapshot } from './driver/driver.js';
export type { AbortedBy, LeaseOutcome, Outcome, TimeoutKind } from '../machines/attempt.types.js';
export type {
  AttemptRecord, EndRecord, Facts, TracedEvent, TraceRecord, TransitionRecord,
} from './trace/record.js';
export { systemClock, type Clock } from './clock.js';

export { localFileLocks, type LocalFileLocksOptions } from './locks/file/local-file-locks.js';
export { memoryLocks, type MemoryLocksOptions } from './locks/memory-locks.js';
export { fromAcquire, type Acquire, type FromAcquireOptions, type Release } from './locks/from-acquire.js';
export type {
  AcquireRequest, AcquireResult, AskAnswer, AskToEnd, Holder, HolderInfo, Lease, LeaseNotice, LockStore, ReleaseAnswer,
  SessionStatus, Staging, StoreCapabilities, Waiter,
} from './locks/lock-store.js';

export { diagnose, type DiagnoseOptions } from './diagnosis/diagnose.js';
export { cardOf, type CardOptions } from './diagnosis/card.js';
export type { BudgetInForce, Condition, Diagnosis, FreeBy, NextStep } from './diagnosis/diagnosis.js';
export type { Leftover } from './diagnosis/leftovers.js';
export type { Liveness, Vitality } from './diagnosis/liveness.js';
export type { KeptError, KeptReport } from './kept-report.js';
export type { HolderFacts } from './locks/holder-facts.js';

export { fileRecords } from './session/file-records.js';
export { inheritAttempt, type InheritedAttempt } from './session/inherit.js';
export { readSession, streamSession, type SessionEntry } from './session/read-session.js';
export type { OpenedSession, OpenRequest, SessionRecord, SessionRecords } from './session/session-records.js';
export type { SessionWriter } from './session/writer.js';
