/**
 * From the moment a lock begins to be given back until another process of a crowd holds it.
 * Owns: the crowd, and what is read off its grants. Must not know: how a lock is taken (`crowd-process.ts`).
 */
import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Grant } from './crowd-process.js';

export const KINDS = ['ours', 'flock', 'proper-lockfile', 'polling'] as const;
export type Kind = (typeof KINDS)[number];

export interface CrowdResult {
  /** Milliseconds from giving back to the next grant, in the order of the grants. */
  readonly handovers: readonly number[];
  /** Processes that had no grant while another one had all of its own. */
  readonly starved: number;
  /** Grants that began before the one before them was given back. Anything but 0 is no lock. */
  readonly overlaps: number;
}

const NODE = fileURLToPath(new URL('./crowd-process.js', import.meta.url));

/** flock(2), blocking: the floor. Node has no call for it. */
const PYTHON = `
import fcntl, json, sys, time
session, rounds, hold = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
print(json.dumps("ready"), flush=True); sys.stdin.readline()
now = lambda: time.monotonic_ns() / 1e6
file, grants = open(session), []
for _ in range(rounds):
    fcntl.flock(file, fcntl.LOCK_EX); granted = now(); time.sleep(hold / 1e3); grants.append([granted, now()])
    fcntl.flock(file, fcntl.LOCK_UN)
print(json.dumps(grants), flush=True)
`;

export const canMeasure = (kind: Kind): boolean =>
  kind !== 'flock' || spawnSync('python3', ['-c', 'import fcntl']).status === 0;

interface Member {
  readonly child: ChildProcess;
  go(): void;
  readonly grants: Promise<readonly Grant[]>;
}

async function member(kind: Kind, session: string, rounds: number, holdMs: number): Promise<Member> {
  if (kind !== 'flock') {
    const child = fork(NODE, [], { execArgv: [] });
    await once(child, 'message');
    const grants = once(child, 'message').then(([said]) => said as readonly Grant[]);
    return { child, grants, go: () => void child.send({ kind, session, rounds, holdMs }) };
  }
  const child = spawn('python3', ['-c', PYTHON, session, `${rounds}`, `${holdMs}`], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said += text; });
  await once(child.stdout, 'data');
  const grants = once(child, 'close').then(() => JSON.parse(said.trim().split('\n').at(-1) ?? '[]') as readonly Grant[]);
  return { child, grants, go: () => void child.stdin.write('\n') };
}

/**
 * @param session a file; made
 * @param crowd how many processes; all but one wait at any time
 * @param rounds how often each takes the lock
 */
export async function crowd(
  kind: Kind, session: string, { crowd: size, rounds, holdMs }: { crowd: number; rounds: number; holdMs: number },
): Promise<CrowdResult> {
  writeFileSync(session, '');
  const members = await Promise.all(Array.from({ length: size }, () => member(kind, session, rounds, holdMs)));
  try {
    for (const { go } of members) go();
    return readOff(await Promise.all(members.map(({ grants }) => grants)));
  } finally {
    for (const { child } of members) child.kill('SIGKILL');
  }
}

/** What counts is while it is crowded: after as many grants as there are processes, until half have had all of theirs. */
export function readOff(all: readonly (readonly Grant[])[]): CrowdResult {
  const lasts = all.map((grants) => grants.at(-1)?.[0] ?? Infinity).sort((a, b) => a - b);
  const [first, end] = [lasts[0] ?? 0, lasts[Math.floor(lasts.length / 2)] ?? 0];
  const starved = all.filter((grants) => (grants[0]?.[0] ?? Infinity) > first).length;
  const inOrder = all.flatMap((grants, who) => grants.map(([granted, released]) => ({ granted, released, who })))
    .sort((a, b) => a.granted - b.granted);
  const handovers: number[] = [];
  let overlaps = 0;
  inOrder.forEach(({ granted, who }, at) => {
    const before = inOrder[at - 1];
    if (!before) return;
    if (granted < before.released) overlaps += 1;
    if (granted <= end && who !== before.who && at >= all.length) handovers.push(granted - before.released);
  });
  return { handovers, starved, overlaps };
}
