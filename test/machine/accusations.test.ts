/**
 * The invariants themselves, a step at a time: what each accuses, and what is next to it and right. That no machine of ours
 * does these things is shown by the walk; here it is shown that they would be seen.
 */
import { describe, expect, test } from 'vitest';
import {
  decidedOutcome, invariants, pathOf, withoutCause, type History, type Snapshot, type World,
} from '../../machines/attempt.invariants.js';

type Context = Partial<Snapshot['context']>;

const at = (path: string, context: Context = {}, more: { status?: string; output?: unknown } = {}): Snapshot => ({
  value: path.split('.').reduceRight<unknown>((inner, name) => (inner === null ? name : { [name]: inner }), null),
  status: 'active', output: undefined, ...more,
  context: { request: 0, lock: 'none', failure: null, abort: null, work: 'none', abandoned: false, lease: null, ...context },
} as Snapshot);
const aborted = (by: string, kind: string | null = null, reason: unknown = 'why'): Context => ({ abort: { by, kind, reason } as never });
const failed: Context = { failure: { code: 'LOCK_BUSY', detail: null } };
const over = (path = 'released', context: Context = {}, output?: unknown): Snapshot => at(path, context, { status: 'done', output });

interface Told extends Partial<Omit<History, 'event'>> { now?: Snapshot; event?: { type: string; seq?: number }; world?: World }
const nothing: History = {
  before: at('idle'), event: { type: 'start' }, commands: [], starts: 0, granted: false, lost: false, releaseBegun: false,
  writerOpen: false, sessionOpen: false, cleanupOpen: false, timeoutCalls: 0,
};
const quiet: World = { grant: 'none', requestOpen: false };

function said(id: string, { now = at('running.working'), world = quiet, ...told }: Told): string | null {
  return invariants.find((one) => one.id === id)!.check!(now, { ...nothing, ...told } as History, world);
}

/** What is right, and what is accused, in these words. */
function judge(id: string, right: Readonly<Record<string, Told>>, wrong: Readonly<Record<string, readonly [Told, RegExp]>>): void {
  test(`${id} leaves alone what is right`, () => {
    const accused = Object.entries(right).map(([what, step]) => [what, said(id, step)]);
    expect(accused).toEqual(accused.map(([what]) => [what, null]));
  });
  test.each(Object.entries(wrong))(`${id} accuses: %s`, (_what, [step, words]) => expect(said(id, step)).toMatch(words));
}

const [working, returned] = [at('running.working', { work: 'pending' }), at('cleaning', { work: 'returned' })];

describe('the words of a snapshot', () => {
  test('a state is a dotted path', () => {
    expect([at('idle'), at('aborting.user')].map(({ value }) => pathOf(value))).toEqual(['idle', 'aborting.user']);
    expect(pathOf({ one: 'a', two: { inner: 'b' } })).toBe('one.a,two.inner.b');
  });

  test('S8: an outcome is decided by the first of abort, failure and the work\'s end', () => {
    const of = (context: Context) => decidedOutcome(at('running', context).context);
    expect([of({}), of({ work: 'pending' }), of({ work: 'returned' }), of({ work: 'threw' })]).toEqual([null, null, 'completed', 'failed']);
    expect([of({ ...failed, work: 'returned' }), of({ ...failed, ...aborted('user') })]).toEqual(['notStarted', 'aborted']);
  });

  test('S18: two steps that differ in the cause alone are alike, and no others', () => {
    const mark = { lateAborts: ['user'], abandoned: true } as const;
    const one = withoutCause(at('aborting.user', aborted('user')));
    expect(one).toEqual(withoutCause(at('aborting.timeout', { ...aborted('timeout', 'run'), ...mark })));
    expect(one).toMatchObject({ state: 'aborting', abort: true, work: 'none' });
    expect(withoutCause(at('outer.aborting.user'))).toMatchObject({ state: 'outer.aborting.user', abort: false });
    expect(one).not.toEqual(withoutCause(at('aborting.user', { ...aborted('user'), work: 'pending' })));
  });
});

