/**
 * Runs one order of same-tick facts. Owns: the list of orders and settings. Must not know: what has to hold.
 */
import type { createAttempt as realCreate } from '../../src/attempt.js';
import { microtasksDone } from '../../src/testing/virtual-clock.js';
import { Case, FACTS, PLAIN, WINDOW_FACTS, type FactName, type Setting } from './case.js';
import type { Gatekeeper } from './ports.js';

/** Every order of every choice of one to five facts: 325. */
export const ORDERS: readonly (readonly FactName[])[] = ordersOf(FACTS).filter((order) => order.length > 0)
  .sort((one, other) => one.length - other.length);

/** The same of what may happen while the work gives the lock up. */
export const WINDOW_ORDERS: readonly (readonly FactName[])[] = ordersOf(WINDOW_FACTS)
  .sort((one, other) => one.length - other.length);

function ordersOf(facts: readonly FactName[]): FactName[][] {
  return [[], ...facts.flatMap((fact) => ordersOf(facts.filter((other) => other !== fact)).map((rest) => [fact, ...rest]))];
}

export const SETTINGS: readonly Setting[] = [
  PLAIN,
  { ...PLAIN, cleanup: true },
  { ...PLAIN, settleMs: 0, cleanup: true },
  { ...PLAIN, onUnsettled: 'hold' },
  { ...PLAIN, throws: true, releases: ['unknown', 'released'] },
  { ...PLAIN, releases: ['lostAnswer', 'notHeld'] },
  { ...PLAIN, releases: ['notHeld'] },
  { ...PLAIN, releases: ['hangs', 'rejects', 'released'] },
  { ...PLAIN, releases: ['hangs'] },
  { ...PLAIN, answer: 'busy' },
  { ...PLAIN, answer: 'unknown' },
  { ...PLAIN, answer: 'rejects' },
];

/**
 * Asks for the lock, then lets the facts happen in this order in one tick of the clock.
 * @param breathe let microtasks run in between: the driver hears each fact's consequences before the next
 */
export async function runOrder(
  create: typeof realCreate, order: readonly FactName[], setting: Setting, breathe: boolean,
): Promise<{ readonly broken: readonly string[]; readonly story: string; readonly said: readonly string[] }> {
  const [mayGrant, mayRelease] = [held(), held()];
  let firsts = setting.window ? 1 : 0; // the first grant, which leads to the window, is not kept waiting
  const gate: Gatekeeper = async (what, answer) => {
    if (what === 'grant' && (firsts -= 1) < 0) await mayGrant.promise;
    if (what === 'release' && setting.window) await mayRelease.promise;
    return answer();
  };
  const it = new Case(create, gate, setting);
  void it.attempt.start();
  if (setting.window) await microtasksDone();
  for (const fact of order) {
    if (fact === 'grant') mayGrant.let();
    else if (fact === 'release') mayRelease.let();
    else it.happen(fact);
    if (breathe) await microtasksDone();
  }
  await it.end();
  mayRelease.let();
  mayGrant.let(); // whatever was never granted arrives when all is over, and is given back
  await it.clock.time.advance(10_000);
  return { broken: it.verdict(), said: it.ledger.said, story: storyOf(order, setting, breathe, it) };
}

function held(): { readonly promise: Promise<void>; let(): void } {
  let open = (): void => {};
  const promise = new Promise<void>((resolve) => { open = resolve; });
  return { promise, let: () => open() };
}

function storyOf(order: readonly FactName[], setting: Setting, breathe: boolean, { ledger, reports }: Case): string {
  const trace = reports[0]?.trace.transitions.map(({ from, to, event }) => `${from} -${event}-> ${to}`) ?? [];
  return [
    `order: ${order.join(', ')}${breathe ? ' (microtasks in between)' : ''}`, `setting: ${JSON.stringify(setting)}`,
    ...trace.map((line) => `  ${line}`), `ledger: ${ledger.said.join(', ')}`,
    'replay: npx vitest run --dir test/schedules (exhaustive: it fails again)',
  ].join('\n');
}

/** S18: with user and timeout exchanged the ledger reads the same. */
export async function swapCheck(create: typeof realCreate, order: readonly FactName[], setting: Setting): Promise<string[]> {
  if (!order.includes('user') && !order.includes('timeout')) return [];
  const swapped = order.map((fact): FactName => (fact === 'user' ? 'timeout' : fact === 'timeout' ? 'user' : fact));
  const [one, other] = [await runOrder(create, order, setting, true), await runOrder(create, swapped, setting, true)];
  const [a, b] = [one.said.join(', '), other.said.join(', ')];
  return a === b ? [] : [`S18: ${order.join(' ')}: ${a} | exchanged: ${b}`];
}

/** Collects what nobody handled. */
export function watchRejections(): () => readonly unknown[] {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  return () => {
    process.off('unhandledRejection', note);
    return unhandled;
  };
}
