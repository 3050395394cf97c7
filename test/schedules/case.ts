/**
 * One attempt of the real driver between ports, facts that may be let happen in any order, and what has to hold then.
 * Owns: the checks. Must not know: the order.
 */
import type { createAttempt as realCreate } from '../../src/attempt.js';
import type { AbortAnswer } from '../../src/driver/driver.js';
import type { AttemptReport } from '../../src/report.js';
import type { SessionWriter } from '../../src/session/writer.js';
import { microtasksDone, VirtualClock } from '../../src/testing/virtual-clock.js';
import { LEASE_MS, Ledger, writesThrough, type Gatekeeper, type Releases, type Writes } from './ports.js';

export const FACTS = ['grant', 'settle', 'user', 'timeout', 'loss'] as const;
/** Of work that is giving the lock up for a window: the answer to that, the window's end, and what may come between. */
export const WINDOW_FACTS = ['release', 'window', 'grant', 'user', 'loss'] as const;
export type FactName = (typeof FACTS)[number] | (typeof WINDOW_FACTS)[number];

export interface Setting {
  readonly releases: Releases;
  readonly answer: Ledger['answer'];
  readonly settleMs: number;
  readonly cleanup: boolean;
  readonly onUnsettled: 'fence' | 'hold';
  readonly throws: boolean;
  /** The work has a yield window. */
  readonly window: boolean;
}

export const PLAIN: Setting = {
  releases: ['released'], answer: 'granted', settleMs: 100, cleanup: false, onUnsettled: 'fence', throws: false,
  window: false,
};

let made = 0;

export class Case {
  readonly clock = new VirtualClock();
  readonly ledger: Ledger;
  readonly writes: Writes;
  readonly attempt;
  readonly aborts: { readonly by: string; readonly answer: AbortAnswer }[] = [];
  readonly broken: string[] = [];
  reports: AttemptReport[] = [];
  works = 0;
  cleanups = 0;
  windows = 0;
  #endWindow: () => void = () => {};
  #settle: () => void = () => {};
  #settled = false;
  #writer: SessionWriter | null = null;
  #state = 'idle';
  #requestsAtAbort: number | null = null;