describe('which there are', () => {
  const idsOf = (wanted: (one: (typeof invariants)[number]) => boolean): string => invariants.filter(wanted).map(({ id }) => id).join(' ');

  test('S1 to S19, L1 to L8, R1 and R2, each where it is decided', () => {
    const byScope = ['machine', 'driver', 'store', 'session', 'process'].map((name) => idsOf(({ scope }) => scope === name));
    expect(byScope).toEqual([
      'S5 S6 S8 S9 S10 S11 S12 S13 S14 S18 L7 L8 R1 R2', 'S19 L1 L2', 'S1 S2 S3 S7 S16 L4', 'S4 S15 S17', 'L3 L5 L6',
    ]);
  });

  test('those that can be asked are decided by a step or by a world; of a world only its grants are looked at', () => {
    expect(idsOf(({ decidedBy }) => decidedBy === 'world')).toBe('S6 L8 R1');
    expect(idsOf(({ decidedBy }) => decidedBy === 'step')).toBe('S5 S8 S9 S10 S11 S12 S13 S14 R2');
    expect(idsOf(({ check, decidedBy }) => (check === undefined) !== (decidedBy === undefined))).toBe('');
  });
});

judge('S5', {
  'open at work': { now: at('running.working'), writerOpen: true }, 'closed elsewhere': { now: at('aborting.user') },
}, {
  'open while aborting': [{ now: at('aborting.user'), writerOpen: true }, /open in aborting\.user/],
  'open in a window': [{ now: at('running.yielded'), writerOpen: true }, /open in running\.yielded/],
});

judge('S6', {
  'not ended': { now: at('releasing'), world: { grant: 'live', requestOpen: true } },
  'ended and free': { now: over(), world: { grant: 'givenBack', requestOpen: false } },
  'owned up to': { now: over('released', { lease: 'unconfirmed' }), world: { grant: 'live', requestOpen: true } },
}, {
  'a live grant': [{ now: over(), world: { grant: 'live', requestOpen: false } }, /live grant/],
  'a live grant, said to be given back': [
    { now: over('released', { lease: 'released' }), world: { grant: 'live', requestOpen: false } }, /be released/,
  ],
  'an open request': [{ now: over(), world: { grant: 'none', requestOpen: true } }, /may still come/],
  'a grant that was known': [
    { now: over('released', { lease: 'unconfirmed' }), granted: true, world: { grant: 'live', requestOpen: false } }, /live grant/,
  ],
});

judge('S8', {
  'the outcome is decided': { before: working, now: returned }, 'it stays': { before: returned, now: returned },
  'at work': { before: working, now: working, commands: ['tellWork'] },
  'the end': { before: at('releasing'), now: over('released', {}, 'a report') },
  'silence after the end': { before: over(), now: over() },
}, {
  'another outcome': [{ before: returned, now: at('aborting.user', aborted('user')) }, /was completed and changed/],
  'a command after the end': [{ before: over(), now: over(), commands: ['askRelease'] }, /after the end/],
  'life after the end': [{ before: over(), now: at('releasing') }, /happened after the end/],
  'another report after the end': [{ before: over('released', {}, 'one'), now: over('released', {}, 'other') }, /report changed/],
});

const userAbort = { event: { type: 'abort.user' }, before: working, now: at('aborting.user', { ...aborted('user'), work: 'pending' }) };
const timeout = { event: { type: 'work.idled' }, before: working, commands: ['callOnTimeout'], timeoutCalls: 1,
  now: at('aborting.timeout', { ...aborted('timeout', 'idle'), work: 'pending', abandoned: true }) } satisfies Told;
const inTimeout = timeout.now;
const lossIn = (path: string, event = 'window.ended'): Told =>
  ({ event: { type: event }, before: at(path), now: at('aborting.leaseLost', aborted('leaseLost')) });
