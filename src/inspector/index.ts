/** `attempt-lifecycle/inspector`: the live page of attempts. */
export { inspectAttempts, type InspectOptions, type Inspection } from './inspect-attempts.js';
export { attachTo, type AttachOptions } from './attach.js';
