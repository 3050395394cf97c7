/** attempt-lifecycle/testing: exports only. */
export { checkRunner, type CheckRunnerOptions } from './check-runner/check-runner.js';
export { MODE_IDS, MODES, type Mode, type ModeId } from './check-runner/modes.js';
export type {
  AbortKind,
  MakePort,
  PortBounds,
  PortOutcome,
  RunnerPort,
  StartedAttempt,
  StartRequest,
} from './check-runner/port.js';
export type { BreachReport, CheckResult, CheckResultData, ModeResult } from './check-runner/result.js';

export {
  lockStoreContract, type ContractCase, type LockStoreContractOptions, type MakeStore,
} from './lock-store-contract.js';
export { ContractViolation, type StoreUnderTest } from './store-under-test.js';

export {
  allVariants, exploreAttempt, living, twoVariants,
  type Cause, type Explored, type ExploreOptions, type Progress, type Variant, type Violation,
} from './explore/index.js';

export { judgeTrace, type JudgedAttempt, type TraceFinding } from '../trace/judge.js';
export { parseTrace, readTrace, type TraceLine } from '../trace/read-trace.js';
