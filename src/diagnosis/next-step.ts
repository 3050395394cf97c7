/**
 * What to do next about a session, with its risk. Pure: facts in, advice out.
 */
import type { SessionFacts } from './facts.js';
import type { Condition, NextStep } from './diagnosis.js';
import { shellWord } from './shell-word.js';

const typed = (words: string, path: string, more = ''): string | null => {
  const word = shellWord(path);
  return word === null ? null : `${words} ${word} ${more}`.trimEnd();
};

const attempt = (words: string, { places, store }: SessionFacts, more?: string): string | null =>
  typed(`attempt ${words}${store}`, places.session, more);

const NOTHING: NextStep = { say: 'nothing to do', command: null, risk: 'none' };
const READS_ONLY = 'none: it only reads';

const watching = (facts: SessionFacts, say: string): NextStep =>
  ({ say, command: attempt('status --watch', facts), risk: READS_ONLY });

function unlocking(facts: SessionFacts, say: string): NextStep {
  const { occupant } = facts;
  const token = occupant.kind === 'owner' ? occupant.name.token : 0;
  if (token < 1) return { say: 'its lease ends by itself: wait for that', command: null, risk: 'none' };
  return {
    say, command: attempt(`unlock --force --token ${token}`, facts),
    risk: 'the work may go on without the lock: its records are refused, what else it does is not',
  };
}

function whenSilent(facts: SessionFacts): NextStep {
  const pid = facts.record?.pid;
  if (facts.liveness?.verdict === 'asleep' && pid !== undefined) {
    return {
      say: 'its process is stopped: let it go on', command: `kill -CONT ${pid}`,
      risk: 'it goes on with its work, if nobody has taken the lock meanwhile; otherwise it learns of that before it writes',
    };
  }
  return watching(facts, 'wait for the end of its lease: then whoever asks next takes it over');
}

/** The advice for a condition. */
export function nextStep(condition: Condition, facts: SessionFacts): NextStep {
  const { places, record, liveness } = facts;
  switch (condition) {
    case 'free': return NOTHING;
    case 'healthy': return watching(facts, 'nothing is wrong: wait for it');
    case 'queue': return watching(facts, 'it is being handed over: wait a moment, and look again if it stays so');
    case 'overdue': return liveness?.verdict === 'alive'
      ? unlocking(facts, 'if its work is of no use any more, take the lock away') : whenSilent(facts);
    case 'inDoubt': return liveness?.verdict === 'asleep' ? whenSilent(facts) : {
      say: 'whoever asks next takes it over: run what you want to run',
      command: attempt('run', facts, '-- true'),
      risk: 'if its holder wakes, its records are refused; what else it does is not',
    };
    case 'unsettled': return record?.pid === undefined || liveness?.verdict === 'unknown'
      ? unlocking(facts, 'if the work must not be waited for, take the lock away') : {
        say: 'end the process whose work does not end', command: `kill ${record.pid}`,
        risk: 'everything else that process does ends too',
      };
    case 'dead': return {
      say: 'its process is gone: give the lock back now, or wait for the end of its lease',
      command: attempt('doctor --fix', facts),
      risk: 'what it had started may still run (kill -9 of `attempt run` leaves its command); its records are refused',
    };
    case 'foreign': return {
      say: 'ask whoever made it; it is not ours to remove', command: typed('ls -la', places.lock), risk: READS_ONLY,
    };
    case 'corrupt': return {
      say: 'look at it; something else writes there, or a disk was full', command: typed('ls -laR', places.room),
      risk: READS_ONLY,
    };
    case 'leftovers': return facts.leftovers.some(({ proved }) => proved) ? {
      say: 'nothing needs to be done; they can be removed', command: attempt('doctor --fix', facts),
      risk: 'none: removed is only what is proved to serve nobody',
    } : {
      say: 'nothing needs to be done; what is left is for you to judge', command: typed('ls -la', places.room),
      risk: READS_ONLY,
    };
  }
}
