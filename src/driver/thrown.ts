/**
 * The machine takes "no error" for "over time" (OVER_TIME). Whoever throws nothing has thrown all the same, and is named here.
 */
export const thrownBy = (whom: string, error: unknown): unknown =>
  error ?? new Error(`${whom} threw ${String(error)}`);
