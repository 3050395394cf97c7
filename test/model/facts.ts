/**
 * What may be told to the machine and to the reference: one table, one fast-check command class.
 * Owns: when a fact makes sense, and what has to be equal afterwards. Must not know: what follows from a fact.
 */
import fc from 'fast-check';
import type { MachineSide } from './machine-side.js';
import type { Fact, Reference } from './reference.js';

interface Row {
  /** The driver's duties: no answer before its question, a loss of a known grant only, no settling before the start. */
  readonly when?: (m: Reference) => boolean;
  /** Which command an answer answers: the request for the lock, or the last command. */
  readonly answers?: 'request' | 'last';
  readonly detail?: (n: number, m: Reference) => object;
}
const asked = (m: Reference): boolean => m.request > 0;
const started = (m: Reference): boolean => m.work !== 'none';
/** Milliseconds the work has run: a clock that only rises, and may pass the run budget before its timer fires. */
const ranMs = (m: Reference): number => 45 * m.step;
const error = (n: number): object => (n % 3 === 0 ? {} : { error: `error ${n}` });

const ROWS: Record<string, Row> = {
  start: {},
  'abort.user': { detail: (n) => ({ reason: n }) },
  'abort.timeout': { detail: (n) => ({ reason: n, kind: 'external' }) },
  'abort.shutdown': {},
  'abort.superseded': { detail: (n) => ({ reason: n }) },
  'lock.granted': { when: asked, answers: 'request', detail: (n) => ({ token: n === 0 ? null : n }) },
  'lock.busy': { when: asked, answers: 'request', detail: (n) => (n ? { holder: n } : {}) },
  'lock.unknown': { when: asked, answers: 'request', detail: error },
  'lease.lost': { when: (m) => m.held, detail: (n) => ({ reason: n }) },
  'session.opened': { when: asked, answers: 'last' },
  'session.failed': { when: asked, answers: 'last', detail: error },
  'work.returned': { when: started, detail: (n) => ({ value: n }) },
  'work.threw': { when: started, detail: (n) => ({ error: `thrown ${n}` }) },
  'work.progressed': { when: started },
  'lock.yield': { when: started },
  'window.ended': { when: started },
  'section.entered': { when: (m) => m.state.startsWith('running'),
    detail: (n, m) => ({ graceMs: [0, 31, 0, 47, 31][n], pausesBudgets: n === 2 || n === 4, ranMs: ranMs(m) }) },
  'section.left': { when: (m) => m.sections.length > 0, detail: (n, m) => {
    const { graceMs, pausesBudgets } = m.sections[n % m.sections.length] as Fact;
    return { graceMs, pausesBudgets, ranMs: ranMs(m) };
  } },
  'cleanup.ended': { when: asked, answers: 'last' },
  'cleanup.failed': { when: asked, answers: 'last', detail: error },
  'release.confirmed': { when: asked, answers: 'last' },
  'release.notHeld': { when: asked, answers: 'last' },
  'release.unknown': { when: asked, answers: 'last', detail: error },
};

/** What was met, for the count at the end: `state fact`. */
export const met = new Map<string, number>();

/** Tells a fact to both and compares everything that can be seen of them. */
class Tell implements fc.Command<Reference, MachineSide> {
  constructor(readonly type: string, readonly stale: number, readonly n: number) {}

  check(m: Readonly<Reference>): boolean { return (ROWS[this.type]?.when ?? (() => true))(m as Reference); }

  run(m: Reference, machine: MachineSide): void { hearBoth(m, machine, this.#fact(m)); }

  toString(): string { return `${this.type}(${this.n}${this.stale ? `, ${this.stale} commands late` : ''})`; }

  #fact(m: Reference): Fact {
    const { answers, detail } = ROWS[this.type] as Row;
    const seq = answers && { seq: Math.max(1, (answers === 'request' ? m.request : m.seq) - this.stale) };
    return { type: this.type, ...seq, ...detail?.(this.n, m) };
  }
}

/** Lets one of the machine's own timers fire: no matter how long it is, a clock of ours may be anywhere. */
class Fire implements fc.Command<Reference, MachineSide> {
  constructor(readonly nth: number) {}

  check(): boolean { return true; }

  run(m: Reference, machine: MachineSide): void {
    const names = [...machine.timers.keys()].filter((name) => machine.timers.get(name)?.ms !== Infinity).sort();
    const name = names[this.nth % Math.max(1, names.length)];
    if (name !== undefined) hearBoth(m, machine, { type: name });
  }

