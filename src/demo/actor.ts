/**
 * A process of the demonstration. It does what it is told over the channel it was forked with, says what happened
 * and when, and ends when that channel ends: nothing may outlive the demonstration.
 */
import { appendFileSync } from 'node:fs';
import { createAttempt, localFileLocks, runAttempt, type WorkContext } from '../index.js';
import { freezeBeforeWriting } from './freeze.js';
import { runByHand } from './hand-written-runner.js';
import { LEASE_MS, sharedNow, type AttemptCommand, type Command, type Saying } from './protocol.js';

const locks = localFileLocks({ leaseMs: LEASE_MS });

/** What can be told to an attempt under way. */
interface Told {
  readonly stop: AbortController;
  readonly finished: Promise<void>;
  readonly finish: () => void;
}
const told = new Map<string, Told>();
const guarded: number[] = [];

const say = (saying: Saying): void => void process.send?.(saying);

function toTell(name: string): Told {
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => { finish = resolve; });
  const one = { stop: new AbortController(), finished, finish };
  told.set(name, one);
  return one;
}

/** Resolves when told to finish; throws the signal's reason when that comes first. */
async function finishedOrStopped(finished: Promise<void>, signal: AbortSignal): Promise<void> {
  await Promise.race([finished, new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))]);
  signal.throwIfAborted();
}

async function run(command: AttemptCommand): Promise<void> {
  const { name, session, timeoutMs, settleMs } = command;
  const { stop, finished } = toTell(name);
  const attempt = createAttempt({
    session, locks, attemptId: name, signal: stop.signal, waitMs: 20_000,
    ...(timeoutMs !== undefined && { timeoutMs }), ...(settleMs !== undefined && { settleMs }),
    work: (context) => work(command, context, finished),
  });
  attempt.subscribe(({ state }) => say({ is: 'state', name, state }));
  const { outcome, abortedBy, abandoned, lease, trace } = await attempt.start();
  const path = trace.transitions.map(({ to }) => to);
  say({ is: 'ended', name, at: sharedNow(), ending: { outcome, abortedBy, abandoned, lease }, path });
}

async function work(command: AttemptCommand, context: WorkContext, finished: Promise<void>): Promise<void> {
  const { name, play, note } = command;
  const { signal, session, progress } = context;
  say({ is: 'granted', name, at: sharedNow(), wallAt: Date.now() });
  signal.addEventListener('abort', () => say({ is: 'aborted', name, at: sharedNow() }));
  const write = async (step: string): Promise<void> => {
    await session.append({ attempt: name, step });
    say({ is: 'wrote', name, step });
  };
  try {
    await write('began');
    if (play === 'returns') return;
    if (note !== undefined) progress(note);
    if (play === 'ignores') return await ignore(name, write, finished);
    if (play === 'freezes') return await freeze(name, write, finished);
    await finishedOrStopped(finished, signal);
    if (play === 'throws') throw new Error('the model is gone');
    await write('done');
  } finally {
    say({ is: 'settled', name, at: sharedNow() });
  }
}

type Write = (step: string) => Promise<void>;

const refused = (name: string, written: Promise<void>): Promise<void> =>
  written.catch((error: { code?: string }) => say({ is: 'refused', name, code: String(error.code) }));

/** Does not listen to any signal. */
async function ignore(name: string, write: Write, finished: Promise<void>): Promise<void> {
  await finished;
  await refused(name, write('too late'));
  await new Promise(() => {}); // never settles
}

/** Its late record reaches the disk and is told to be fenced; what it writes when it has come to itself does not. */
async function freeze(name: string, write: Write, finished: Promise<void>): Promise<void> {
  await finished;
  freezeBeforeWriting('"late"', () => say({ is: 'freezing', name, at: sharedNow() }));
  await write('late').catch(() => {}); // WRITE_FENCED: it lies behind a successor's, where no reader sees it
  await refused(name, write('later still'));
}

async function byHand({ name, session, play, timeoutMs = 60_000 }: AttemptCommand): Promise<void> {
  const { stop, finished } = toTell(name);
  let error: string | null = null;
  try {
    await runByHand(session, name, timeoutMs, stop.signal, async (signal) => {
      say({ is: 'granted', name, at: sharedNow(), wallAt: Date.now() });
      signal.addEventListener('abort', () => say({ is: 'aborted', name, at: sharedNow() }));
      appendFileSync(session, JSON.stringify({ attempt: name, step: 'began' }) + '\n');
      say({ is: 'wrote', name, step: 'began' });
      if (play !== 'returns') await finishedOrStopped(finished, signal);
    });
  } catch (thrown) {
    error = String((thrown as Error).message);
  }
  say({ is: 'endedByHand', name, at: sharedNow(), error });
}

/** Node compiles what is called often: the first attempts of a process take several times as long as all others. */
const REHEARSALS = 30;

async function rehearse(session: string): Promise<void> {
  for (let i = 0; i < REHEARSALS; i += 1) {
    await runAttempt({ session, locks, work: (context) => context.session.append({ rehearsal: i }) });
  }
  say({ is: 'ready' });
}

function perform(command: Command): void {
  switch (command.do) {
    case 'attempt': return void run(command);
    case 'byHand': return void byHand(command);
    case 'rehearse': return void rehearse(command.session);
    case 'guard': return void guarded.push(command.pid);
    case 'finish': return told.get(command.name)?.finish();
    case 'stop': {
      say({ is: 'aborted', name: command.name, at: sharedNow() });
      return told.get(command.name)?.stop.abort(new Error('the user pressed stop'));
    }
  }
}

function endGuarded(): void {
  for (const pid of guarded) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch { /* it has ended already, as it should have */ }
  }
}

process.on('message', perform);
process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group; the demonstration ends us in its own order
process.on('disconnect', () => {
  endGuarded();
  process.exit();
});
