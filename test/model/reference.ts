/**
 * The attempt told a second time, from SPEC section 3 and issue 7 alone: what each state makes of each fact, as plain code.
 * Owns: what has to be seen after each event. Must not know: anything in machines/; it shares no line with it.
 * Order within one step: what leaving closes, what the cause alone does, what entering asks for.
 */
export interface Given { readonly budgets: Readonly<Record<string, number>>; readonly hasCleanup: boolean;
  readonly onUnsettled: 'fence' | 'hold'; readonly leaseEnds: boolean }
/** An event, or a limit that is over (its name, which ends in Ms, is then the type). */
export interface Fact { readonly type: string; readonly seq?: number; readonly ranMs?: number; readonly graceMs?: number;
  readonly pausesBudgets?: boolean; readonly [detail: string]: unknown }
type Rule = (m: Reference, fact: Fact) => void;
/** An abort is a request, or a timeout (by limits that go on as long as the work runs), or whatever else takes the lock away. */
const TIMEOUTS = ['timeoutMs', 'idleTimeoutMs', 'graceMs', 'section.left'];
const byOf = ({ type }: Fact): string => type.startsWith('abort.') ? type.slice(6) : TIMEOUTS.includes(type) ? 'timeout' : 'leaseLost';
/** What leaving a part of the life closes, inner parts first. */
const CLOSING = Object.entries({ 'locked': 'endOpening', 'running.working': 'closeWriter', 'running.reacquiring.opening': 'endOpening',
  'running.reacquiring': 'cancelRequest', 'cleaning': 'endCleanup' });

/** What is remembered, and what can be done with it. */
export class Reference {
  state = 'idle'; step = 0; seq = 0; said: string[] = []; timers = new Map<string, { ms: number; since: number }>();
  /** `usable`: held, and neither being given back nor waiting for the session to open again. */
  request = 0; answered = true; token: unknown = null; held = false; usable = false; lease = ''; asks = 0; firstAsk = 0;
  work: 'none' | 'pending' | 'returned' | 'threw' = 'none'; unsettled = false; abandoned = false;
  first: { by: string; kind: unknown; reason: unknown } | null = null; late: string[] = [];
  failure: { code: string; detail: unknown } | null = null; ended: Record<string, unknown> = {};
  /** Open; the budget put off for them; how much of the run budget was used when it last stood still, and when it went on. */
  sections: Fact[] = []; overdue: string | null = null; spentMs = 0; resumedMs = 0;
  outcome: Record<string, unknown> | null = null;
  constructor(readonly given: Given) {}
  hear(fact: Fact): void {
    [this.step, this.said] = [this.step + 1, []];
    if (fact.type.endsWith('Ms') && !this.timers.delete(fact.type)) return;
    const [kind, parts] = [fact.type.startsWith('abort.') ? 'abort' : fact.type, this.state.split('.')];
    [3, 2, 1].map((depth) => LIFE[parts.slice(0, depth).join('.')]?.[kind]).find((rule) => rule)?.(this, fact);
  }
  ms(name: string): number { return Math.max(0, (this.given.budgets[name] ?? 0) - (name === 'timeoutMs' ? this.spentMs : 0)); }
  get paused(): boolean { return this.sections.some((one) => one.pausesBudgets); }
  arm(name: string, ms = this.ms(name)): void { if (ms < Infinity) this.timers.set(name, { ms, since: this.step }); }
  ask(command: string): number { this.said.push(command); return (this.seq += 1); }
  enter(state: string, ...limits: string[]): void {
    for (const [part, command] of CLOSING) if (this.state.startsWith(part) && !state.startsWith(part)) this.said.push(command);
    for (const name of this.timers.keys()) if (!state.startsWith('running') || !TIMEOUTS.includes(name)) this.timers.delete(name);
    this.state = state; for (const name of limits) this.arm(name);
  }
  /** Once one budget was put off it alone decides: they count no more. */
  budgets(count: boolean): void {
    for (const name of ['timeoutMs', 'idleTimeoutMs']) if (count && this.overdue === null) this.arm(name); else this.timers.delete(name);
  }
  abortsFirst(fact: Fact, by = byOf(fact)): void {
    const kind = fact['kind'] ?? this.overdue ?? (fact.type === 'idleTimeoutMs' ? 'idle' : 'run');
    this.first = { by, kind: by === 'timeout' ? kind : null, reason: fact['reason'] ?? this.failure ?? undefined };
    if (by === 'timeout') { this.abandoned = this.work === 'pending'; this.said.push('callOnTimeout'); }
  }
  /** What was asked about an earlier grant is of no account. */
  want(state: string): void {
    this.enter(state, this.ms('waitMs') ? 'waitMs' : 'answerMs');
    [this.answered, this.asks, this.firstAsk, this.request] = [false, 0, 0, this.ask('requestLock')];
  }
  giveUp(state: string): void { this.enter(`${state}.asking`, 'leaseMs'); this.askAgain(); }
  askAgain(): void { this.arm('askMs', Math.min(this.ms('answerMs'), this.ms('leaseMs') / 4)); this.askRelease(); }
  askRelease(seq = this.ask('askRelease')): void { [this.usable, this.asks, this.firstAsk] = [false, this.asks + 1, this.firstAsk || seq]; }
  /** The one way out: asks about work and lease, never who aborted. */
  goOn(): void {
    const holds = this.given.onUnsettled === 'hold' && this.usable;
    if (this.work === 'pending' && (holds || (this.ms('settleMs') > 0 && !this.unsettled))) return;
    if (!this.held && this.answered) return this.end();
    if (!this.usable || !this.given.hasCleanup || this.work === 'none') return this.giveUp('releasing');
    this.enter('cleaning', 'cleanupMs'); this.ask('runCleanup');
  }
  end(): void {
    this.enter('released');
    const { first, failure, work, late, token, abandoned, ended } = this;
    this.outcome = { outcome: first ? 'aborted' : failure ? 'notStarted' : work === 'returned' ? 'completed' : 'failed', abandoned,
      abortedBy: first?.by ?? null, timeoutKind: first?.kind ?? null, reason: first?.reason, lateAborts: late, token,
      lease: this.lease || 'neverHeld', settled: work === 'none' ? null : work !== 'pending', failure: first ? null : failure, ...ended };
  }
}

