/**
 * Things a caller should know that are no outcome of an attempt. They go where Node's own warnings go.
 */
import { describe } from './errors.js';
import { adopt, isThenable } from './thenable.js';

/** What a warning can be about; the `code` of the process warning is `ATTEMPT_` + this. */
export type WarningKind =
  | 'BUDGETS' | 'CALLBACK_THREW' | 'UNCONFIRMED' | 'LATE_GRANT' | 'WRITES_UNSETTLED' | 'UNSAFE_FILESYSTEM'
  | 'CLOSE_FAILED' | 'REPORT_NOT_KEPT' | 'TOKEN_WENT_BACK' | 'TAKE_OVER';

/** Emits a process warning. Never throws. */
export function warn(kind: WarningKind, message: string): void {
  process.emitWarning(message, { type: 'AttemptWarning', code: `ATTEMPT_${kind}` });
}

/** Calls what must not disturb us (a callback, a port's clean-up): its throw or rejection becomes a warning. */
export function callSafely(what: string, fn: () => unknown, kind: WarningKind = 'CALLBACK_THREW'): void {
  const complain = (thrown: unknown) => warn(kind, `${what} threw: ${describe(thrown)}`);
  try {
    const result = fn();
    if (isThenable(result)) adopt(result).catch(complain);
  } catch (thrown) {
    complain(thrown);
  }
}