  constructor(createAttempt: typeof realCreate, gate: Gatekeeper, readonly setting: Setting) {
    this.ledger = new Ledger(gate, setting.releases, () => this.clock.now(), setting.answer);
    this.writes = writesThrough(gate);
    const settling = new Promise<void>((resolve) => { this.#settle = resolve; });
    const window = new Promise<void>((resolve) => { this.#endWindow = resolve; });
    this.attempt = createAttempt({
      session: 's', attemptId: `case-${process.pid}-${made += 1}`, locks: this.ledger, records: this.writes.records,
      clock: this.clock, waitMs: 5_000, answerMs: 400, openMs: 300, settleMs: setting.settleMs, cleanupMs: 200,
      onUnsettled: setting.onUnsettled,
      ...(setting.cleanup && { cleanup: () => this.#cleanedUp() }),
      work: async ({ session, yieldLock }) => {
        this.#worked(session);
        if (setting.window) {
          await yieldLock(() => this.#inWindow(window));
          this.#resumed(session);
        } else await settling;
        if (setting.throws) throw new Error('thrown by the work');
        return 'value';
      },
    });
    this.attempt.subscribe(({ state }) => this.#moved(state));
    void this.attempt.done.then((report) => this.#ended(report));
  }

  /** Lets a fact happen, in this very tick. A grant is let through by whoever keeps the gate. */
  happen(fact: Exclude<FactName, 'grant' | 'release'>): void {
    if (fact === 'window') this.#endWindow();
    else if (fact === 'loss') this.#lose();
    else if (fact === 'settle') { this.#settled = true; this.#settle(); }
    else {
      this.aborts.push({ by: fact, answer: this.attempt.abort(`by ${fact}`, { by: fact }) });
      this.#requestsAtAbort ??= this.ledger.requests;
    }
  }

  /** Time alone: everything a timer can still cause; work under "hold" settles when it is the last thing awaited. */
  async end(): Promise<void> {
    for (let round = 0; round < 200 && this.reports.length === 0; round += 1) {
      await microtasksDone();
      if (!this.clock.time.step()) {
        if (this.#settled) break;
        this.happen('window');
        this.happen('settle');
      }
    }
    await this.clock.time.advance(4 * LEASE_MS); // late grants, and what they still arm
  }

  /** All that must hold when it is over, whatever the order was. Empty: nothing broke. */
  verdict(): readonly string[] {
    const { ledger, reports, writes, clock, broken } = this;
    const [report] = reports;
    this.#expect('S8', reports.length === 1, `${reports.length} outcomes`);
    if (!report) return broken;
    this.#expect('S6', !ledger.held, `the lock is still held; lease ${report.lease}`);
    const most = 1 + this.windows;
    this.#expect('S10', this.works <= 1 && ledger.requests <= most, `${this.works} works, ${ledger.requests} requests`);
    const asked = this.#requestsAtAbort ?? ledger.requests;
    this.#expect('S11', asked === ledger.requests, 'the lock was asked for after an abort');
    this.#expect('S10', this.cleanups <= this.works, `${this.cleanups} cleanups of ${this.works} works`);
    this.#expect('S5', writes.opened === writes.closed, `${writes.opened} opened, ${writes.closed} closed`);
    this.#expect('L5', clock.armed === 0, `${clock.armed} timers are left`);
    this.#abortsKept(report);
    this.#reportIsTrue(report);
    return broken;
  }

  #abortsKept(report: AttemptReport): void {
    const accepted = this.aborts.filter(({ answer }) => answer.accepted);
    this.#expect('S9', accepted.length <= 1, `${accepted.length} aborts were accepted`);
    const [first] = accepted;
    if (first) this.#expect('S9', report.abortedBy === first.by && report.reason === `by ${first.by}`, `${first.by} became ${report.abortedBy}`);
    else this.#expect('S9', [null, 'leaseLost'].includes(report.abortedBy), `nobody was accepted, yet ${report.abortedBy}`);
    this.#expect('S9', report.abandoned === (report.abortedBy === 'timeout' && this.works > 0), `abandoned: ${report.abandoned}`);
    const late = this.attempt.abort('after the end');
    this.#expect('S8', !late.accepted && this.attempt.snapshot().state === 'released', 'an abort after the end changed something');
  }

  /** The report against the ledger. */
  #reportIsTrue({ lease, outcome, settled, token }: AttemptReport): void {
    const { ledger } = this;
    const gaveBack = ledger.givenBack > 0;
    this.#expect('S14', lease !== 'released' || gaveBack, 'reported released, the ledger knows of none');
    const knowsOfLoss = ledger.isLost || ledger.said.includes('ask notHeld');
    this.#expect('S14', lease !== 'lost' || knowsOfLoss, 'reported lost, the ledger knows of none');
    this.#expect('S14', lease !== 'neverHeld' || !ledger.held, 'reported neverHeld, and it is held');
    this.#expect('S11', ledger.givenBack <= 1 + this.windows, `given back ${ledger.givenBack} times`);
    this.#expect('S10', (settled === null) === (this.works === 0), `settled ${settled} of ${this.works} works`);
    this.#expect('S8', outcome !== 'completed' || (this.works === 1 && !this.setting.throws), 'completed without work');
    this.#expect('S11', token === null || ledger.said.includes('answer granted'), `token ${token} without a grant`);
  }

  #worked(session: SessionWriter): void {
    this.works += 1;
    this.#writer = session;
    session.appendSync({ from: 'work' });
    this.#expect('S10', this.ledger.held && !this.ledger.isLost, 'the work was started without the lock');
    this.#expect('S11', !this.aborts.some(({ answer }) => answer.accepted), 'the work was started after an abort');
  }

  /** The lock has been given up, or is somebody else's. */
  #inWindow(ends: Promise<void>): Promise<void> {
    this.windows += 1;
    this.#expect('L8', !this.ledger.held, 'a window is open and the lock is held');
    this.#expect('S11', this.#requestsAtAbort === null, 'a window was opened after an abort');
    this.#refuses('S5');
    return ends;
  }

  /** The lock is back, and nobody has stopped us. */
  #resumed(session: SessionWriter): void {
    this.#expect('M04', this.#requestsAtAbort === null, 'a window ended well after an abort');
    this.#expect('S10', this.ledger.held && !this.ledger.isLost, 'the work goes on without the lock');
    session.appendSync({ from: 'after the window' });
  }

  #cleanedUp(): void {
    this.cleanups += 1;
    this.#expect('S6', this.ledger.held || this.ledger.isLost, 'cleanup without the lock');
  }

  #lose(): void {
    const listens = ['locked', 'running.working'].includes(this.attempt.snapshot().state);
    this.ledger.lose();
    if (!listens) return;
    this.#expect('S12', !['locked', 'running.working'].includes(this.attempt.snapshot().state), 'goes on after its loss was told');
    this.#refuses('S12');
  }

  #moved(state: string): void {
    const from = this.#state;
    this.#state = state;
    if (from === 'running.working' && state !== from) this.#refuses('S5');
    if (state === 'released') this.#expect('S8', this.reports.length === 0, 'moved after the end');
  }

  #refuses(id: string): void {
    if (!this.#writer) return;
    const before = this.writes.written.length;
    try { this.#writer.appendSync({ from: 'a probe' }); } catch { return; } // refused, as it should be
    this.#expect(id, this.writes.written.length === before, 'a write passed after running was left');
  }

  #ended(report: AttemptReport): void {
    this.reports = [...this.reports, report];
    const known = report.lease === 'released' || report.lease === 'lost' || report.lease === 'neverHeld';
    this.#expect('S19', !known || !this.ledger.held, `done before the lock was given back (${report.lease})`);
  }

  #expect(id: string, holds: boolean, what: string): void {
    if (!holds) this.broken.push(`${id}: ${what}`);
  }
}