judge('S9', {
  'no abort': {}, 'a user\'s': userAbort, 'a timeout': timeout,
  ...Object.fromEntries(['abort.timeout', 'work.overran', 'grace.ended', 'section.left'].map((type) => [type, { ...timeout, event: { type } }])),
  'a timeout before the work': { ...timeout, before: at('locked'), now: at('aborting.timeout', aborted('timeout', 'run')) },
  'later than the outcome': { event: { type: 'abort.user' }, before: returned, now: returned },
  'later than the end': { event: { type: 'abort.user' }, before: over(), now: over() },
  'a later step of a timeout': { before: inTimeout, now: at('aborting.timeout', { ...inTimeout.context, work: 'returned' }) },
  'a step after it': { before: at('aborting.timeout', { ...inTimeout.context, work: 'returned' }), now: inTimeout },
  'a loss': lossIn('running.working', 'lease.lost'), 'a window': lossIn('running.yielding'), 'after a window': lossIn('running.reacquiring.waiting'),
}, {
  'an abort without effect': [{ ...userAbort, now: working }, /abort\.user changed nothing/],
  'another by': [{ before: userAbort.now, now: at('aborting.shutdown', aborted('shutdown')) }, /was user and became shutdown/],
  'another kind': [{ before: inTimeout, now: at('aborting.timeout', aborted('timeout', 'run')) }, /was timeout/],
  'another reason': [{ before: userAbort.now, now: at('aborting.user', aborted('user', null, 'other')) }, /was user/],
  'forgotten': [{ before: userAbort.now, now: at('cleaning') }, /became none/],
  'the wrong cause': [{ ...userAbort, now: at('aborting.shutdown', aborted('shutdown')) }, /recorded as shutdown/],
  'a cause out of nothing': [{ ...userAbort, event: { type: 'work.progressed' } }, /recorded as user/],
  'a loss as a user': [{ ...userAbort, event: { type: 'lease.lost' } }, /recorded as user/],
  'a loss out of nothing': [lossIn('running.working'), /recorded as leaseLost/],
  'a loss in another\'s window': [lossIn('outer.running.yielding'), /recorded as leaseLost/],
  'the wrong substate': [{ ...userAbort, now: at('aborting.timeout', aborted('user')) }, /aborting\.timeout, aborted by user/],
  'a substate without cause': [{ now: at('aborting.user') }, /by nobody/],
  'abandoned by a user': [{ ...userAbort, now: at('aborting.user', { ...aborted('user'), abandoned: true }) }, /and no timeout/],
  'abandoned by nobody': [{ now: at('running.working', { abandoned: true }) }, /and no timeout/],
  'started and not abandoned': [{ ...timeout, now: at('aborting.timeout', aborted('timeout', 'idle')) }, /mark is wrong/],
  'abandoned and not started': [{ ...timeout, before: at('locked') }, /mark is wrong/],
  'a timeout that is not told': [{ ...timeout, commands: [] }, /do not match/],
  'told without a timeout': [{ ...userAbort, commands: ['callOnTimeout'] }, /do not match/],
  'told twice': [{ ...timeout, timeoutCalls: 2 }, /do not match/],
});

const opened = { event: { type: 'session.opened' }, granted: true, starts: 1 };
judge('S10', {
  'started': { ...opened, commands: ['startWork'] }, 'resumed': { ...opened, commands: ['resumeWork'] },
  'nothing started': { lost: true, now: at('aborting.leaseLost', aborted('leaseLost')) },
}, {
  'twice': [{ ...opened, starts: 2 }, /again/],
  'without a grant': [{ ...opened, granted: false, commands: ['startWork'] }, /without a grant/],
  'under a lost lease': [{ ...opened, lost: true, commands: ['startWork'] }, /lost lease/],
  'when aborted': [{ ...opened, commands: ['startWork'], now: userAbort.now }, /aborted work/],
  'resumed without a grant': [{ ...opened, granted: false, commands: ['resumeWork'] }, /without a lease/],
  'resumed after a loss': [{ ...opened, lost: true, commands: ['resumeWork'] }, /without a lease/],
  'started before it is open': [{ ...opened, event: { type: 'lock.granted' }, commands: ['startWork'] }, /before the session was open/],
  'resumed before it is open': [{ ...opened, event: { type: 'lock.granted' }, commands: ['resumeWork'] }, /before the session was open/],
});

