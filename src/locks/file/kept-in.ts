/**
 * Where the locks of files lie, in one word, as the command and its children say it: `files`, or `files:/var/locks`.
 */
import { resolve } from 'node:path';

const BESIDE = 'files';
const ELSEWHERE = 'files:';

/** @param directory as given to `localFileLocks` @returns the word, its directory a whole path */
export const wordOf = (directory: string | undefined): string =>
  (directory === undefined ? BESIDE : `${ELSEWHERE}${resolve(directory)}`);

/** @returns the `directory` of that word, undefined: beside the session; null if locks are not kept in files there */
export function directoryOf(word: string): string | undefined | null {
  if (word === BESIDE) return undefined;
  return word.startsWith(ELSEWHERE) && word.length > ELSEWHERE.length ? word.slice(ELSEWHERE.length) : null;
}
