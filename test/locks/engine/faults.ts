/**
 * What can become of a question on its way to an engine, and of its answer on the way back.
 */

/** What becomes of a question: it may perform the step, now or later, or not. */
export type Fault = <T>(perform: () => T) => Promise<T>;

/** The way was cut: nobody can say whether the question arrived. */
export class Cut extends Error {}
export const faults = {
  /** The question is lost. */
  cut: () => Promise.reject(new Cut('cut')),
  /** The answer is lost. */
  lost: async (perform) => {
    perform();
    throw new Cut('cut');
  },
  refused: () => Promise.reject(new Error('no such table')),
  /** Arrives; the answer never does. */
  silent: (perform) => {
    perform();
    return new Promise(() => {});
  },
  /** Never arrives, and nobody says so. */
  swallowed: () => new Promise(() => {}),
} satisfies Record<string, Fault>;

/** Performed at once; answered when the test says so. */
export function held(): Fault & { answer(): void } {
  let answer = (): void => {};
  const said = new Promise<void>((resolve) => { answer = resolve; });
  return Object.assign((async (perform) => {
    const found = perform();
    await said;
    return found;
  }) satisfies Fault as Fault, { answer: () => answer() });
}
