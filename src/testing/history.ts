/**
 * Judges what happened to sessions: what holders saw and did, and what readers find in the end. Owns: the rules.
 * Must not know: which store, which records, how the history came about. A history of several processes of one machine
 * has to be told on one clock (`process.hrtime`).
 */

/** One thing that somebody saw or did, at a moment on a clock that all share, milliseconds. */
export type HistoryEvent = { readonly session: string; readonly token: number; readonly at: number } & (
  /** A lock was granted; `at`: when the holder was told. */
  | { readonly is: 'granted' }
  /** The holder had reason to believe that it holds the lock: its lease had not ended, and it was told of no loss. */
  | { readonly is: 'holds' }
  /** A write was asked for. */
  | { readonly is: 'writes'; readonly record: string }
  /** It was acknowledged. */
  | { readonly is: 'written'; readonly record: string }
  /** It was refused: nothing was written. A write that is neither may or may not be there. */
  | { readonly is: 'refused'; readonly record: string }
);

/** What readers find: records in order. */
export interface FoundRecord {
  readonly token: number | null;
  readonly record: string;
}

export interface HistoryVerdict {
  /** What was broken, each with the invariant's id; empty if all held. */
  readonly violations: readonly string[];
  readonly grants: number;
  readonly acknowledged: number;
}

interface Hold {
  readonly token: number;
  from: number;
  until: number;
}

/**
 * Checks tokens (unique and rising, S1 and S3), leases (apart, S2), and writes (in token order, S4; nothing acknowledged
 * is lost or doubled, nothing refused is there, S15).
 *
 * @param events in any order; each process adds its own
 * @param found what is read of each session when all is over
 * @param grants `told` (the default): a lock was held when its grant was told. `believed`: who tells may have been stopped
 *   between the grant and the telling, and wakes when somebody else has the lock; the gate then lets it do nothing. So a
 *   lock was held from the first moment its holder had reason to believe so, if there was one
 */
export function checkHistory(
  events: readonly HistoryEvent[], found: ReadonlyMap<string, readonly FoundRecord[]>, grants: 'told' | 'believed' = 'told',
): HistoryVerdict {
  const violations: string[] = [];
  const sessions = new Map<string, HistoryEvent[]>();
  for (const event of events) {
    const list = sessions.get(event.session) ?? [];
    sessions.set(event.session, list);
    list.push(event);
  }
  let acknowledged = 0;
  for (const [session, list] of sessions) {
    const complain = (id: string, what: string): void => void violations.push(`${id}: ${session}: ${what}`);
    checkHolds(holdsOf(list, grants, complain), complain);
    acknowledged += checkWrites(list, found.get(session) ?? [], complain);
  }
  return { violations, grants: events.filter(({ is }) => is === 'granted').length, acknowledged };
}

type Complain = (id: string, what: string) => void;

/** From each grant to the last moment its holder believed in it. */
function holdsOf(events: readonly HistoryEvent[], grants: 'told' | 'believed', complain: Complain): Hold[] {
  const holds = new Map<number, Hold>();
  for (const { is, token, at } of events) {
    if (is !== 'granted') continue;
    if (holds.has(token)) complain('S1', `token ${token} was granted twice`);
    else holds.set(token, grants === 'told' ? { token, from: at, until: at } : { token, from: Infinity, until: -Infinity });
  }
  for (const { is, token, at } of events) {
    const hold = holds.get(token);
    if (!hold) complain('S10', `something was done under token ${token}, which nobody was granted`);
    else if (is === 'holds') {
      hold.from = Math.min(hold.from, at);
      hold.until = Math.max(hold.until, at);
    }
  }
  return [...holds.values()].filter(({ from }) => from < Infinity).sort((a, b) => a.from - b.from);
}

function checkHolds(holds: readonly Hold[], complain: Complain): void {
  let longest: Hold | undefined;
  for (const hold of holds) {
    if (longest && hold.from < longest.until) {
      complain('S2', `token ${hold.token} was granted ${(longest.until - hold.from).toFixed(1)} ms before token ${longest.token} ended`);
    } else if (longest && hold.token <= longest.token) {
      complain('S3', `token ${hold.token} was granted after ${longest.token} had ended`);
    }
    if (!longest || hold.until >= longest.until) longest = hold;
  }
}

/** @returns how many writes were acknowledged */
function checkWrites(events: readonly HistoryEvent[], found: readonly FoundRecord[], complain: Complain): number {
  const count = new Map<string, number>();
  let highest = 0;
  for (const { token, record } of found) {
    count.set(record, (count.get(record) ?? 0) + 1);
    if (token !== null && token < highest) complain('S4', `record ${record} of token ${token} is read after one of ${highest}`);
    highest = Math.max(highest, token ?? 0);
  }
  const asked = new Set<string>();
  let acknowledged = 0;
  for (const event of events) {
    if (event.is === 'writes') asked.add(event.record);
    if (event.is === 'written') {
      acknowledged += 1;
      if (!count.has(event.record)) complain('S15', `record ${event.record} was acknowledged and is not there`);
    }
    if (event.is === 'refused' && count.has(event.record)) complain('S4', `record ${event.record} was refused and is there`);
  }
  for (const [record, times] of count) {
    if (times > 1) complain('S15', `record ${record} is there ${times} times`);
    if (!asked.has(record)) complain('S15', `record ${record} is there, and nobody wrote it`);
  }
  return acknowledged;
}
