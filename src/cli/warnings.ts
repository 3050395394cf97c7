/**
 * Process warnings as lines of this command, not as Node prints them.
 */
import { harmless } from '../text.js';

/** Budgets are the user's own; a release without an answer is told with the exit. Both are news only to the curious. */
const ONLY_VERBOSE = ['ATTEMPT_BUDGETS', 'ATTEMPT_UNCONFIRMED'];

export function showWarnings({ quiet, verbose }: { readonly quiet?: boolean; readonly verbose?: boolean }): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning: Error & { code?: string }) => {
    const curious = warning.name !== 'AttemptWarning' || ONLY_VERBOSE.includes(warning.code ?? '');
    if (quiet || (curious && !verbose)) return;
    process.stderr.write(`attempt: warning: ${harmless(warning.message)}\n`);
  });
}
