/**
 * The world of a recorded attempt, as far as its own records tell: what had been commanded and told, and what the store
 * said it holds. It is what the invariants are asked about.
 * Must not know: the machine's transitions.
 */
import type { Command, Happening, History, Snapshot, World } from '../../machines/attempt.invariants.js';
import type { Facts, TransitionRecord } from './record.js';

/** `aborting.user` as XState writes it: `{ aborting: 'user' }`. */
const valueOf = (path: string): unknown => {
  const [head = '', ...rest] = path.split('.');
  return rest.length === 0 ? head : { [head]: valueOf(rest.join('.')) };
};

const NOTHING: Facts = {
  seq: 0, request: 0, lock: 'none', token: null, lateAborts: [], work: 'none', unsettled: false, abandoned: false,
  asks: 0, firstAsk: 0, lease: null, abort: null, failure: null,
};

/** What the invariants read of a snapshot, from what was recorded of it. */
const snapshotOf = (path: string, facts: Facts): Snapshot => ({
  value: valueOf(path),
  context: { ...facts, failure: facts.failure === null ? null : { code: facts.failure } },
  status: path === 'released' ? 'done' : 'active',
  output: undefined,
}) as unknown as Snapshot;

interface Told {
  readonly starts: number;
  readonly granted: boolean;
  readonly lost: boolean;
  readonly writerOpen: boolean;
  readonly sessionOpen: boolean;
  readonly cleanupOpen: boolean;
  readonly timeoutCalls: number;
  readonly asked: boolean;
}

const heard = (told: Told, type: string): Told => {
  if (type === 'lock.granted') return { ...told, granted: true };
  if (type === 'session.opened') return { ...told, sessionOpen: true };
  if (type === 'lock.yield') return { ...told, sessionOpen: false };
  return type === 'lease.lost' ? { ...told, lost: true } : told;
};

/** What follows from having been told to do this. */
function done(told: Told, command: Command): Told {
  switch (command) {
    case 'requestLock': return { ...told, granted: false, lost: false, asked: false }; // of what is requested now
    case 'startWork': return { ...told, starts: told.starts + 1, writerOpen: true };
    case 'resumeWork': return { ...told, writerOpen: true };
    case 'closeWriter': return { ...told, writerOpen: false };
    case 'callOnTimeout': return { ...told, timeoutCalls: told.timeoutCalls + 1 };
    case 'runCleanup': return { ...told, cleanupOpen: true };
    case 'endCleanup': return { ...told, cleanupOpen: false };
    case 'askRelease': return { ...told, asked: told.granted };
    default: return told;
  }
}

/** What the store has said, taken at its word. */
function storeAfter({ grant, requestOpen }: World, { event, commands }: TransitionRecord): World {
  const asked = requestOpen || commands.includes('requestLock');
  switch (event.type) {
    case 'lock.granted': return { grant: 'live', requestOpen: commands.includes('requestLock') };
    case 'lock.busy': return { grant, requestOpen: false };
    case 'release.confirmed': return { grant: 'givenBack', requestOpen: commands.includes('requestLock') };
    case 'release.notHeld': case 'lease.lost':
      return { grant: grant === 'live' ? 'ended' : grant, requestOpen: commands.includes('requestLock') };
    default: break;
  }
  const leaseOver = event.type === 'after.leaseMs';
  if (commands.includes('requestLock')) return { grant: 'none', requestOpen: true };
  return { grant: leaseOver && grant === 'live' ? 'ended' : grant, requestOpen: asked };
}

export class RecordedWorld {
  #before: Snapshot = snapshotOf('idle', NOTHING);
  #told: Told = {
    starts: 0, granted: false, lost: false, writerOpen: false, sessionOpen: false, cleanupOpen: false, timeoutCalls: 0,
    asked: false,
  };
  #store: World = { grant: 'none', requestOpen: false };

  /** @returns what the invariants are to be asked about this step. */
  step(record: TransitionRecord): { now: Snapshot; history: History; store: World } {
    const releaseBegun = this.#told.asked;
    this.#told = record.commands.reduce(done, heard(this.#told, record.event.type));
    this.#store = storeAfter(this.#store, record);
    const now = snapshotOf(record.to, record.after);
    const history: History = {
      ...this.#told, before: this.#before, event: record.event as Happening, commands: record.commands,
      releaseBegun: releaseBegun && !record.commands.includes('requestLock'),
    };
    this.#before = now;
    return { now, history, store: this.#store };
  }
}
