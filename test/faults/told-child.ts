/** Children that tell what they see, for tests in TypeScript: the class is in fixtures, which plain Node runs too. */
export type Fact = Record<string, unknown> & { report?: { outcome: string; lease: string; token: number } };

export interface ToldChild {
  says(is: (fact: Fact) => boolean, ms: number): Promise<Fact | null>;
  send(line: unknown): void;
  kill(): Promise<unknown>;
  readonly ended: Promise<unknown>;
  readonly pid: number;
  readonly facts: readonly Fact[];
}

type Make = new (command: string, args: readonly string[], options?: object) => ToldChild;

const file = new URL('fixtures/told.mjs', import.meta.url).href;

export const Told = ((await import(file)) as { Told: Make }).Told;
