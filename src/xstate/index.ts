/** attempt-lifecycle/xstate: exports only. */
export {
  fromAttempt, type AttemptActorEmitted, type AttemptActorEvent, type AttemptActorLogic, type AttemptActorOptions,
  type AttemptActorSnapshot,
} from './from-attempt.js';
export { checkAttemptMachine } from './check-attempt-machine.js';
