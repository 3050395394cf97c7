/**
 * A file that an option names, and that cannot be opened.
 */
import { AttemptError, describe } from '../errors.js';

/**
 * Does what is to be done with the file.
 * @throws AttemptError `CONFIG_INVALID`, which names the option, for an error of the system; what is ours already says enough
 */
export function ofOption<T>(option: string, what: 'read' | 'write', act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof AttemptError) throw cause;
    throw new AttemptError('CONFIG_INVALID', `${option}: expected a file to ${what}, found ${describe(cause)}`, { cause });
  }
}
