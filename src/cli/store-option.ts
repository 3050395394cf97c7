/** The option `--store`, as every command that has it declares it. */

export interface StoreOption {
  /** `files`, `files:<directory>` or a URL; without one, what `ATTEMPT_STORE` names, or files. */
  readonly store?: string;
}

/** Text of the option, and of the help. */
export const STORE_OPTION = [
  '--store <where>', 'files:<dir> (locks lie there), postgres://... or\nredis://...; default: $ATTEMPT_STORE, or files',
] as const;
