/**
 * What a seeded bug is: one small edit of the real code, and who has to notice it. Types only.
 */

/** Exact text that stands once in its file, and what stands there with the bug. */
export interface Edit {
  readonly find: string;
  readonly replace: string;
}

export interface SeededBug extends Edit {
  /** Kebab-case, and never used again for another bug. */
  readonly id: string;
  /** The incident it is (M01 to M22) and the invariants it breaks, separated by blanks. */
  readonly breaks: string;
  /** What is wrong with the code, as a sentence. */
  readonly sentence: string;
  /** From the top of the repository. */
  readonly file: string;
  /** A second place of the same file, where one alone would not compile or would not be the bug. */
  readonly also?: Edit;
  /** Paths below `test/`, as far as they tell: the tests that are run. The narrowest that should notice. */
  readonly tests: readonly string[];
  /** These tests run what is built (real processes, threads): it is built with the bug in it. */
  readonly build?: true;
  /** The bug is a hang: a test that ends by its time limit has noticed it. For any other that is no kill. */
  readonly hangs?: true;
}