const answer = (rule: Rule): Rule => (m, fact) => { if (fact.seq === m.seq) rule(m, fact); };
/** What was asked before the grant was known, by owner, is answered no more; that it was asked counts. */
const lock = (rule: Rule): Rule => (m, fact) => {
  if (m.answered || fact.seq !== m.request) return;
  m.answered = fact.type !== 'lock.unknown';
  if (fact.type === 'lock.granted') [m.held, m.usable, m.token, m.firstAsk] = [true, m.work === 'none', fact['token'], 0];
  rule(m, fact); };
const fails = (code: string, then: Rule): Rule => (m, fact) => { m.failure = { code, detail: fact['error'] ?? fact['holder'] }; then(m, fact); };
/** Nothing of ours is there any more: what became of it, and what that means. */
const gone = (lease: (m: Reference) => string, then: Rule): Rule => (m, fact) => {
  [m.lease, m.held, m.usable, m.answered] = [lease(m), false, false, true]; then(m, fact); };
const lost = (then: Rule): Rule => gone(() => 'lost', then);
const unheld = (m: Reference): string => m.asks > 1 ? 'unconfirmed' : m.held ? 'lost' : m.lease;
const release = (lease: (m: Reference) => string, then: Rule): Rule => (m, fact) => {
  if ((m.held || !m.answered) && m.firstAsk > 0 && (fact.seq ?? 0) >= m.firstAsk) gone(lease, then)(m, fact); };
const [ends, releases, nothing]: [Rule, Rule, Rule] = [(m) => m.end(), (m) => m.giveUp('releasing'), () => {}];
const late: Rule = (m, fact) => { if (!m.late.includes(byOf(fact))) m.late.push(byOf(fact)); };
const aborts: Rule = (m, fact) => { m.enter(`aborting.${byOf(fact)}`, 'settleMs'); m.abortsFirst(fact); m.said.push('tellWork'); m.goOn(); };
const cancels: Rule = (m) => { m.enter('acquiring.cancelling', 'answerMs'); m.said.push('cancelRequest'); };
const opens = (state: string): Rule => (m) => { m.enter(state, 'openMs'); m.ask('openSession'); };
const works: Rule = (m) => {
  m.enter('running.working'); if (m.work === 'none') m.budgets(true);
  m.said.push(m.work === 'none' ? 'startWork' : 'resumeWork'); [m.usable, m.work] = [true, 'pending']; };
const settles: Rule = (m, { type, value, error }) => {
  m.work = type === 'work.returned' ? 'returned' : 'threw'; Object.assign(m.ended, { value, workError: error }); m.goOn(); };
const cleaned: Rule = (m, { type, error }) => {
  m.ended['cleanupError'] = type === 'cleanup.ended' ? undefined : error ?? { limit: 'cleanupMs' }; m.giveUp('releasing'); };
