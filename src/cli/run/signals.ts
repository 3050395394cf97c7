/**
 * Signals that reach `attempt run`: which stop it, which are passed on, and how it is itself stopped and continued.
 */
import { takeAllAway } from '../../locks/file/left-open.js';
import { STOP_SIGNALS, type StopSignal } from '../exits.js';

export interface SignalTargets {
  /** INT, TERM, HUP or QUIT. `again`: it is not the first. */
  stopped(signal: StopSignal, again: boolean): void;
  /** A signal that only the command should see. */
  passOn(signal: NodeJS.Signals): void;
  /** We are about to be stopped ourselves. */
  pausing(): void;
  /** True: the command is in the terminal's foreground group too, and hears the keyboard by itself. */
  readonly shared: boolean;
}

/**
 * Signals the command may have a use for. Here they would open Node's debugger (USR1), or end us: then proper-lockfile's
 * exit hook gives the lock back while the command goes on.
 */
const PASSED_ON: readonly NodeJS.Signals[] = [
  'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGPWR', 'SIGXCPU', 'SIGXFSZ',
];

/** Listens. @returns what ends that; the default action of the signals then applies again */
export function listenToSignals(targets: SignalTargets): () => void {
  const handlers = new Map<NodeJS.Signals, () => void>();
  let stops = 0;
  for (const signal of STOP_SIGNALS) handlers.set(signal, () => targets.stopped(signal, (stops += 1) > 1));
  if (process.platform !== 'win32') {
    // A moment later: after a stop the lease may be somebody else's, and the overdue heartbeat finds that out first.
    for (const signal of PASSED_ON) handlers.set(signal, () => void setTimeout(() => targets.passOn(signal), 1));
    if (!targets.shared) handlers.set('SIGWINCH', () => targets.passOn('SIGWINCH'));
    // A group without a terminal: the kernel discards TSTP in it, so it gets STOP. Then we stop ourselves. While
    // stopped we do not renew, and the lease comes into doubt; it is revived on CONT if nobody has taken it.
    handlers.set('SIGTSTP', () => {
      if (!targets.shared) targets.passOn('SIGSTOP');
      targets.pausing();
      process.kill(process.pid, 'SIGSTOP');
    });
  }
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

/**
 * Ends this process by a signal, as whoever sent it expects to see it end. Other listeners (proper-lockfile's exit
 * hooks) must not stand in the way: what they would have to do is done here.
 */
export function dieBy(signal: StopSignal): void {
  takeAllAway();
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
