/**
 * Columns of text.
 */
import { harmless } from '../text.js';

/** Rows under a header, each column as wide as its widest cell, empty columns left out. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = header.map((_, column) => rows.some((row) => row[column]));
  const lines = [header, ...rows].map((row) => row.map(harmless).filter((_, column) => used[column]));
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  return padded.map((line) => `${line.join('  ').trimEnd()}\n`).join('');
}