  toString(): string { return `fire(#${this.nth})`; }
}

function hearBoth(m: Reference, machine: MachineSide, fact: Fact): void {
  const where = `${m.state} ${fact.type}`;
  met.set(where, (met.get(where) ?? 0) + 1);
  const inert = machine.isDead(fact.type);
  m.hear(fact);
  machine.hear(fact);
  if (inert && machine.said.length > 0) throw new Error(`${where}: a dead timer had an effect`);
  const isDead = (name: string): boolean => machine.isDead(name);
  if (looksAlike(m, machine, isDead)) return;
  throw new Error(`${machine.story}\nexpected ${viewOf(m)}\n     got ${viewOf(machine, isDead)}`);
}

type Seen = Pick<Reference, 'state' | 'said' | 'unsettled' | 'outcome'>
  & { readonly timers: ReadonlyMap<string, { readonly ms: number; readonly since: number }> };

/** The cheap question first, since it is asked a hundred thousand times: a failure is then shown in full. */
function looksAlike(m: Reference, machine: MachineSide, isDead: (name: string) => boolean): boolean {
  if (m.state !== machine.state || m.unsettled !== machine.unsettled || m.said.join() !== machine.said.join()) return false;
  let armed = 0;
  for (const [name, { ms, since }] of machine.timers) {
    if (isDead(name)) continue;
    const expected = m.timers.get(name);
    if (expected?.ms !== ms || expected.since !== since) return false;
    armed += 1;
  }
  if (armed !== m.timers.size) return false;
  if (m.outcome === null || machine.outcome === null) return m.outcome === machine.outcome;
  if (alike.get(m.outcome) === machine.outcome) return true;
  if (viewOf(m) !== viewOf(machine, isDead)) return false;
  alike.set(m.outcome, machine.outcome);
  return true;
}

/** Outcomes once compared: what is heard after the end must make no other. */
const alike = new WeakMap<object, object>();

/** Everything a bystander can see: state, commands in order, timers with delay and age, the final outcome. */
function viewOf({ state, said, timers, unsettled, outcome }: Seen, isDead = (_name: string): boolean => false): string {
  const armed: string[] = [];
  for (const [name, { ms, since }] of timers) if (!isDead(name)) armed.push(`${name} ${ms} @${since}`);
  const known = outcome && Object.entries(outcome).filter(([, value]) => value !== undefined).sort();
  return JSON.stringify([state, said, armed.sort(), unsettled, known]);
}

const n = fc.integer({ min: 0, max: 4 });
const stale = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) });

const WORKING = 'start lock.granted session.opened';
const WINDOW = `${WORKING} lock.yield release.confirmed`;

/** Ways into a life, so that as many sequences begin in each part of it as begin at its start. */
const ROUTES = [
  '', 'start', 'start abort.user', 'start lock.granted', 'start lock.granted session.opened',
  'start lock.granted session.opened abort.timeout', 'start lock.granted session.opened work.returned',
  'start lock.unknown release.unknown retryMs', 'start lock.granted session.failed release.unknown retryMs',
  `${WORKING} lock.yield`, `${WORKING} lock.yield release.unknown retryMs`, `${WORKING} lock.yield release.confirmed`,
  `${WINDOW} window.ended`, `${WINDOW} window.ended lock.granted`, `${WINDOW} window.ended lock.granted session.opened`,
  `${WORKING} section.entered timeoutMs`, `${WORKING} section.entered=3 section.entered timeoutMs`,
  `${WORKING} section.entered=2`, `${WORKING} section.entered=2 section.entered=4`,
].map((route) => route.split(' ').filter((type) => type !== ''));

export const anyRoute = fc.constantFrom(...ROUTES);

/** Goes a way, comparing at each step; a limit on it fires if it is armed. After `=`: which of its details a fact has. */
export function follow(route: readonly string[], m: Reference, machine: MachineSide): void {
  for (const type of route) {
    const [fact = '', detail = 1] = type.split('=');
    if (!type.endsWith('Ms')) new Tell(fact, 0, Number(detail)).run(m, machine);
    else if (machine.timers.has(type)) hearBoth(m, machine, { type });
  }
}

const OFTEN = [
  'start', 'lock.granted', 'session.opened', 'release.unknown', 'lock.yield', 'release.confirmed', 'window.ended', 'section.left',
];

/** Every fact, and timers; those that lead deep into a life more often than those that end it at once. */
export const anyFacts: fc.Arbitrary<Iterable<fc.Command<Reference, MachineSide>>> = fc.commands(
  [
    ...Object.keys(ROWS).map((type) => fc.tuple(stale, n).map(([late, detail]) => new Tell(type, late, detail))),
    ...OFTEN.map((type) => n.map((detail) => new Tell(type, 0, detail))),
    ...Array.from({ length: 4 }, () => fc.nat(5).map((nth) => new Fire(nth))),
  ],
  { maxCommands: 24, size: 'max' },
);

/** Budgets, all different so that a timer is known by its length; each limit that may be "never" sometimes is. */
export const anyGiven = fc.record({
  budgets: fc.record({
    waitMs: fc.constantFrom(0, 1_001, Infinity), answerMs: fc.constantFrom(102, 5_002), openMs: fc.constant(1_003),
    timeoutMs: fc.constantFrom(1_004, Infinity), idleTimeoutMs: fc.constantFrom(905, Infinity),
    settleMs: fc.constantFrom(0, 206), cleanupMs: fc.constant(307), leaseMs: fc.constantFrom(408, 10_008),
  }),
  hasCleanup: fc.boolean(), onUnsettled: fc.constantFrom('fence', 'hold'), leaseEnds: fc.boolean(),
} as const);
