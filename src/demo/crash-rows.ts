/**
 * The rows in which nobody gives the lock back: its process is killed, or stands still and comes to itself too late.
 */
import { readFileSync } from 'node:fs';
import { readSession, streamSession, type SessionRecord } from '../index.js';
import { processMark } from '../owner.js';
import type { Actor } from './cast.js';
import { LEASE_MS, sharedNow } from './protocol.js';
import { HANDOVER_MS, outcomeOf, type Scene } from './rows.js';
import type { Stage } from './stage.js';
import { checkEnding, same, showPath, within, type Promised, type Row } from './verdict.js';

/** A takeover waits 1 % of the lease and a tick longer than the lease, since two clocks may differ by so much. */
const TAKEOVER_MS = LEASE_MS * 1.01 + 10 + HANDOVER_MS;

/** Can it be proved here that a process is gone? Then nobody waits for its lease to end, only for the next poll. */
const { boot, pidNamespace } = processMark();
const DEATH_IS_PROVABLE = boot !== null && pidNamespace !== null;
const AFTER_DEATH_MS = DEATH_IS_PROVABLE ? 500 + HANDOVER_MS : TAKEOVER_MS;

const UNTIL_KILLED = ['acquiring.waiting', 'locked', 'running.working'] as const;

/** The states it told of before it was killed, each once. */
function statesTold(actor: Actor, name: string): string[] {
  const states = actor.saidOf(name).flatMap((saying) => (saying.is === 'state' ? [saying.state] : []));
  return states.filter((state, i) => state !== states[i - 1]);
}

const killed: Scene = {
  title: 'kill -9 of the holder',
  meanwhile: 'nobody gives it back: it has to be taken over',
  async play(stage) {
    const name = 'killed';
    const [holder, other] = await stage.cast.company();
    holder.tell({ do: 'attempt', name, session: stage.session, play: 'obeys' });
    await holder.when('granted', name);
    await stage.queue(other, 'next-after-kill');
    await holder.when('wrote', name);
    const { holder: before } = await stage.status();
    const at = sharedNow();
    await holder.kill();
    const granted = await other.when('granted', 'next-after-kill');
    await other.when('ended', 'next-after-kill');
    const nextMs = granted.at - at;
    const path = statesTold(holder, name);
    return {
      title: this.title, outcome: 'killed', lock: 'takenOver', path: `${showPath(path)} ✗`, nextMs,
      since: 'after the kill',
      notes: [DEATH_IS_PROVABLE
        ? 'nobody could give it back: taken over as soon as a poll had found its process gone'
        : `nobody could give it back: granted when its lease had ended (leaseMs: ${LEASE_MS})`],
      checks: [
        same('holder seen before the kill', `${name}, pid ${holder.pid}`, `${before?.attemptId}, pid ${before?.pid}`),
        same('path', showPath(UNTIL_KILLED), showPath(path)),
        same('granted before the lease had ended', DEATH_IS_PROVABLE, granted.wallAt < (before?.until ?? Infinity)),
        within('next granted', 0, AFTER_DEATH_MS, nextMs), same('lock files left', 0, stage.lockFiles().length),
      ],
    };
  },
};

const isLate = (record: unknown): boolean => (record as SessionRecord | null)?.['step'] === 'late';

/** Where the late record stands, and who sees it. */
async function lookForLate(session: string) {
  const lines = readFileSync(session, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as SessionRecord);
  const line = lines.findIndex(isLate);
  const { records, discarded } = await readSession(session);
  let streamed = 0;
  for await (const { record } of streamSession(session)) if (isLate(record)) streamed += 1;
  const seen = records.filter(({ record }) => isLate(record)).length + streamed;
  return { line: line + 1, token: lines[line]?.['$attempt'], before: lines[line - 1]?.['$attempt'], seen, discarded };
}

async function playLateWriter(stage: Stage, title: string): Promise<Row> {
  const name = 'late-writer';
  const next = 'next-after-late-writer';
  const [, other] = await stage.cast.company();
  const zombie = await stage.cast.enter();
  other.tell({ do: 'guard', pid: zombie.pid });
  zombie.tell({ do: 'attempt', name, session: stage.session, play: 'freezes' });
  await zombie.when('granted', name);
  await stage.queue(other, next);
  zombie.tell({ do: 'finish', name });
  const { at } = await zombie.when('freezing', name);
  const granted = await other.when('granted', next);
  await other.when('ended', next);
  if (process.platform !== 'win32') zombie.signal('SIGCONT'); // there it wakes by itself, see freeze.ts
  const ended = await zombie.when('ended', name);
  const { code } = await zombie.when('refused', name);
  await zombie.leave();
  const late = await lookForLate(stage.session);
  const found: Promised = { ...ended.ending, path: ended.path };
  const nextMs = granted.at - at;
  const how = process.platform === 'win32' ? 'blocked' : 'SIGSTOP';
  return {
    title, outcome: outcomeOf(found), lock: found.lease, path: showPath(found.path), nextMs,
    since: 'after it froze',
    notes: [
      `frozen (${how}) inside a write, past its last check, until the next attempt had ended`,
      `its record is on disk (line ${late.line}, token ${late.token} behind ${late.before}), `
        + 'and every reader leaves it out',
      `what it writes after that is refused: ${code}`,
    ],
    checks: [
      ...checkEnding({
        outcome: 'aborted', abortedBy: 'leaseLost', abandoned: false, lease: 'lost',
        path: ['acquiring.waiting', 'locked', 'running.working', 'aborting.leaseLost', 'released'],
      }, found),
      within('next granted', 0, TAKEOVER_MS, nextMs), same('late record on disk', true, late.line > 0),
      same('its token is below that of the line before it', true, Number(late.token) < Number(late.before)),
      same('readers that see it', 0, late.seen), same('records left out', 1, late.discarded),
      same('its next write refused', true, ['WRITER_CLOSED', 'WRITE_FENCED', 'LEASE_IN_DOUBT'].includes(code)),
      same('lock files left', 0, stage.lockFiles().length),
    ],
  };
}

const lateWriter: Scene = {
  title: 'a late writer',
  meanwhile: 'its process stands still inside a write: the lease has to end',
  play(stage) {
    return playLateWriter(stage, this.title);
  },
};

export const crashes: readonly Scene[] = [killed, lateWriter];
