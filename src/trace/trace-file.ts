/**
 * Writes what the attempts of this process do to a file, one record a line, each written whole before the next step.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, openSync, writeSync } from 'node:fs';
import { describe } from '../errors.js';
import { RECORDS_CHANNEL } from './channels.js';

export interface TraceFile {
  close(): void;
}

/**
 * Opens the file at once, so that a wrong path is found out in time, and writes every record from then on. A disk that
 * fails later ends the trace, not the attempt.
 * @param path replaced if it exists
 * @param onFailure told once, in words, when writing has failed
 * @throws the native error if the file cannot be opened for writing
 */
export function traceTo(path: string, onFailure: (why: string) => void = () => {}): TraceFile {
  const fd = openSync(path, 'w', 0o600);
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    unsubscribe(RECORDS_CHANNEL, write);
    closeSync(fd);
  };
  function write(record: unknown): void {
    try {
      writeSync(fd, `${JSON.stringify(record)}\n`);
    } catch (error) {
      close();
      onFailure(`${path}: the trace could not be written on: ${describe(error)}`);
    }
  }
  subscribe(RECORDS_CHANNEL, write);
  return { close };
}
