/**
 * Reads a trace file: one record a line. Everything in it is foreign until it has been looked at.
 * Owns: what is taken for a record. Must not know: what a record means for the machine.
 */
import { readFileSync, statSync } from 'node:fs';
import { AttemptError } from '../errors.js';
import { TRACE_VERSION, type TraceRecord } from './record.js';

/** A record and where it stands, counted from 1. */
export interface TraceLine {
  readonly line: number;
  readonly record: TraceRecord;
}

/** Larger files are not read: a trace is for looking at. About 150 000 steps. */
const MOST_BYTES = 64 * 2 ** 20;
const MOST_TEXT = 4_096;

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MOST_TEXT;
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTextList = (value: unknown): boolean => Array.isArray(value) && value.length <= 64 && value.every(isText);

const FACTS = ['seq', 'request', 'lock', 'token', 'lateAborts', 'work', 'unsettled', 'abandoned', 'asks', 'firstAsk',
  'lease', 'abort', 'failure'] as const;
const BUDGETS = ['waitMs', 'answerMs', 'openMs', 'timeoutMs', 'idleTimeoutMs', 'settleMs', 'cleanupMs', 'leaseMs'] as const;

function isFacts(value: unknown): boolean {
  return isObject(value) && FACTS.every((name) => name in value) && isNumber(value['seq']) && isNumber(value['request'])
    && isText(value['lock']) && isText(value['work']) && isTextList(value['lateAborts'])
    && (value['abort'] === null || (isObject(value['abort']) && isText(value['abort']['by'])));
}

function isInput(value: unknown): boolean {
  if (!isObject(value) || !isObject(value['budgets'])) return false;
  const budgets = value['budgets'];
  return BUDGETS.every((name) => budgets[name] === null || isNumber(budgets[name]));
}

function isStep(value: Record<string, unknown>): boolean {
  const { n, at, event, from, to, commands, after } = value;
  return isNumber(n) && isNumber(at) && isText(from) && isText(to) && isObject(event) && isText(event['type'])
    && isTextList(commands) && isFacts(after);
}

/** What a record of this kind must have besides; null: nothing is missing. */
function lackOf(value: Record<string, unknown>): string | null {
  switch (value['kind']) {
    case 'attempt': return isInput(value['input']) && isObject(value['labels']) && isNumber(value['at'])
      ? null : 'input, labels and at';
    case 'transition': return isStep(value) ? null : 'n, at, event, from, to, commands and after';
    case 'end': return isNumber(value['at']) && isText(value['outcome']) && isText(value['lease'])
      ? null : 'at, outcome and lease';
    default: return 'kind: attempt, transition or end';
  }
}

/** @returns the record, or what is wrong with it. */
export function recordFrom(value: unknown): TraceRecord | string {
  if (!isObject(value)) return 'expected an object';
  if (value['v'] !== TRACE_VERSION) return `expected v: ${TRACE_VERSION}, got ${JSON.stringify(value['v']) ?? 'none'}`;
  if (!isText(value['attemptId']) || !isText(value['session'])) return 'expected attemptId and session';
  const lack = lackOf(value);
  return lack === null ? value as unknown as TraceRecord : `expected ${lack}`;
}

const wrong = (where: string, line: number, what: string): AttemptError => new AttemptError(
  'CONFIG_INVALID', `${where}, line ${line}: ${what}. A trace is what attempt run --trace writes: one JSON record a line.`,
);

/**
 * Reads the text of a trace. A last line without its end is what a killed process leaves, and is left out.
 * @throws AttemptError `CONFIG_INVALID` naming the line and what was expected there
 */
export function parseTrace(text: string, where = 'the trace'): readonly TraceLine[] {
  const lines = text.split('\n');
  const torn = lines.pop() ?? '';
  const found: TraceLine[] = [];
  for (const [index, one] of lines.entries()) {
    if (one.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(one);
    } catch {
      throw wrong(where, index + 1, 'expected JSON');
    }
    const record = recordFrom(value);
    if (typeof record === 'string') throw wrong(where, index + 1, record);
    found.push({ line: index + 1, record });
  }
  if (found.length === 0) throw wrong(where, 1, torn === '' ? 'expected a record, found nothing' : 'expected a whole line');
  return found;
}

/**
 * Reads a trace file.
 * @throws AttemptError `CONFIG_INVALID` for what is not a trace; the native error where it cannot be read
 */
export function readTrace(file: string): readonly TraceLine[] {
  const { size } = statSync(file);
  if (size > MOST_BYTES) {
    throw new AttemptError('CONFIG_INVALID', `${file}: expected a trace of at most 64 MiB, got ${size} bytes; cut it by attempt`);
  }
  return parseTrace(readFileSync(file, 'utf8'), file);
}
