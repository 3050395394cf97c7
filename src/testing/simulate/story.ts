/**
 * A violation as something to read and to run again: the fewest attempts that still show it, their trace, a command.
 * Owns: shrinking, and the words. Must not know: what is checked.
 */
import { simulate, type RunResult } from './run.js';
import type { SimulateOptions } from './plan.js';

/** Lines of a story at most: what is before them is seldom the cause. */
const MOST_LINES = 60;

/** The command that runs this again. */
export function replayOf(options: SimulateOptions): string {
  const { seed, attempts = 10, zombies = 3, only, processFaults, messageFaults } = options;
  return [
    `npm run simulate -- --seed ${seed} --attempts ${attempts} --zombies ${zombies}`,
    only && `--only ${only.join(',')}`,
    processFaults === false && '--no-process-faults',
    messageFaults !== undefined && `--message-faults ${messageFaults}`,
  ].filter(Boolean).join(' ');
}

/** Leaves out what the violation does not need: attempts one by one, faults of processes, faults of messages. */
export async function shrink(found: RunResult): Promise<RunResult> {
  const id = found.violation?.id;
  let best = found;
  const tryWith = async (change: Partial<SimulateOptions>): Promise<boolean> => {
    const next = await simulate({ ...best.options, ...change });
    if (next.violation?.id !== id) return false;
    best = next;
    return true;
  };
  await tryWith({ processFaults: false });
  await tryWith({ messageFaults: 0 });
  const { attempts = 10, only } = best.options;
  for (const index of only ?? Array.from({ length: attempts }, (_, one) => one)) {
    const now = best.options.only ?? Array.from({ length: attempts }, (_, one) => one);
    if (now.length > 1) await tryWith({ only: now.filter((one) => one !== index) });
  }
  return best;
}

/** The trace up to the violation, without attempts that are not named in it, and how to see it again. */
export function storyOf({ options, violation, trace }: RunResult): string {
  if (!violation) return `seed ${options.seed}: nothing broke`;
  const lines = trace.slice(0, violation.traceLength);
  return [
    `${violation.id} broke at ${Math.round(violation.at)} ms of seed ${options.seed}: ${violation.what}`,
    ...(lines.length > MOST_LINES ? [`  (${lines.length - MOST_LINES} lines before)`] : []),
    ...lines.slice(-MOST_LINES).map((line) => `  ${line}`),
    `replay: ${replayOf(options)}`,
  ].join('\n');
}
