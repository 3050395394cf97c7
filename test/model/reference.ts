/**
 * The attempt told a second time, from SPEC section 3 alone: what each state makes of each fact, as plain code.
 * Owns: what has to be seen after each event. Must not know: anything in machines/; it shares no line with it.
 * Order within one step: what leaving closes, what the cause alone does, what entering asks for.
 */
export interface Given {
  readonly budgets: Readonly<Record<string, number>>; readonly hasCleanup: boolean;
  readonly onUnsettled: 'fence' | 'hold'; readonly leaseEnds: boolean;
}
/** An event, or a limit that is over (its name, which ends in Ms, is then the type). */
export interface Fact { readonly type: string; readonly seq?: number; readonly [detail: string]: unknown }
type Rule = (m: Reference, fact: Fact) => void;
const byOf = ({ type }: Fact): string =>
  type === 'lease.lost' ? 'leaseLost' : type.endsWith('Ms') ? 'timeout' : type.replace('abort.', '');

/** What is remembered, and what can be done with it. */
export class Reference {
  state = 'idle'; step = 0; seq = 0; said: string[] = [];
  timers = new Map<string, { ms: number; since: number }>();
  request = 0; answered = false; token: unknown = null; held = false;
  work: 'none' | 'pending' | 'returned' | 'threw' = 'none'; unsettled = false; abandoned = false;
  first: { by: string; kind: unknown; reason: unknown } | null = null; late: string[] = [];
  failure: { code: string; detail: unknown } | null = null;
  asks = 0; firstAsk = 0;
  ended: { value?: unknown; workError?: unknown; cleanupError?: unknown; releaseError?: unknown } = {};
  outcome: Record<string, unknown> | null = null;
  constructor(readonly given: Given) {}

  hear(fact: Fact): void {
    [this.step, this.said] = [this.step + 1, []];
    if (fact.type.endsWith('Ms') && !this.timers.delete(fact.type)) return;
    const kind = fact.type.startsWith('abort.') ? 'abort' : fact.type;
    const rule = LIFE[this.state.split('.')[0] as string]?.[kind] ?? LIFE[this.state]?.[kind];
    if (rule) rule(this, fact);
    else if (kind === 'abort' && this.state !== 'released') this.abortsLate(fact);
  }
  ms(name: string): number { return this.given.budgets[name] ?? 0; }
  arm(name: string, ms = this.ms(name)): void { if (ms < Infinity) this.timers.set(name, { ms, since: this.step }); }
  ask(command: string): number { this.said.push(command); return (this.seq += 1); }
  enter(state: string, ...limits: string[]): void {
    this.state = state;
    this.timers.clear();
    for (const name of limits) this.arm(name);
  }
  abortsFirst(fact: Fact): string {
    const by = byOf(fact);
    const kind = fact.type === 'timeoutMs' ? 'run' : fact.type === 'idleTimeoutMs' ? 'idle' : fact['kind'];
    this.first = { by, kind: by === 'timeout' ? kind : null, reason: fact['reason'] };
    this.abandoned = by === 'timeout' && this.work === 'pending';
    if (by === 'timeout') this.said.push('callOnTimeout');
    return by;
  }
  abortsLate(fact: Fact): void { if (!this.late.includes(byOf(fact))) this.late.push(byOf(fact)); }
  cancel(): void { this.enter('acquiring.cancelling', 'answerMs'); this.said.push('cancelRequest'); }
  release(): void {
    this.enter('releasing.asking', 'leaseMs');
    this.firstAsk = this.seq + 1; // what was asked before, by owner, is answered no more; that it was asked counts
    this.askRelease();
  }
  askRelease(): void {
    [this.state, this.asks] = ['releasing.asking', this.asks + 1];
    this.ask('askRelease');
    this.arm('askMs', Math.min(this.ms('answerMs'), this.ms('leaseMs') / 4));
  }
  /** The one way out: asks about work and lease, never who aborted. */
  goOn(): void {
    const waits = this.ms('settleMs') > 0 && !this.unsettled;
    if (this.work === 'pending' && (waits || (this.given.onUnsettled === 'hold' && this.held))) return;
    if (!this.held) return this.end('lost');
    if (!this.given.hasCleanup || this.work === 'none') return this.release();
    this.enter('cleaning', 'cleanupMs');
    this.ask('runCleanup');
  }
  end(lease: string): void {
    this.enter('released');
    const { first, failure, work, late, token, abandoned, ended } = this;
    this.outcome = {
      outcome: first ? 'aborted' : failure ? 'notStarted' : work === 'returned' ? 'completed' : 'failed',
      abortedBy: first?.by ?? null, timeoutKind: first?.kind ?? null, reason: first?.reason, lateAborts: late,
      lease, token, settled: work === 'none' ? null : work !== 'pending', abandoned,
      failure: first ? null : failure, ...ended,
    };
  }
}

