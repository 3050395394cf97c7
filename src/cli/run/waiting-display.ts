/**
 * Shows that we wait, and for whom: three lines under a spinner on a terminal, one line when piped, nothing when quiet.
 */
import { hostname } from 'node:os';
import type { LockStore, SessionStatus } from '../../locks/lock-store.js';
import { canRedraw, mayColour } from '../terminal.js';
import { fit, fitPath, harmless, holderInWords, inWords, leaseEndInWords } from '../../text.js';

/** A wait shorter than this is not worth a word. */
const SILENT_MS = 150;

/** How often the terminal's lines are made anew. */
const REFRESH_MS = 500;

export interface WaitingDisplay {
  /** Takes away what is drawn, until it is time to draw anew: we are about to be stopped, and the shell writes there. */
  hide(): void;
  /** The wait is over: what was drawn is taken away within this call, before the command can write there. */
  end(): void;
}

export interface Waiting {
  readonly locks: LockStore;
  /** As the user spelled it. */
  readonly session: string;
  /** How long we are going to wait at most; Infinity without a limit. */
  readonly patienceMs: number;
  readonly quiet: boolean;
}

const others = (waiting: number): string => (waiting > 1 ? `${waiting - 1} more waiting` : '');

/** The lines of the terminal, none longer than its width. */
export function waitingLines(
  { session, patienceMs }: Pick<Waiting, 'session' | 'patienceMs'>, waitedMs: number, status: SessionStatus | undefined,
  { width, now, host }: { readonly width: number; readonly now: number; readonly host: string },
): readonly string[] {
  const limit = patienceMs === Infinity ? '' : ` of at most ${inWords(patienceMs)}`;
  const waited = `: ${inWords(waitedMs)}${limit}`;
  const first = `waiting for ${fitPath(harmless(session), Math.max(8, width - 12 - waited.length))}${waited}`;
  const holder = status?.holder;
  const more = others(status?.waiting.length ?? 1);
  const facts = holder
    ? [holderInWords(holder, now, host), [leaseEndInWords(holder.until, now), more].filter(Boolean).join('; ')]
    : [['the lock is free and about to be taken', more].filter(Boolean).join('; ')];
  return [first, ...facts].filter(Boolean).map((line) => fit(line, width));
}

/** The one line of a pipe or a log. */
function pipedLine({ session, patienceMs }: Waiting, status: SessionStatus | undefined): string {
  const limit = patienceMs === Infinity ? 'without a limit' : `at most ${inWords(patienceMs)}`;
  const holder = status?.holder ? holderInWords(status.holder, Date.now(), hostname()) : 'about to be taken';
  const more = others(status?.waiting.length ?? 1);
  return `attempt: waiting for ${harmless(session)} (${limit}): ${holder}${more && `; ${more}`}\n`;
}

/** Starts to show; says nothing for the first moment. */
export function showWaiting(waiting: Waiting): WaitingDisplay {
  if (waiting.quiet) return { hide: () => {}, end: () => {} };
  const { locks, session } = waiting;
  const stream = process.stderr;
  const begun = Date.now();
  const host = hostname();
  let over = false;
  let spinner: { text: string; stop(): unknown } | null = null;
  let timer: NodeJS.Timeout;

  const show = async (): Promise<void> => {
    const [status] = await locks.query(session);
    if (over) return;
    // Free, or ours already: it is being granted, on a machine that is slow to start.
    const isGranting = !status?.holder || status.holder.sameProcess;
    if (!spinner && isGranting) return void (timer = setTimeout(next, SILENT_MS));
    if (!spinner && !canRedraw(stream)) return void stream.write(pipedLine(waiting, status));
    const view = { width: (stream.columns || 80) - 3, now: Date.now(), host };
    const text = waitingLines(waiting, Date.now() - begun, status, view).join('\n  ');
    if (spinner) spinner.text = text;
    else {
      const { default: ora } = await import('ora');
      // The cursor stays: hidden, it would stay so after a kill -9, and while we are stopped.
      const color = mayColour() ? 'cyan' : false;
      if (!over) spinner = ora({ text, stream, color, discardStdin: false, hideCursor: false, isEnabled: true }).start();
    }
    if (!over) timer = setTimeout(next, REFRESH_MS);
  };
  const next = (): void => void show().catch(() => {}); // what cannot be told is not worth failing for
  timer = setTimeout(next, SILENT_MS);
  const hide = (): void => {
    spinner?.stop();
    spinner = null;
  };
  return {
    hide,
    end() {
      over = true;
      clearTimeout(timer);
      hide();
    },
  };
}
