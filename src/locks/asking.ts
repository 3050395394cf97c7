/**
 * Asking a holder to end, as far as it is the same for every store: what an ask becomes for the holder, and who refuses.
 * Must not know: how an ask travels.
 */
import type { AskToEnd, HolderInfo, LeaseNotice } from './lock-store.js';

export const MOST_BY = 200;
export const MOST_REASON = 1_000;

/** What the holder is told of it. */
export function noticeOf({ as, by, reason }: Omit<AskToEnd, 'signal'>): LeaseNotice {
  const who = by.slice(0, MOST_BY);
  return as === 'superseded' ? { type: 'superseded', by: who }
    : { type: 'stopped', by: who, reason: reason?.slice(0, MOST_REASON) ?? null };
}

/** Does a holder refuse it? A user is never refused. */
export const refuses = ({ supersedable }: Pick<HolderInfo, 'supersedable'>, as: AskToEnd['as']): boolean =>
  as === 'superseded' && supersedable === false;