const answer = (rule: Rule): Rule => (m, fact) => { if (fact.seq === m.seq) rule(m, fact); };
const lock = (rule: Rule): Rule => (m, fact) => {
  if (m.answered || fact.seq !== m.request) return;
  m.answered = fact.type !== 'lock.unknown';
  if (fact.type === 'lock.granted') { m.held = true; m.token = fact['token']; }
  rule(m, fact);
};
const given = (rule: Rule): Rule => (m, fact) => { if ((fact.seq ?? 0) >= m.firstAsk) rule(m, fact); };
const failing = (code: string, then: Rule, key = 'error'): Rule =>
  (m, fact) => { m.failure = { code, detail: fact[key] }; then(m, fact); };
const aborted = (closing: string): Rule => (m, fact) => {
  m.held &&= fact.type !== 'lease.lost';
  m.said.push(closing);
  m.enter(`aborting.${m.abortsFirst(fact)}`, 'settleMs');
  m.said.push('tellWork'); m.goOn();
};
const settles = (...closing: string[]): Rule => (m, fact) => {
  m.work = fact.type === 'work.returned' ? 'returned' : 'threw';
  m.ended = { value: fact['value'], workError: fact['error'] };
  m.said.push(...closing); m.goOn();
};
const cleaned: Rule = (m, fact) => {
  if (fact.type !== 'cleanup.ended') m.ended.cleanupError = fact['error'] ?? { limit: 'cleanupMs' };
  m.said.push('endCleanup'); m.release();
};
const unanswered: Rule = (m, fact) => {
  [m.state, m.ended.releaseError] = ['releasing.pausing', fact['error'] ?? { limit: 'answerMs' }];
  m.timers.delete('askMs');
  m.arm('retryMs', Math.min(50 * 2 ** (m.asks - 1), m.ms('leaseMs') / 4));
};
const runs: Rule = (m) => {
  m.work = 'pending'; m.enter('running', 'timeoutMs', 'idleTimeoutMs');
  m.said.push('endOpening', 'startWork');
};
const patienceOver = failing('LOCK_BUSY', (m) => m.cancel());
const notOpened = failing('SESSION_OPEN_FAILED', (m) => { m.said.push('endOpening'); m.release(); });
const storeFailed = failing('LOCK_STORE_FAILED', (m) => m.release());
const busy = lock(failing('LOCK_BUSY', (m) => m.end('neverHeld'), 'holder'));
const [fromLocked, fromRunning, returns, settled] = [
  aborted('endOpening'), aborted('closeWriter'), settles('closeWriter'), settles()];
const LIFE: Record<string, Record<string, Rule>> = {
  idle: {
    start: (m) => { m.enter('acquiring.waiting', m.ms('waitMs') ? 'waitMs' : 'answerMs'); m.request = m.ask('requestLock'); },
    abort: (m, fact) => { m.abortsFirst(fact); m.end('neverHeld'); } },
  'acquiring.waiting': {
    'lock.granted': lock((m) => { m.enter('locked', 'openMs'); m.ask('openSession'); }),
    'lock.busy': busy, 'lock.unknown': lock(storeFailed), waitMs: patienceOver, answerMs: patienceOver,
    abort: (m, fact) => { m.abortsFirst(fact); m.cancel(); } },
  'acquiring.cancelling': { 'lock.granted': lock((m) => m.release()),
    'lock.busy': busy, 'lock.unknown': lock(storeFailed), answerMs: storeFailed },
  locked: { 'session.opened': answer(runs), 'session.failed': answer(notOpened), openMs: notOpened,
    abort: fromLocked, 'lease.lost': fromLocked },
  running: { 'work.returned': returns, 'work.threw': returns, 'work.progressed': (m) => m.arm('idleTimeoutMs'),
    timeoutMs: fromRunning, idleTimeoutMs: fromRunning, abort: fromRunning, 'lease.lost': fromRunning },
  aborting: { 'work.returned': settled, 'work.threw': settled, settleMs: (m) => { m.unsettled = true; m.goOn(); },
    'lease.lost': (m, fact) => { m.abortsLate(fact); m.held = false; m.goOn(); } },
  cleaning: { 'cleanup.ended': answer(cleaned), 'cleanup.failed': answer(cleaned), cleanupMs: cleaned,
    'lease.lost': (m) => { m.said.push('endCleanup'); m.end('lost'); } },
  releasing: { retryMs: (m) => m.askRelease(), 'lock.granted': lock((m) => m.release()),
    'release.confirmed': given((m) => m.end('released')), 'lease.lost': (m) => m.end('lost'),
    'release.notHeld': given((m) => m.end(m.asks > 1 ? 'unconfirmed' : m.held ? 'lost' : 'neverHeld')),
    leaseMs: (m) => m.end(m.held && m.given.leaseEnds ? 'expired' : 'unconfirmed') },
  'releasing.asking': { 'release.unknown': answer(unanswered), askMs: unanswered },
};
