/** The option `--store`, as every command that has it declares it. */

export interface StoreOption {
  /** A URL; without one, files, or what `ATTEMPT_STORE` names. */
  readonly store?: string;
}

/** Text of the option, and of the help. */
export const STORE_OPTION = ['--store <url>', 'postgres://... or redis://...; else files, or\nwhat $ATTEMPT_STORE names'] as const;
