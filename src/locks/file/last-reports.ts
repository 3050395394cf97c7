/**
 * The last 20 reports of a session, beside its lock: one file in the room, `reports`, of 20 slots of 2 KiB. Each grant
 * has the slot of its token, so that nobody has to be asked, no lock is needed, and it can never grow. One report is
 * one line, so that the file can be read by eye.
 *
 * Kept are the reports of those who held the lock: who was refused it changed nothing, and a crowd of the refused would
 * push out what explains. Must not know: what a report says.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { lineOf, readKept, type KeptReport } from '../../kept-report.js';

/** As many as are kept. */
export const MOST_REPORTS = 20;
const SLOT_BYTES = 2_048;
const NEWLINE = 0x0a;

/** A planted link would make us write somewhere else; a planted pipe would make us wait. */
const AS_IT_IS = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Calls `fn` with the file of reports, if it is a plain file with one name. */
function withFile<T>(room: string, flags: number, fn: (fd: number) => T): T {
  const path = join(room, 'reports');
  const fd = openSync(path, flags | AS_IT_IS, 0o666);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.nlink > 1) throw new Error(`${path}: expected a plain file, got something else; remove it`);
    return fn(fd);
  } finally {
    closeSync(fd);
  }
}

/** Reused, since nothing is awaited while it is in use. */
const slot = Buffer.allocUnsafeSlow(SLOT_BYTES);

function slotAt(fd: number, position: number): string {
  return slot.toString('utf8', 0, readSync(fd, slot, 0, SLOT_BYTES, position)).replace(/[\0\s]+$/, '');
}

/** What we write begins with the token. */
const HEAD = /^\{"token":([1-9]\d{0,15}),/;
const HEAD_BYTES = 32;

/** Does the slot hold a report of a later token? What only looks like one is read to its end. */
function isLater(fd: number, position: number, token: number): boolean {
  const head = HEAD.exec(slot.toString('latin1', 0, readSync(fd, slot, 0, HEAD_BYTES, position)));
  return head !== null && Number(head[1]) > token && (readKept(slotAt(fd, position))?.token ?? 0) > token;
}

/**
 * Keeps a report. A later attempt's report in the same slot stays: this one comes 20 grants too late.
 * Not synced: it explains, and nothing depends on it.
 * @throws the native error where it cannot be kept
 */
export function keepReport(room: string, report: KeptReport): void {
  withFile(room, constants.O_RDWR | constants.O_CREAT, (fd) => {
    const position = (report.token % MOST_REPORTS) * SLOT_BYTES;
    if (isLater(fd, position, report.token)) return;
    slot.fill(' ', slot.write(lineOf(report, SLOT_BYTES - 1)));
    slot[SLOT_BYTES - 1] = NEWLINE;
    for (let done = 0; done < SLOT_BYTES;) done += writeSync(fd, slot, done, SLOT_BYTES - done, position + done);
  });
}

export interface LastReports {
  /** By token, the newest first. */
  readonly reports: readonly KeptReport[];
  /** Slots that hold something else than a report: torn, or not written by us. */
  readonly damaged: number;
  /** Why the file could not be read, if it is there and could not. */
  readonly problem: string | null;
}

/** Reads at most 40 KiB, and believes only what is a report. Never throws. */
export function lastReports(room: string): LastReports {
  const reports: KeptReport[] = [];
  let damaged = 0;
  try {
    withFile(room, constants.O_RDONLY, (fd) => {
      for (let slot = 0; slot < MOST_REPORTS; slot += 1) {
        const line = slotAt(fd, slot * SLOT_BYTES);
        if (line === '') continue;
        const report = readKept(line);
        if (report && report.token % MOST_REPORTS === slot) reports.push(report);
        else damaged += 1;
      }
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isAbsent = code === 'ENOENT' || code === 'ENOTDIR';
    return { reports: [], damaged: 0, problem: isAbsent ? null : message };
  }
  return { reports: reports.sort((a, b) => b.token - a.token), damaged, problem: null };
}
