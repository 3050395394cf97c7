/**
 * From facts to a diagnosis. Pure: the same facts give the same diagnosis. Owns: which condition a session is in.
 */
import { harmless, inWords, shortId, stateInWords } from '../text.js';
import { replaceableAt } from '../locks/file/one-try.js';
import { boundOf, budgetsInForce, limitPassed, stageOf } from './bounds.js';
import type { Condition, Diagnosis, FreeBy } from './diagnosis.js';
import type { SessionFacts } from './facts.js';
import { lateAfterMs } from './liveness.js';
import { nextStep } from './next-step.js';

/** A busy machine may be this late without anything being wrong. */
const SLACK_MS = 1_000;
/** A lease of ours where its length is not told: the default. Only for the age of an empty directory. */
const LEASE_MS = 10_000;

function conditionOf(facts: SessionFacts): Condition {
  const { occupant, liveness, holder, record, now, waiting, damage, leftovers } = facts;
  switch (occupant.kind) {
    case 'foreign': return damage.length > 0 ? 'corrupt' : 'foreign';
    case 'empty': return leftovers.some(({ path }) => path === facts.places.lock) ? 'leftovers' : 'foreign';
    case 'none':
    case 'open':
      if (damage.length > 0) return 'corrupt';
      return waiting.length > 0 ? 'queue' : leftovers.length > 0 ? 'leftovers' : 'free';
    case 'owner':
      if (liveness?.verdict === 'gone') return 'dead';
      if (record === null) return 'corrupt';
      if (occupant.name.until <= now) return 'inDoubt';
      if (isLate(facts) || liveness?.verdict === 'asleep') return 'overdue';
      if (isUnsettled(facts)) return 'unsettled';
      return limitPassed(holder?.state ?? null, record.facts ?? null, now, SLACK_MS) === null ? 'healthy' : 'overdue';
  }
}

/** Its lease should have been renewed by now, whatever can be told of its process. */
const isLate = ({ occupant, record, now, lateMs }: SessionFacts): boolean =>
  occupant.kind === 'owner' && record?.leaseMs !== undefined
  && now - (occupant.name.until - record.leaseMs) > (lateMs ?? lateAfterMs(record.leaseMs));

/** Kept until the work ends: told so, or past the time to settle. */
function isUnsettled({ record, now }: SessionFacts): boolean {
  const facts = record?.facts;
  if (!facts || facts.onUnsettled !== 'hold' || stageOf(record?.state ?? null) !== 'aborting') return false;
  return facts.unsettled || now > facts.stateSince + (facts.budgets.settleMs ?? Infinity) + SLACK_MS;
}

function freeBy(condition: Condition, facts: SessionFacts): FreeBy {
  const { occupant, now, record, holder, liveness } = facts;
  if (occupant.kind === 'none' || occupant.kind === 'open') return { at: now, bound: 'nobody holds it' };
  if (occupant.kind === 'foreign') return { at: null, bound: 'it is not one of our locks: no lease ends it' };
  const leaseMs = record?.leaseMs ?? LEASE_MS;
  const end = Math.max(now, replaceableAt(occupant, leaseMs));
  if (occupant.kind === 'empty') {
    return { at: end, bound: 'its age: an empty directory that old is taken for dead, unless its maker refreshes it' };
  }
  if (condition === 'dead') return { at: end, bound: 'the end of its lease: nobody is left to renew it' };
  if (condition === 'inDoubt') {
    return { at: end, bound: 'its lease has ended: whoever asks next takes it over, unless its holder revives it' };
  }
  if (condition === 'corrupt') return { at: end, bound: 'the end of its lease, unless it is renewed' };
  if (isLate(facts) || liveness?.verdict === 'asleep') {
    return { at: end, bound: 'the end of its lease, unless its holder wakes and renews it' };
  }
  return boundOf(holder?.state ?? null, record?.facts ?? null, now);
}

