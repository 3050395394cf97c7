/**
 * `attempt doctor`: what is the matter with each session, and what can be done. Reads only, unless told to `--fix`.
 * Owns: what is printed, and the exit status. Must not know: how a session is judged.
 */
import { cardOf } from '../diagnosis/card.js';
import { diagnose } from '../diagnosis/diagnose.js';
import type { Condition, Diagnosis } from '../diagnosis/diagnosis.js';
import { factsOf } from '../diagnosis/facts.js';
import { fix, type Fix } from '../diagnosis/fix.js';
import { harmless, harmlessJson } from '../text.js';
import { AttemptError } from '../errors.js';
import { EXIT } from './exits.js';
import { pathFromHere } from './status.js';
import { withStore, type OpenedStore } from './store.js';
import type { StoreOption } from './store-option.js';

export interface DoctorOptions extends StoreOption {
  readonly json?: boolean;
  readonly fix?: boolean;
}

/** Nothing is the matter with these: they end by themselves, as they should. */
const WELL: readonly Condition[] = ['free', 'healthy', 'queue'];

/** Sessions of an engine that are looked at where none is named. */
const MOST_SESSIONS = 1_000;

/** Of these sessions; without any, where the store is an engine, of all that are held there. */
export async function diagnoseAll(paths: readonly string[], store: OpenedStore): Promise<readonly Diagnosis[]> {
  const { engine, records, option, directory } = store;
  const where = directory === undefined ? {} : { directory };
  if (engine === null) return (await Promise.all(paths.map((path) => diagnose(path, where)))).flat();
  const { diagnoseInEngine } = await import('../diagnosis/in-engine.js');
  const found: Diagnosis[] = [];
  for (const session of paths.length > 0 ? paths : await engine.held(MOST_SESSIONS)) {
    const written = await records?.tokenFloor?.(session) ?? 0;
    found.push(diagnoseInEngine(session, await engine.look(session), written, option));
  }
  return found;
}

async function fixAll(found: readonly Diagnosis[], { directory }: OpenedStore): Promise<readonly Fix[]> {
  const fixes: Fix[] = [];
  for (const { session } of found) fixes.push(...fix(await factsOf(session, directory)));
  return fixes;
}

function sumOf(found: readonly Diagnosis[]): string {
  const counts = new Map<Condition, number>();
  for (const { condition } of found) counts.set(condition, (counts.get(condition) ?? 0) + 1);
  const parts = [...counts].map(([condition, count]) => `${count} ${condition}`);
  return `${found.length} ${found.length === 1 ? 'session' : 'sessions'}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}\n`;
}

function fixLines(fixes: readonly Fix[]): string {
  const lines = fixes.map(({ path, what, changed, because }) =>
    harmless(changed ? `fixed: ${path}: ${what}` : `not fixed: ${path}: ${what}: ${because ?? ''}`));
  if (!fixes.some(({ changed }) => changed)) {
    const why = fixes.length === 0 ? 'nothing is proved to be dead, ' : '';
    lines.push(`ineffective: ${why}nothing was changed`);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Prints a card for each session. Sets the exit status: 0 nothing is the matter, 1 something is (after `--fix`: still).
 * @throws AttemptError `SESSION_INVALID` for a path that leads nowhere, `CONFIG_INVALID` for `--fix` on an engine, where
 *   nothing is left behind, or no session named where they are files
 */
export const doctor = (paths: readonly string[], options: DoctorOptions): Promise<void> =>
  withStore(options, (store) => examine(paths, store, options));

async function examine(paths: readonly string[], store: OpenedStore, { json = false, fix: fixing = false }: DoctorOptions): Promise<void> {
  const isEngine = store.engine !== null;
  if (fixing && isEngine) {
    throw new AttemptError('CONFIG_INVALID', '--fix: expected sessions in files; in an engine a dead holder leaves nothing but '
      + 'its lease: wait for its end, or attempt unlock');
  }
  if (paths.length === 0 && !isEngine) {
    throw new AttemptError('CONFIG_INVALID', 'doctor: expected <session|dir>, got none; see attempt doctor --help');
  }
  const before = await diagnoseAll(paths, store);
  const fixes = fixing ? await fixAll(before, store) : null;
  const after = fixes ? await diagnoseAll(paths, store) : before;
  if (after.some(({ condition, also }) => !WELL.includes(condition) || also.some((one) => !WELL.includes(one)))) {
    process.exitCode = EXIT.matter;
  }
  if (json) {
    const effective = fixes && fixes.some(({ changed }) => changed);
    return void process.stdout.write(`${harmlessJson({ sessions: after, fixes, effective })}\n`);
  }
  const { columns, isTTY } = process.stdout;
  const width = isTTY ? columns : 80;
  if (fixes) process.stdout.write(`${fixLines(fixes)}\n`);
  const nameOf = (session: string): string => (isEngine ? session : pathFromHere(session));
  for (const one of after) process.stdout.write(`${cardOf(one, { width, name: nameOf(one.session) })}\n`);
  process.stdout.write(sumOf(after));
}