const cancelling = at('acquiring.cancelling', { ...aborted('user'), lock: 'asked', request: 3 });
const late = { event: { type: 'lock.granted', seq: 3 }, before: cancelling, granted: true };
judge('S11', {
  'asked': { commands: ['requestLock'] },
  ...Object.fromEntries((['refused', 'gone'] as const).map((lock) =>
    [`asked again: ${lock}`, { before: at('idle', { lock }), commands: ['requestLock'] }])),
  'given back': { ...late, commands: ['askRelease'] },
  'wanted': { ...late, before: at('acquiring.waiting', { lock: 'asked', request: 3 }), commands: ['openSession'] },
  'no grant': { ...late, event: { type: 'lock.busy', seq: 3 } }, 'of an older request': { ...late, event: { type: 'lock.granted', seq: 2 } },
  'not asked': { ...late, before: at('releasing', { ...cancelling.context, lock: 'gone' }) },
  'after the end': { ...late, before: over('released', cancelling.context) },
  'cleaned up': { before: at('cleaning', aborted('user')), commands: ['openSession'] },
}, {
  'asked after teardown began': [{ before: cancelling, commands: ['requestLock'] }, /after teardown/],
  ...Object.fromEntries((['asked', 'held', 'known'] as const).map((lock) =>
    [`asked while one is ${lock}`, [{ before: at('idle', { lock }), commands: ['requestLock'] }, /may be there/]])),
  'kept': [late, /not given back/],
  ...Object.fromEntries((['openSession', 'startWork', 'resumeWork'] as const).map((name) =>
    [`used: ${name}`, [{ ...late, commands: ['askRelease', name] }, /was used/]])),
});

const loss = (path: string, lock = 'held') => ({ event: { type: 'lease.lost' }, before: at(path, { lock: lock as 'held' }), lost: true });
const gone = (path: string, context: Context = {}): Snapshot => at(path, { lock: 'gone', ...context });
const lostNow = gone('aborting.leaseLost', aborted('leaseLost'));
judge('S12', {
  'no loss': {}, 'aborts': { ...loss('running.working'), now: lostNow, commands: ['tellWork'] },
  'told to nobody': { ...loss('acquiring.waiting', 'asked'), lost: false, now: at('acquiring.waiting', { lock: 'asked' }) },
  'in releasing': { ...loss('releasing', 'known'), now: gone('released') },
  'cleaning that ends': { ...loss('cleaning'), now: gone('released') },
  'held, and another event': { before: at('running.working', { lock: 'held' }), now: at('running.working', { lock: 'held' }) },
  'cleaning': { cleanupOpen: true, commands: ['runCleanup'] }, 'releasing': { commands: ['askRelease'] },
}, {
  'not believed': [{ ...loss('running.working'), now: at('aborting.leaseLost', { ...aborted('leaseLost'), lock: 'held' }) }, /not believed/],
  'a known one not believed': [{ ...loss('releasing', 'known'), now: at('releasing', { lock: 'known' }) }, /not believed/],
  'work that is not told': [{ ...loss('running.working'), now: lostNow }, /did not abort/],
  'opening that goes on': [{ ...loss('locked'), now: lostNow }, /did not abort/],
  'told without a cause': [{ ...loss('running.working'), now: gone('cleaning'), commands: ['tellWork'] }, /did not abort/],
  'work goes on': [{ lost: true, now: gone('running.working') }, /went on/],
  'opening goes on': [{ lost: true, now: gone('locked') }, /went on/],
  'cleanup goes on': [{ lost: true, now: gone('cleaning'), cleanupOpen: true }, /cleaned/],
  'cleanup begins': [{ lost: true, now: gone('cleaning'), commands: ['runCleanup'] }, /cleaned/],
  'given back': [{ lost: true, now: gone('releasing'), commands: ['askRelease'] }, /was released/],
});

