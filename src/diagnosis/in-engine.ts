/**
 * What is the matter with a session whose lock is kept in PostgreSQL or Redis. Owns: what such a lock tells, and the advice
 * where it differs from that for files. Must not know: which engine.
 */
import type { EngineStatus } from '../locks/engine/lock-engine.js';
import { classified } from './classify.js';
import type { Condition, Diagnosis, NextStep } from './diagnosis.js';
import type { SessionFacts } from './facts.js';
import { livenessOf } from './liveness.js';
import { shellWord } from './shell-word.js';

/** Leases in engines are renewed at a third of their length; this much of it without a renewal is late. */
const LATE = 3 / 4;

/**
 * An engine's lease, told as one in files: by its token and its end. All times are the engine's.
 * @param store what to say of the store in a command, e.g. ` --store redis://db`; empty where the environment names it
 */
export function factsInEngine(session: string, { now, token, holder, waiting }: EngineStatus, store: string): SessionFacts {
  const places = { session, lock: session, room: session, mode: null };
  const line = waiting.map(({ instance: _instance, ...waiter }) => ({ ...waiter, sameProcess: false }));
  const free = { places, store, now, waiting: line, leftovers: [], reports: [], damage: [] } as const;
  if (holder === null) return { ...free, occupant: { kind: 'none' }, holder: null, record: null, liveness: null };
  const { instance: _instance, mark = {}, ...told } = holder;
  const until = told.until ?? now;
  const { facts, state, note, labels, attemptId, owner, since, pid, host } = told;
  const leaseMs = facts?.budgets.leaseMs;
  const record = {
    ...mark, state: state ?? '', note, labels, facts: facts ?? null, ...(attemptId && { attemptId }), ...(owner && { owner }),
    ...(since && { since }), ...(pid && { pid }), ...(host && { host }), ...(leaseMs && { leaseMs }),
  };
  const lateMs = (leaseMs ?? Infinity) * LATE;
  return {
    ...free, record, lateMs, holder: { ...told, sameProcess: false },
    occupant: { kind: 'owner', entry: '', name: { token, until, id: '' } }, liveness: livenessOf(record, until, now, lateMs),
  };
}

function nextStep(condition: Condition, { places, store, holder, liveness, record }: SessionFacts): NextStep {
  const word = shellWord(places.session);
  const typed = (command: string): string | null => (word === null ? null : `attempt ${command}${store} ${word}`);
  const watching = (say: string): NextStep => ({ say, command: typed('status'), risk: 'none: it only reads' });
  const unlocking = (say: string): NextStep => ({
    say, command: typed(`unlock --force --token ${holder?.token ?? 0}`),
    risk: 'the work may go on without the lock: its records are refused, what else it does is not',
  });
  const stopping = (say: string): NextStep => ({
    say, command: typed('stop'), risk: 'its work is ended as by its user; its cleanup runs, and nothing is taken away',
  });
  switch (condition) {
    case 'free': return { say: 'nothing to do', command: null, risk: 'none' };
    case 'queue': return watching('it is being handed over: wait a moment, and look again if it stays so');
    case 'healthy': return watching('nothing is wrong: wait for it');
    case 'dead': return {
      ...unlocking('its process is gone: give the lock back now, or wait for the end of its lease'),
      risk: 'what it had started may still run (kill -9 of `attempt run` leaves its command); its records are refused',
    };
    case 'overdue': return liveness?.verdict === 'alive' ? stopping('ask it to end; if it does not, take the lock away')
      : watching('wait for the end of its lease: then whoever asks next takes it over');
    case 'unsettled': return liveness?.verdict !== 'unknown' && record?.pid !== undefined ? {
      say: 'end the process whose work does not end', command: `kill ${record.pid}`, risk: 'everything else that process does ends too',
    } : unlocking('if the work must not be waited for, take the lock away');
    default: return {
      say: 'whoever asks next takes it over: run what you want to run', command: word && `attempt run${store} ${word} -- true`,
      risk: 'if its holder wakes, its records are refused; what else it does is not',
    };
  }
}

/** The diagnosis of a session in an engine. @param written the highest token its records carry; `store` as above */
export function diagnoseInEngine(session: string, status: EngineStatus, written: number, store: string): Diagnosis {
  const facts = factsInEngine(session, status, store);
  const diagnosis = classified(facts);
  const free = diagnosis.condition === 'inDoubt' ? { ...diagnosis.freeBy, at: facts.now } : diagnosis.freeBy; // no margin: one clock
  return {
    ...diagnosis, freeBy: free, next: nextStep(diagnosis.condition, facts), tokens: { granted: status.token, written },
  };
}