function whyUnsettled({ record, now }: SessionFacts): string | null {
  const facts = record?.facts;
  const [stage, by = ''] = record?.state?.split('.') ?? [];
  if (stage !== 'aborting' || !facts) return null;
  const { settleMs } = facts.budgets;
  const told = `ended by ${harmless(by)} ${inWords(now - facts.stateSince)} ago; its work was told and has not ended`;
  const progress = facts.progressAt === null ? '' : `; its last sign of progress was ${inWords(now - facts.progressAt)} ago`;
  const bound = facts.onUnsettled === 'hold' ? 'the lock is kept until it ends'
    : typeof settleMs === 'number' ? `after ${inWords(settleMs)} it is no longer waited for` : '';
  return [told + progress, bound].filter(Boolean).join('; ');
}

const several = (count: number, one: string, many: string): string => (count === 1 ? `one ${one}` : `${count} ${many}`);

function foreignInWords(occupant: SessionFacts['occupant'], now: number): string {
  if (occupant.kind !== 'empty') {
    return `held by something that is not one of our locks: ${occupant.kind === 'foreign' ? harmless(occupant.what) : ''}`;
  }
  return `held for ${inWords(now - occupant.mtimeMs)} by an empty lock directory: plain proper-lockfile, or a start or end `
    + 'of ours under way';
}

/** The whole of it in one sentence, without the session's name. */
function sentenceOf(condition: Condition, facts: SessionFacts): string {
  const { holder, occupant, now, liveness, waiting, leftovers, damage, record } = facts;
  const token = holder?.token ? `, token ${holder.token}` : '';
  const who = `attempt ${holder?.attemptId ? shortId(holder.attemptId) : 'unknown'}${token}`;
  const since = holder?.since ? ` for ${inWords(now - holder.since)}` : '';
  const state = holder?.state ? ` (${harmless(stateInWords(holder.state))})` : '';
  switch (condition) {
    case 'free': return 'free';
    case 'queue': return `free, and being handed over: ${several(waiting.length, 'waits', 'wait')}`;
    case 'leftovers': return `free; ${several(leftovers.length, 'thing', 'things')} left of use to nobody`;
    case 'foreign': return foreignInWords(occupant, now);
    case 'corrupt': return `something is not as we write it: ${harmless(damage[0] ?? 'unknown')}`;
    case 'dead': return `held by ${who}, whose process is gone: ${harmless(liveness?.evidence[0] ?? '')}`;
    case 'inDoubt': {
      const ended = holder?.until ? ` ${inWords(now - holder.until)} ago` : '';
      return `held${since} by ${who}${state}; its lease ended${ended}, and nobody has taken it over`;
    }
    case 'unsettled': return `held${since} by ${who}, which was ended; its work goes on, and the lock is kept until it ends`;
    case 'overdue': {
      const late = limitPassed(holder?.state ?? null, record?.facts ?? null, now, SLACK_MS);
      const silence = isLate(facts) && liveness?.verdict === 'unknown' ? 'its lease should have been renewed by now' : null;
      const why = liveness?.verdict === 'alive' && late ? late : silence ?? harmless(liveness?.evidence.at(-1) ?? '');
      return `held${since} by ${who}${state}; late: ${why}`;
    }
    case 'healthy': return `held${since} by ${who}${state}, in good health`;
  }
}

/** What is the matter besides the condition itself. */
function alsoOf(condition: Condition, { waiting, leftovers, damage }: SessionFacts): readonly Condition[] {
  const also: Condition[] = [];
  if (waiting.length > 0) also.push('queue');
  if (damage.length > 0) also.push('corrupt');
  if (leftovers.length > 0) also.push('leftovers');
  return also.filter((one) => one !== condition);
}

/** The diagnosis that facts amount to. */
export function classified(facts: SessionFacts): Diagnosis {
  const condition = conditionOf(facts);
  const { places, now, holder, liveness, waiting, damage, leftovers, reports, record } = facts;
  return {
    session: places.session, at: now, condition, also: alsoOf(condition, facts), sentence: sentenceOf(condition, facts),
    freeBy: freeBy(condition, facts), holder, liveness, unsettledBecause: whyUnsettled(facts), waiting, damage,
    leftovers, next: nextStep(condition, facts), budgets: budgetsInForce(record?.facts ?? null), reports,
  };
}