judge('S13', {
  'before': { commands: ['openSession'], now: at('running.working', { lock: 'held' }) },
  'after': { releaseBegun: true, commands: ['askRelease'], now: at('releasing', { lock: 'known' }) },
}, {
  ...Object.fromEntries((['openSession', 'startWork', 'resumeWork', 'runCleanup'] as const).map((name) =>
    [`then ${name}`, [{ releaseBegun: true, commands: ['askRelease', name] }, /used after release/]])),
  'still held': [{ releaseBegun: true, now: at('releasing', { lock: 'held' }) }, /held in releasing/],
});

const answered = (type: string, lease: string | null, was: string | null = null): Told =>
  ({ event: { type }, before: at('releasing', { lease: was } as Context), now: at('releasing', { lease } as Context) });
const asked = at('acquiring.waiting', { lock: 'asked', request: 1 });
judge('S14', {
  'a grant': { event: { type: 'lock.granted' }, before: asked, now: at('locked', { lock: 'held' }) },
  'held on': { before: at('locked', { lock: 'held' }), now: at('releasing', { lock: 'known' }) },
  'a yes': answered('release.confirmed', 'released'), 'a no': answered('release.notHeld', 'neverHeld'), 'busy': answered('lock.busy', 'neverHeld'),
  'known before': answered('release.unknown', 'released', 'released'), 'a no known before': answered('release.unknown', 'neverHeld', 'neverHeld'),
  'no answer': answered('release.unknown', 'unconfirmed'), 'not asked': { now: over() },
  'ended, answered': { now: over('released', { request: 1, lease: 'neverHeld' }), before: at('releasing', { lease: 'neverHeld' }) },
  'not ended': { now: asked },
}, {
  'held for no answer': [{ event: { type: 'lock.unknown' }, before: asked, now: at('locked', { lock: 'held' }) }, /taken for a grant/],
  'known for no answer': [{ event: { type: 'lock.unknown' }, before: asked, now: at('releasing', { lock: 'known' }) }, /taken for a grant/],
  'released for no answer': [answered('release.unknown', 'released'), /taken for a release/],
  'a no for no answer': [answered('release.unknown', 'neverHeld'), /taken for a definite no/],
  'the end without one': [{ now: over('released', { request: 1 }) }, /without an answer/],
});

const ended = (lease: string, grant: World['grant'], granted = true, lock = 'gone'): Told =>
  ({ now: over('released', { lease, lock } as Context), granted, world: { grant, requestOpen: false } });
judge('R1', {
  'ours': ended('released', 'givenBack'), 'theirs': ended('lost', 'ended'), 'of a grant not known': ended('released', 'ended', false),
  'of a later request': ended('lost', 'givenBack', true, 'refused'), 'unconfirmed': ended('unconfirmed', 'givenBack'),
}, {
  'our release called a loss': [ended('lost', 'givenBack'), /reported as a loss/],
  'a loss called our release': [ended('released', 'ended'), /it was not us/],
});

const cleaning = { commands: ['runCleanup'], sessionOpen: true, now: at('cleaning', { lock: 'held' }) } satisfies Told;
judge('R2', { 'can write': cleaning, 'none': { now: at('cleaning') } }, {
  'without the lock': [{ ...cleaning, now: at('cleaning', { lock: 'known' }) }, /cannot write/],
  'not open': [{ ...cleaning, sessionOpen: false }, /cannot write/],
});

judge('L8', {
  'given up': { now: at('running.yielded'), world: { grant: 'givenBack', requestOpen: false } },
  'at work': { now: at('running.working'), world: { grant: 'live', requestOpen: false } },
}, { 'a window with the lock in hand': [{ now: at('running.yielded'), world: { grant: 'live', requestOpen: false } }, /not given up/] });
