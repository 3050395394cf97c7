/**
 * How the kit reaches somebody else's runner. Owns: the port, and the fault that says the port itself is
 * wrong. Must not know: any runner, ours included.
 */

/**
 * Who may abort through a port. A runner that does not know one of them answers `abort` with
 * `"unsupported"`.
 */
export type AbortKind = 'user' | 'timeout' | 'shutdown';

/** What `start` of a port is given. */
export interface StartRequest {
  /** A name that no other sequence uses. Turn it into a path where your runner wants one. */
  readonly session: string;
  /** Different for every start. */
  readonly attemptId: string;
  /** The run budget, milliseconds; absent: none. */
  readonly timeoutMs?: number;
  /** To be called once, under the lock, with a signal that fires on every abort. It may throw at once. */
  readonly work: (signal: AbortSignal) => Promise<unknown>;
}

/** One attempt, as the kit sees it. */
export interface StartedAttempt {
  /**
   * Settles when the runner says that the attempt has ended, however it ended: resolved or rejected is the
   * same.
   */
  readonly ended: Promise<unknown>;
  /**
   * Asks it to end. What it returns is awaited only where the work itself does so (M05).
   * Return `"unsupported"` for a kind your runner does not know: that kind is then reported as not
   * exercised.
   */
  abort?(by: AbortKind): unknown;
}

/** What became of an attempt, as far as the runner tells. A member left out is not checked. */
export interface PortOutcome {
  /** `user`, `timeout`, `shutdown`, or your own word for another cause; absent: it was not aborted. */
  readonly abortedBy?: string | undefined;
  /** The runner marks the run as abandoned by a timeout. */
  readonly abandoned?: boolean | undefined;
}

/**
 * How long the runner may take, milliseconds. The kit waits as long as these say and a little more, never
 * longer.
 */
export interface PortBounds {
  /**
   * How long aborted work may take to settle. Infinity: the lock is held until the work ends, as a policy.
   */
  readonly settleMs: number;
  /**
   * The patience for the lock: how long a start waits before it is refused. Infinity: it is never refused.
   */
  readonly waitMs: number;
  /** How long a lock lives without renewal. Absent: locks do not end by themselves. */
  readonly leaseMs?: number;
}

/**
 * A runner, its lock and its clock, as the kit needs them. What is left out is reported as "not exercised".
 * A port is made for each sequence and closed after it.
 */
export interface RunnerPort {
  start(request: StartRequest): StartedAttempt;
  /**
   * An outsider's single try for the lock itself, not a look at the runner's own flag.
   * @returns what gives it back; null = busy, and nothing else: any other failure rejects
   */
  tryLock(session: string): Promise<(() => Promise<void>) | null>;
  /** Writes through the runner's own writer, as this attempt's work would. A refused write rejects. */
  write?(session: string, attemptId: string, text: string): Promise<void>;
  /** Every text a reader of the session sees, in order. */
  read?(session: string): Promise<string[]>;
  outcome?(attemptId: string): PortOutcome | undefined;
  /**
   * The next `times` releases of the lock fail, each by throwing or by no effect. Infinity: all. 0: none
   * more.
   */
  failRelease?(times: number): void;
  /** Moves the runner's time and fires what is due. Absent: the runner lives in real time. */
  clock?: { advance(ms: number): Promise<void> };
  readonly bounds: PortBounds;
  /** Ends whatever is left and cleans up. */
  close(): Promise<void>;
}

/** Makes a fresh port. Called once for each sequence. */
export type MakePort = () => RunnerPort | Promise<RunnerPort>;

/** The port does not do what a port must: nothing can be said about the runner behind it. */
export class PortFault extends Error {
  /** @param part which member of the port. @param message what was expected and what was seen */
  constructor(
    readonly part: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'PortFault';
  }
}
