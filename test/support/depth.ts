/**
 * How far a run goes: `npm test` stays under two minutes, `npm run test:deep` does all there is. What a run leaves out
 * it says, loudly.
 */

/** `vitest --mode deep`. */
export const isDeep = (import.meta as unknown as { readonly env?: { readonly MODE?: string } }).env?.MODE === 'deep';

/** All of them in a deep run; else some, spread over the list. */
export function someOf<T>(what: string, all: readonly T[], few: number): readonly T[] {
  if (isDeep || few >= all.length) return all;
  console.warn(`ONLY ${few} of ${all.length} ${what}; all of them: npm run test:deep`);
  return Array.from({ length: few }, (_, index) => all[Math.floor((index * all.length) / few)] as T);
}
