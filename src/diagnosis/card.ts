/**
 * The diagnosis card: one diagnosis as text, for `attempt doctor`, `attempt status --watch` and whoever else shows it.
 * Pure, and safe for a terminal whatever the files say. Owns: the words and their order.
 */
import { hostname } from 'node:os';
import { expect } from '../config-checks.js';
import { fit, harmless, inWords, labelsInWords, shortId } from '../text.js';
import type { KeptReport } from '../kept-report.js';
import type { Diagnosis, FreeBy } from './diagnosis.js';

export interface CardOptions {
  /** Columns: longer lines are folded. Default: 80. */
  readonly width?: number;
  /** How the session is called; default: its real path. */
  readonly name?: string;
  /** How many of the last reports are shown, 0 to 20. Default: 3. */
  readonly reports?: number;
}

const LABEL_WIDTH = 11;
const LEAST_WIDTH = 40;
const MOST_WAITERS = 5;

/** Folds at blanks; a word longer than the line is left whole, so that a path or command can be copied. */
function folded(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** `label  text`, further lines indented under the text. */
function row(label: string, text: string, width: number): string {
  const indent = ' '.repeat(LABEL_WIDTH + 2);
  return folded(harmless(text), width - LABEL_WIDTH - 2)
    .map((line, n) => (n === 0 ? `  ${label.padEnd(LABEL_WIDTH)}${line}` : `${indent}${line}`)).join('\n');
}

/** "at the latest" only where there is a bound. */
function freeInWords({ at, bound }: FreeBy, now: number): string {
  if (at === null) return `no bound: ${bound}`;
  return at <= now ? `now: ${bound}` : `in ${inWords(at - now)} at the latest: ${bound}`;
}

function waitersInWords({ waiting, at }: Diagnosis): string {
  const named = waiting.slice(0, MOST_WAITERS).map(({ attemptId, pid, host, since }) => {
    const elsewhere = host === hostname() ? '' : ` on ${host}`;
    return `${shortId(attemptId)} (pid ${pid}${elsewhere}) for ${inWords(at - since)}`;
  });
  const more = waiting.length > MOST_WAITERS ? `, and ${waiting.length - MOST_WAITERS} more` : '';
  return `${named.join(', ')}${more}`;
}

/** One kept report as a phrase: "token 7, attempt 1b7f2c09: completed after 3 s, released; 2 min ago". */
export function reportInWords(report: KeptReport, now: number): string {
  const { token, attemptId, outcome, abortedBy, timeoutKind, lease, timings, settled, error, endedAt, labels } = report;
  const by = abortedBy === null ? '' : ` by ${abortedBy}${timeoutKind === null ? '' : ` (${timeoutKind})`}`;
  const ran = timings.ranMs === null ? '' : ` after ${inWords(timings.ranMs)}`;
  const still = settled === false ? ', its work had not ended' : '';
  const why = error === null || abortedBy !== null ? '' : `, ${error.code ?? error.name}: ${fit(error.message, 60)}`;
  const about = labelsInWords({ labels, note: null });
  const who = `token ${token}, attempt ${shortId(attemptId)}${about && ` (${about})`}`;
  return `${who}: ${outcome}${by}${ran}${still}${why}, ${lease}; ${inWords(now - endedAt)} ago`;
}

/**
 * Writes the card of a diagnosis.
 * @param diagnosis one of those `diagnose()` lists
 * @returns lines without escape sequences, the last one ended; what is not known or does not apply is left out
 * @throws AttemptError `CONFIG_INVALID` for anything else, the list itself for one
 */
export function cardOf(diagnosis: Diagnosis, { width = 80, name, reports = 3 }: CardOptions = {}): string {
  const given: Partial<Diagnosis> | null | undefined = diagnosis;
  expect(typeof given?.sentence === 'string', 'diagnosis', 'one of the list diagnose() resolves to', diagnosis);
  const { session, sentence, holder, liveness, next, at, also, budgets } = diagnosis;
  const columns = Math.max(LEAST_WIDTH, width);
  const line = (label: string, text: string | null): string[] => (text ? [row(label, text, columns)] : []);
  const about = holder ? labelsInWords(holder) : '';
  const limits = budgets.map(({ name: budget, ms, from }) =>
    `${budget} ${ms === null ? 'none' : inWords(ms)}${from === 'set' ? ' (set)' : ''}`);
  const command = next.command && `\n${' '.repeat(LABEL_WIDTH + 2)}$ ${harmless(next.command)}`;
  return `${[
    folded(`${harmless(name ?? session)}: ${sentence}`, columns - 4).join('\n    '),
    ...line('also', also.join(', ')),
    ...line('free', freeInWords(diagnosis.freeBy, at)),
    ...line('holder', liveness && `${liveness.verdict}: ${liveness.evidence.join('; ')}`),
    ...line('about', about),
    ...line('loop', loopInWords(diagnosis)),
    ...line('settling', diagnosis.unsettledBecause),
    ...line('waiting', waitersInWords(diagnosis)),
    ...diagnosis.damage.flatMap((one) => line('damage', one)),
    ...diagnosis.leftovers.flatMap(({ path, what, proved }) =>
      line('left', `${path}: ${what}${proved ? '' : ' (not proved to be dead)'}`)),
    ...line('next', next.say).map((said) => said + (command ?? '')), ...line('risk', next.command === null ? null : next.risk),
    ...line('limits', limits.join(', ')), ...line('tokens', tokensInWords(diagnosis)),
    ...diagnosis.reports.slice(0, reports).flatMap((report, n) => line(n === 0 ? 'before' : '', reportInWords(report, at))),
  ].join('\n')}\n`;
}

function tokensInWords({ tokens }: Diagnosis): string | null {
  if (!tokens) return null;
  const { granted, written } = tokens;
  const back = written > granted ? '; the engine has forgotten grants (a failover, a restored backup): the next one is raised' : '';
  return `last granted: ${granted || 'none'}; highest in its records: ${written || 'none'}${back}`;
}

/** A loop that is blocked is why work does not hear that it was ended. Less than this is nobody's concern. */
const WORTH_TELLING_MS = 500;

function loopInWords({ holder }: Diagnosis): string | null {
  const ms = holder?.facts?.loopDelayMs ?? 0;
  return ms < WORTH_TELLING_MS ? null : `its event loop has been blocked, or asleep, for up to ${inWords(ms)}`;
}
