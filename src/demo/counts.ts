/**
 * What is in the session at the end, held against what every attempt was told is written.
 */
import { readSession } from '../index.js';
import type { Stage } from './stage.js';
import { same, type Check } from './verdict.js';

export interface Counts {
  readonly records: number;
  readonly discarded: number;
  readonly torn: number;
  readonly lockFiles: number;
  readonly checks: readonly Check[];
}

/** The line that was there before us. */
const BEFORE = 1;

/** The one record that was acknowledged by mistake of its own process, and that no reader may see. */
const LATE = 'late-writer late';

/** What is in `these` and not in `those`; of what is there twice, one may be. */
function without(these: readonly string[], those: readonly string[]): string {
  const left = [...those];
  const missing = these.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return missing.join(', ') || 'none';
}

export async function count(stage: Stage): Promise<Counts> {
  const { records, discarded, torn } = await readSession(stage.session);
  const found = records.slice(BEFORE).map(({ record }) => {
    const { attempt, step } = record as { attempt?: unknown; step?: unknown };
    return `${String(attempt)} ${String(step)}`;
  });
  const expected = stage.acknowledged.filter((one) => one !== LATE);
  const lockFiles = stage.lockFiles();
  return {
    records: records.length, discarded, torn: torn.length, lockFiles: lockFiles.length,
    checks: [
      same('records acknowledged, and not read', 'none', without(expected, found)),
      same('records read, and not acknowledged, or twice', 'none', without(found, expected)),
      same('records left out', 1, discarded), same('torn lines', 0, torn.length),
      same('lock files left', 'none', lockFiles.join(', ') || 'none'),
    ],
  };
}