const unanswered: Rule = (m, { error }) => {
  if (!m.state.endsWith('asking')) return;
  m.state = m.state.replace('asking', 'pausing'); m.ended['releaseError'] = error ?? { limit: 'answerMs' };
  m.timers.delete('askMs'); m.arm('retryMs', Math.min(50 * 2 ** (m.asks - 1), m.ms('leaseMs') / 4)); };
const budgetOver: Rule = (m, fact) => {
  const graceMs = Math.max(0, ...m.sections.map((one) => one.graceMs ?? 0));
  if (graceMs === 0) return aborts(m, fact);
  m.overdue = fact.type === 'idleTimeoutMs' ? 'idle' : 'run'; m.budgets(false); m.arm('graceMs', graceMs); };
const enters: Rule = (m, fact) => {
  if (fact.pausesBudgets && !m.paused) { m.spentMs += (fact.ranMs ?? 0) - m.resumedMs; m.budgets(false); }
  m.sections.push(fact); };
const leaves: Rule = (m, fact) => {
  const wasPaused = m.paused;
  m.sections.splice(m.sections.findIndex((one) => one.graceMs === fact.graceMs && one.pausesBudgets === fact.pausesBudgets), 1);
  if (m.overdue !== null && m.sections.length === 0) aborts(m, fact);
  else if (wasPaused && !m.paused) { m.resumedMs = fact.ranMs ?? 0; m.budgets(true); } };
const asked = (granted: Rule, busy: Rule, unknown: Rule, over: Rule, code = 'LOCK_BUSY') => ({ 'lock.granted': lock(granted),
  'lock.busy': lock(gone((m) => m.lease, fails('LOCK_BUSY', busy))), 'lock.unknown': lock(fails('LOCK_STORE_FAILED', unknown)),
  waitMs: fails(code, over), answerMs: fails(code, over) });
const opening = (opened: Rule, not: Rule, code = 'SESSION_OPEN_FAILED') =>
  ({ 'session.opened': answer(opened), 'session.failed': answer(fails(code, not)), openMs: fails(code, not) });
const givingBack = (given: Rule, taken: Rule) => ({ 'release.confirmed': release(() => 'released', given),
  'release.notHeld': release(unheld, (m, fact) => (m.lease === 'lost' ? taken : given)(m, fact)),
  'release.unknown': answer(unanswered), askMs: unanswered, leaseMs: gone((m) => m.held && m.given.leaseEnds ? 'expired' : 'unconfirmed', given),
  retryMs: (m: Reference) => { m.state = m.state.replace('pausing', 'asking'); m.askAgain(); } });
const LIFE: Record<string, Record<string, Rule>> = {
  'idle': { start: (m) => m.want('acquiring.waiting'), abort: (m, fact) => { m.abortsFirst(fact); m.end(); } },
  'acquiring.waiting': { ...asked(opens('locked'), ends, releases, cancels), abort: (m, fact) => { m.abortsFirst(fact); cancels(m, fact); } },
  'acquiring.cancelling': { ...asked(releases, ends, releases, releases, 'LOCK_STORE_FAILED'), abort: late },
  'locked': { ...opening(works, releases), abort: aborts, 'lease.lost': lost(aborts) },
  'running': { 'work.returned': settles, 'work.threw': settles, 'section.entered': enters, 'section.left': leaves,
    'work.progressed': (m) => { if (!m.paused && m.overdue === null) m.arm('idleTimeoutMs'); },
    timeoutMs: budgetOver, idleTimeoutMs: budgetOver, graceMs: aborts, abort: aborts, 'lease.lost': lost(aborts) },
  'running.yielding': givingBack((m) => { m.enter('running.yielded'); m.said.push('runWindow'); }, aborts),
  'running.working': { 'lock.yield': (m) => m.giveUp('running.yielding') },
  'running.yielded': { 'window.ended': (m) => m.want('running.reacquiring.waiting') },
  'running.reacquiring.waiting': asked(opens('running.reacquiring.opening'), aborts, aborts, aborts),
  'running.reacquiring.opening': opening(works, aborts),
  'aborting': { ...asked((m) => { m.askRelease(); }, nothing, nothing, nothing), ...givingBack(nothing, nothing), abort: late,
    'work.returned': settles, 'work.threw': settles, settleMs: (m) => { m.unsettled = true; m.goOn(); },
    'lease.lost': lost((m, fact) => { late(m, fact); m.goOn(); }) },
  'cleaning': { 'cleanup.ended': answer(cleaned), 'cleanup.failed': answer(cleaned), cleanupMs: cleaned, abort: late, 'lease.lost': lost(ends) },
  'releasing': { ...givingBack(ends, ends), 'lock.granted': lock(releases), abort: late, 'lease.lost': lost(ends) },
};
