// strace on a process that stands still: what it calls on the session, and one of these calls made to fail.
// `when=` counts the calls of a name for each thread from the moment strace is put on: so nothing of Node's start counts.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** How long a stalled call stalls, microseconds: longer than the lease, its margin and the poll of who waits. */
export const STALL_US = 4_200_000;

/** Faults: what strace injects into the nth call of a name. */
export const FAULTS = {
  ENOSPC: 'error=ENOSPC', EIO: 'error=EIO', EACCES: 'error=EACCES', EMFILE: 'error=EMFILE', ENOENT: 'error=ENOENT',
  SIGKILL: 'signal=KILL', 'stall before': `delay_enter=${STALL_US}`, 'stall after': `delay_exit=${STALL_US}`,
};

export const isStall = (fault) => fault.startsWith('stall');

/** Null if strace can be used here; otherwise why not. */
export function whyNoStrace() {
  const { status, error, stderr } = spawnSync('strace', ['-o', '/dev/null', '-e', 'inject=chdir:error=EIO:when=1', 'true'], { encoding: 'utf8' });
  if (error) return 'strace is not installed';
  return status === 0 ? null : `strace does not work here: ${stderr.trim().split('\n')[0]}`;
}

const tasksOf = (pid) => {
  try {
    return readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'));
  } catch {
    return []; // it has ended
  }
};

/** Puts strace on every thread of a process. @returns when all are traced */
export async function trace(pid, log, injections) {
  const strace = spawn('strace', ['-f', '-y', '-tt', '-s', '80', '-o', log, '-p', String(pid),
    '-e', 'trace=%file,%desc', '-e', 'signal=none', ...injections.flatMap((one) => ['-e', `inject=${one}`])], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  strace.stderr.on('data', (text) => { errors += text; });
  const ended = new Promise((resolve) => { strace.on('exit', resolve); });
  const until = performance.now() + 60_000;
  for (;;) {
    const tasks = tasksOf(pid);
    if (tasks.length > 0 && tasks.every((status) => !/^TracerPid:\s+0$/m.test(status))) break;
    if (strace.exitCode !== null || performance.now() > until) throw new Error(`strace did not get hold of ${pid}: ${errors}`);
    await pause(3);
  }
  return { ended, kill: () => strace.kill('SIGKILL') };
}

/** Does a thread of it stand still under the tracer? Looked at often enough that an ordinary stop is not taken for it. */
export async function isStalled(pid, isOver, ms) {
  const until = performance.now() + ms;
  let inRow = 0;
  while (!isOver() && performance.now() < until) {
    const stands = tasksOf(pid).some((status) => /^State:\s+t/m.test(status));
    inRow = stands ? inRow + 1 : 0;
    if (inRow >= 12) return true;
    await pause(12);
  }
  return false;
}

/**
 * The calls a log shows, in order: `{ call, nth, text, hit, mine }`; `nth`: which of that name in its thread; `mine`: on
 * the session or about another process; `hit`: a fault was put into it. Unfinished lines are put together.
 */
export function callsIn(log, directory) {
  const counts = new Map();
  const open = new Map();
  const calls = [];
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, tid, text] = /^(\d+)\s+[\d:.]+\s(.*)$/.exec(line) ?? [];
    if (text === undefined) continue;
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(text);
    if (resumed) {
      const begun = open.get(tid);
      if (begun) Object.assign(begun, { text: begun.text + resumed[2], hit: begun.hit || isHit(resumed[2]) });
      continue;
    }
    const [, call] = /^(\w+)\(/.exec(text) ?? [];
    if (call === undefined) continue;
    const key = `${tid} ${call}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    const one = { call, nth: counts.get(key), text, hit: isHit(text), mine: !text.startsWith('write(1<') && (text.includes(directory) || /"\/proc\/\d|<\/proc\/\d/.test(text)) };
    calls.push(one);
    open.set(tid, one);
  }
  return calls;
}

const isHit = (text) => /\((INJECTED|DELAYED|INJECTED, DELAYED)\)/.test(text);
