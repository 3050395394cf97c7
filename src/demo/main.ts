/**
 * The demonstration: the bug first, then every way an attempt can end, on one session file, with real processes.
 * Exits 0 only if everything is as promised. Leaves no process behind, and no file unless something is WRONG.
 */
import { count } from './counts.js';
import { crashes } from './crash-rows.js';
import { ownEndings } from './rows.js';
import { Screen } from './screen.js';
import { Stage } from './stage.js';
import { showBug } from './the-bug.js';
import { brokenRow, exitCodeOf, isAsPromised, type Check, type Row } from './verdict.js';

async function heldBy(stage: Stage): Promise<string> {
  const { holder } = await stage.status();
  return holder ? `the lock is held by attempt ${holder.attemptId} (pid ${holder.pid})` : 'the lock is free';
}

async function demonstrate(stage: Stage, screen: Screen): Promise<0 | 1> {
  const start = performance.now();
  screen.start();
  screen.meanwhile('by hand', 'the next attempt tries for a second');
  const bug = await showBug(stage);
  screen.bug(bug);
  screen.head();
  const rows: Row[] = [];
  for (const scene of [...ownEndings, ...crashes]) {
    screen.meanwhile(scene.title, scene.meanwhile ?? 'the next attempt waits');
    const row = await scene.play(stage)
      .catch(async (error: unknown) => brokenRow(scene.title, error, await heldBy(stage)));
    if (!isAsPromised(row)) await stage.cast.dismiss(); // the next row starts with new processes
    rows.push(row);
    screen.row(row);
  }
  await stage.cast.dismiss();
  const counts = await count(stage);
  screen.counts(counts);
  const others: readonly Check[] = [...bug.checks, ...counts.checks];
  const code = exitCodeOf(rows, others);
  screen.end(code, (performance.now() - start) / 1_000, stage.directory);
  return code;
}

/** Ctrl-C and its like: everything is ended and taken away at once, then we end by that signal ourselves. */
function endOnSignals(stage: Stage): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      stage.cast.dismissNow();
      stage.remove();
      process.kill(process.pid, signal);
    });
  }
}

const stage = new Stage();
process.on('exit', () => stage.cast.dismissNow()); // however we come to our end
endOnSignals(stage);
process.stdout.on('error', () => process.exit(1)); // a reader that has gone, as in `| head`
try {
  process.exitCode = await demonstrate(stage, new Screen(process.stdout));
} catch (error) {
  console.error(`The demonstration did not come to its end; look into ${stage.directory}`);
  console.error(error);
  process.exitCode = 1;
}
await stage.cast.dismiss();
if (process.exitCode === 0) stage.remove();
