/**
 * Errors of the file system that are answers: "it is gone", "it is taken". Everything else stays an error.
 */

import { describe } from '../../errors.js';

/** Of whatever was thrown: a caller's code may throw nothing at all. */
export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | null | undefined)?.code;

/** Does what `fn` does; false if it met one of the codes, which are answers and not failures. */
export function attempted(fn: () => void, ...answers: string[]): boolean {
  try {
    fn();
    return true;
  } catch (error) {
    if (answers.includes(codeOf(error) ?? '')) return false;
    throw error;
  }
}

/** Where one may not write, the error says how to go on. */
export function withWayOn(error: unknown): unknown {
  const code = codeOf(error) ?? '';
  if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) return error;
  const wayOn = 'locks can be kept where one may write (`directory`; of the command --store files:<directory>)';
  return Object.assign(new Error(`${describe(error)}; ${wayOn}`, { cause: error }), { code });
}
