/**
 * Makes this process stand still between the last check of a write and the write itself: what a suspended laptop, a
 * paused virtual machine or a very long garbage collection does, at the worst moment there is.
 *
 * The library has no hook for it, so Node's own `fs.writeSync` is replaced, in this one process of the demonstration.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Stands still, once, in the first write that contains `marker`, after all its checks and before its system call.
 * @param frozen called right before
 */
export function freezeBeforeWriting(marker: string, frozen: () => void): void {
  const write = fs.writeSync;
  const hooked = (...args: Parameters<typeof fs.writeSync>): number => {
    if (!String(args[1]).includes(marker)) return write(...args);
    fs.writeSync = write;
    syncBuiltinESMExports();
    frozen();
    standStill();
    return write(...args);
  };
  fs.writeSync = hooked as typeof fs.writeSync;
  syncBuiltinESMExports();
}

/** A stall of this many milliseconds outlasts the lease and its takeover, where a process cannot be stopped. */
const STALL_MS = 3_500;

function standStill(): void {
  if (process.platform !== 'win32') return void process.kill(process.pid, 'SIGSTOP'); // until somebody sends SIGCONT
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS);
}
