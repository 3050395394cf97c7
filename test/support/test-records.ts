/**
 * Session records in memory that count what is open.
 */
import type {
  OpenedSession, OpenRequest, SessionRecord, SessionRecords,
} from '../../src/session/session-records.js';

export class TestRecords implements SessionRecords {
  /** Every record written, with the token it was stamped with. */
  readonly written: { readonly token: number | null; readonly record: SessionRecord }[] = [];
  opened = 0;
  closed = 0;

  recordsBetween(_session: string, above: number, below: number): Promise<{ record: SessionRecord; token: number }[]> {
    return Promise.resolve(this.written.flatMap(({ token, record }) =>
      (token !== null && token > above && token < below ? [{ record, token }] : [])));
  }

  open({ token }: OpenRequest): OpenedSession | Promise<OpenedSession> {
    this.opened += 1;
    const append = (record: SessionRecord): void => void this.written.push({ token, record });
    return {
      fencing: token === null ? 'gated' : 'stamped', append, appendSync: append,
      close: () => { this.closed += 1; },
    };
  }
}
