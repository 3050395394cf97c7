/**
 * Asking a holder through an engine: what is laid beside its grant, and what of that is believed when it is read back.
 */
import { randomUUID } from 'node:crypto';
import { noticeOf } from '../asking.js';
import type { AskAnswer, AskToEnd, LeaseNotice } from '../lock-store.js';
import type { AskLaid, LockEngine } from './lock-engine.js';

/** Lays an ask beside the grant with this token, and takes it back when nobody wants it any more. */
export async function askInEngine(engine: LockEngine, session: string, token: number, ask: AskToEnd): Promise<AskAnswer> {
  const laid: AskLaid = { id: randomUUID(), as: ask.as, notice: noticeOf(ask) };
  // Also where it is not known whether it was laid; if it cannot be told, it goes with the grant it was meant for.
  const withdraw = (): void => void engine.withdraw(session, token, laid).catch(() => {});
  ask.signal.addEventListener('abort', withdraw);
  const answer = await engine.ask(session, token, laid);
  if (answer !== 'asked') ask.signal.removeEventListener('abort', withdraw);
  else if (ask.signal.aborted) withdraw(); // the one before may have come first
  return answer;
}

/** What a grant has been asked, as its engine has it. Only explains, except for its type: what cannot be read is left out. */
export function noticesOf(asked: readonly unknown[]): readonly LeaseNotice[] {
  return asked.flatMap((one) => {
    const { type, by, reason } = (typeof one === 'object' && one !== null ? one : {}) as Record<string, unknown>;
    if (type !== 'superseded' && type !== 'stopped') return [];
    return [noticeOf({
      as: type === 'superseded' ? 'superseded' : 'user', by: typeof by === 'string' ? by : 'somebody who did not say',
      ...(typeof reason === 'string' && { reason }),
    })];
  });
}

/** JSON of somebody else; null where it is none. */
export function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return null;
  }
}
