/** A case of the contract on an engine: kept, or, where the store cannot be asked for it, said loudly not to be exercised. */
import { expect } from 'vitest';

export function expectKept(title: string, result: 'kept' | { readonly notExercised: string }): void {
  if (result !== 'kept' && /askHolder/.test(result.notExercised)) console.warn(`NOT EXERCISED: ${title} (${result.notExercised})`);
  else expect(result).toBe('kept');
}
