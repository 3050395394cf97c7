/**
 * Errors of the file system that are answers: "it is gone", "it is taken". Everything else stays an error.
 */

export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

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
