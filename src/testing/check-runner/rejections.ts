/**
 * Rejections nobody handles, while a check runs: the scripted work's are told to its attempt, others are
 * listed. Owns: the one process-wide listener of the kit.
 */
import { describe } from '../../errors.js';
import { WorkError } from './watched-attempt.js';

export interface RejectionWatch {
  /** Those that were not the scripted work's, each once. */
  readonly strays: readonly string[];
  stop(): void;
}

/** Different ones that are listed at most. */
const MOST_STRAYS = 20;

export function watchRejections(): RejectionWatch {
  const strays = new Set<string>();
  const listener = (reason: unknown): void => {
    if (reason instanceof WorkError) reason.attempt.unhandled = true;
    else if (strays.size < MOST_STRAYS) strays.add(describe(reason));
  };
  process.on('unhandledRejection', listener);
  return {
    get strays() {
      return [...strays];
    },
    stop: () => void process.off('unhandledRejection', listener),
  };
}
