/**
 * Checks of an attempt's options, each alone and all against each other, before anything is touched.
 * Owns: what is `CONFIG_INVALID`, and which doubtful budgets are warned of. Must not know: how an attempt is run.
 */
import type { Budgets } from '../machines/attempt.types.js';
import { expect, expectKnown, expectMs } from './config-checks.js';
import type { LockStore } from './locks/lock-store.js';
import type { AbortRequester, AttemptOptions } from './options.js';
import { warn } from './warnings.js';

const KNOWN: readonly (keyof AttemptOptions<unknown>)[] = [
  'session', 'work', 'locks', 'signal', 'timeoutMs', 'idleTimeoutMs', 'waitMs', 'settleMs', 'cleanup', 'cleanupMs',
  'openMs', 'answerMs', 'takeOver', 'supersedable', 'onUnsettled', 'onTimeout', 'dispose', 'attemptId', 'labels',
  'records', 'stamp', 'classifyAbort', 'clock', 'inspect', 'trace',
];

const ABORT_REQUESTERS: readonly AbortRequester[] = ['user', 'timeout', 'shutdown', 'superseded'];

/** Is this who may ask for an abort? */
export const isRequester = (by: unknown): by is AbortRequester => ABORT_REQUESTERS.includes(by as AbortRequester);

/** Throws `CONFIG_INVALID` unless this is who may ask for an abort. */
export function expectRequester(name: string, by: unknown): asserts by is AbortRequester {
  expect(isRequester(by), name, ABORT_REQUESTERS.join(', '), by);
}

export function expectFunction(name: string, value: unknown): void {
  expect(value === undefined || typeof value === 'function', name, 'a function', value);
}

export const expectKnownKeys = (options: object): void => expectKnown(options, KNOWN);

export function budgetsOf(options: AttemptOptions<unknown>, leaseMs: number): Budgets {
  const { waitMs = 60_000, answerMs = 5_000, openMs = 5_000, settleMs = 2_000, cleanupMs = 5_000 } = options;
  const { timeoutMs, idleTimeoutMs } = options;
  expectMs('waitMs', waitMs, { infinite: true });
  for (const [name, ms] of Object.entries({ answerMs, openMs, cleanupMs })) expectMs(name, ms, { min: 1 });
  expectMs('settleMs', settleMs);
  if (timeoutMs !== undefined) expectMs('timeoutMs', timeoutMs, { min: 1 });
  if (idleTimeoutMs !== undefined) expectMs('idleTimeoutMs', idleTimeoutMs, { min: 1 });
  expectMs('locks.capabilities.leaseMs', leaseMs, { min: 1 });
  return {
    waitMs, answerMs, openMs, settleMs, cleanupMs, leaseMs,
    timeoutMs: timeoutMs ?? Infinity, idleTimeoutMs: idleTimeoutMs ?? Infinity,
  };
}

/** A hold this many times longer than the patience of those who wait for it is worth a warning (INCIDENTS M21). */
const DOUBTFUL_HOLD = 10;

export function checkBudgetsTogether(budgets: Budgets, hasCleanup: boolean): void {
  const { timeoutMs, idleTimeoutMs, waitMs, settleMs, cleanupMs } = budgets;
  expect(
    idleTimeoutMs === Infinity || idleTimeoutMs < timeoutMs, 'idleTimeoutMs',
    `less than timeoutMs (${timeoutMs}), or it can never fire`, idleTimeoutMs,
  );
  const hold = timeoutMs + settleMs + (hasCleanup ? cleanupMs : 0);
  if (waitMs > 0 && Number.isFinite(hold) && hold > waitMs * DOUBTFUL_HOLD) {
    warn('BUDGETS', `An attempt may hold its lock for ${hold} ms, while one like it waits only ${waitMs} ms: `
      + 'most waiters will be refused. Raise waitMs or lower timeoutMs.');
  }
}

/** @param locks the store that would have to ask */
export function checkTakeOver(takeOver: unknown, supersedable: unknown, locks: LockStore, waitMs: number): void {
  expect(typeof takeOver === 'boolean', 'takeOver', 'true or false', takeOver);
  expect(typeof supersedable === 'boolean', 'supersedable', 'true or false', supersedable);
  if (!takeOver) return;
  expect(typeof locks.askHolder === 'function', 'takeOver', 'a store that can ask its holder (askHolder)', locks);
  expect(waitMs > 0, 'waitMs', 'more than 0 with takeOver: a holder that is asked to end needs time', waitMs);
}

export function checkLabels(labels: unknown): Readonly<Record<string, string>> {
  const isObject = typeof labels === 'object' && labels !== null && !Array.isArray(labels);
  expect(isObject, 'labels', 'an object of strings', labels);
  const entries = Object.entries(labels);
  expect(entries.length <= 32, 'labels', 'at most 32 labels', entries.length);
  for (const [key, value] of entries) {
    const ok = typeof value === 'string' && value.length <= 256 && key.length <= 256;
    expect(ok, `labels.${key}`, 'a string of at most 256 characters', value);
  }
  return Object.freeze({ ...labels });
}

const TOKEN_SCOPES = ['durable', 'until-failover', 'process', 'none'];

/** A LockStore in every part we use: a missing one would show only when the lock has to be given back. */
export function checkLocks(locks: LockStore | undefined): void {
  if (locks === undefined) return;
  for (const name of ['acquire', 'releaseOwner', 'query', 'forceRelease'] as const) {
    expect(typeof locks?.[name] === 'function', 'locks', `a LockStore with ${name}()`, locks);
  }
  const scope: unknown = locks.capabilities?.tokenScope;
  expect(TOKEN_SCOPES.includes(scope as string), 'locks.capabilities.tokenScope', TOKEN_SCOPES.join(', '), scope);
}

export function checkPorts(options: AttemptOptions<unknown>): void {
  const { locks, signal, records, clock, work, session } = options;
  expect(
    typeof session === 'string' && session.length > 0 && !session.includes('\0'),
    'session', 'a non-empty path or key without NUL', session,
  );
  expect(typeof work === 'function', 'work', 'a function', work);
  checkLocks(locks);
  const isSignal = typeof signal?.addEventListener === 'function'
    && typeof signal.removeEventListener === 'function' && typeof signal.aborted === 'boolean';
  expect(signal === undefined || isSignal, 'signal', 'an AbortSignal', signal);
  expect(
    records === undefined || records === 'none' || typeof records?.open === 'function',
    'records', 'SessionRecords with open(), or "none"', records,
  );
  const floor: unknown = records === 'none' ? undefined : records?.tokenFloor;
  expect(floor === undefined || typeof floor === 'function', 'records.tokenFloor', 'a function', floor);
  for (const name of ['now', 'wallNow', 'sleeplessNow', 'setTimeout', 'clearTimeout'] as const) {
    expect(clock === undefined || typeof clock?.[name] === 'function', 'clock', `a Clock with ${name}()`, clock);
  }
}
