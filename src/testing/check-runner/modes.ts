/**
 * The incident family as the kit reports it: which modes there are, what each must keep, and which a port
 * cannot show. Owns: names and sentences. Must not know: how a mode is exercised.
 */

export const MODE_IDS = [
  'M01', 'M02', 'M03', 'M04', 'M05', 'M06', 'M07', 'M08', 'M09', 'M10', 'M11',
  'M12', 'M13', 'M14', 'M15', 'M16', 'M17', 'M18', 'M19', 'M20', 'M21', 'M22',
] as const;

export type ModeId = (typeof MODE_IDS)[number];

export interface Mode {
  readonly title: string;
  /** What is asked of the runner, one sentence. */
  readonly must: string;
  /** Why no port can show it; absent: one can. */
  readonly never?: string;
}

export const MODES: Readonly<Record<ModeId, Mode>> = {
  M01: {
    title: 'kind-gated release',
    must:
      'whoever aborts, the attempt ends, the lock is free and the next start runs; only a timeout abandons',
  },
  M02: {
    title: 'abort while acquiring',
    must:
      'work aborted before it was called is never called, and a lock that still arrives is given back',
  },
  M03: {
    title: 'work ignores the abort',
    must:
      'the attempt ends within settleMs (or, as a policy, when the work does); a late settle changes nothing',
  },
  M04: {
    title: 'late re-acquire',
    must: 'after the end of an aborted attempt its lock is never taken again',
  },
  M05: {
    title: 'release waits for itself',
    must:
      'an abort from inside the work ends it; a write begun under the lock lands before the lock is given away',
  },
  M06: {
    title: 'release fails',
    must: 'a failed release is asked again, or waited out by the lease; the end is not announced before',
  },
  M07: { title: 'a path without release', must: 'however the work ends by itself, the lock is given back' },
  M08: {
    title: 'nested acquire',
    must: 'a second start from inside the work is answered within waitMs; two starts never run at once',
  },
  M09: { title: 'zombie writer', must: 'a write after the end of its attempt is never seen by a reader' },
  M10: { title: 'false takeover', must: "the attempt's own writes do not make it think it lost the lock" },
  M11: {
    title: 'useless watchdog',
    must: 'a holder that stood still past its lease, and lost it, cannot write any more',
  },
  M12: {
    title: 'renewal',
    must: 'a living holder keeps its lock past the lease; after the release nothing takes it again',
  },
  M13: {
    title: 'takeover race, foreign release',
    must: 'what is left of an ended attempt does not free the lock of its successor; of two waiters one runs',
  },
  M14: {
    title: 'pid is not identity',
    must: 'a reused pid neither keeps nor steals a lock',
    never:
      'a port cannot leave the record of a dead process behind: plant one where your lock keeps them',
  },
  M15: {
    title: 'crash between two steps',
    must: 'after a crash anywhere the next start recovers',
    never: 'a port lives in one process and cannot crash it: kill a child process of your own at every step',
  },
  M16: {
    title: 'exit handlers',
    must: 'a signal in any state leaves the lock released, or ending within its lease',
    never:
      'a port lives in one process and cannot send it a signal; abort("shutdown") is exercised in M01 to M04',
  },
  M17: {
    title: 'timeout in a delicate section',
    must: 'one extension, and nothing new starts after an abort',
    never: 'a port has no delicate sections; that nothing starts after an abort is part of M02 and M04',
  },
  M18: {
    title: 'causes confused',
    must: 'the first abort is the cause, whatever follows; only a timeout abandons',
  },
  M19: {
    title: 'wrong generation',
    must: 'an abort or a settle of an ended attempt does not touch the next one',
  },
  M20: { title: 'done before done', must: 'when the end is announced, the lock is already free' },
  M21: {
    title: 'budgets that cannot work',
    must: 'a run budget longer than a timer can keep is refused or kept, not over at once',
  },
  M22: {
    title: 'busy misread',
    must: 'a start that finds the lock held is refused within waitMs, without running, and is no abort',
  },
};
