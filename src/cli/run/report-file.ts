/**
 * `--report FILE`: opened before anything runs, so that a wrong path is found out in time; written once, at the end.
 */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import type { AttemptReport } from '../../report.js';
import { ofOption } from '../option-file.js';

export interface ReportFile {
  readonly path: string;
  write(report: AttemptReport): void;
  close(): void;
}

/** Errors as data: JSON would show them as {}. */
function plain(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, cause } = value;
  const { code, holder } = value as { readonly code?: unknown; readonly holder?: unknown };
  return { name, message, code, holder, cause }; // what is undefined is left out by JSON
}

/** @throws AttemptError `CONFIG_INVALID` if the file cannot be opened for writing */
export function openReport(path: string): ReportFile {
  const fd = ofOption('--report', 'write', () => openSync(path, 'w'));
  return {
    path,
    write: (report) => writeFileSync(fd, `${JSON.stringify(report, plain, 2)}\n`),
    close: () => closeSync(fd),
  };
}
