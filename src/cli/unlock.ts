/**
 * `attempt unlock`: takes one grant of a lock away, the very one that is named by its token.
 * Owns: when that is refused, and what is said about the holder. Must not know: how it is taken away.
 */
import { AttemptError } from '../errors.js';
import { factsOf, type SessionFacts } from '../diagnosis/facts.js';
import { classified } from '../diagnosis/classify.js';
import { shellWord } from '../diagnosis/shell-word.js';
import type { LockStore } from '../locks/lock-store.js';
import { harmless, harmlessJson, holderInWords, shortId } from '../text.js';
import { hostname } from 'node:os';
import { EXIT } from './exits.js';
import { pathFromHere } from './status.js';
import { withStore, type OpenedStore } from './store.js';
import type { StoreOption } from './store-option.js';

export interface UnlockOptions extends StoreOption {
  readonly token?: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** What came of it: `unlocked`, `ineffective` (that grant is not there), `refused` (its holder may be at work). */
interface Answer {
  readonly result: 'unlocked' | 'ineffective' | 'refused';
  readonly say: string;
}

/** The holder's process is gone, or its lease has ended and anybody might take the lock over. */
const needsNoForce = ({ liveness, occupant, now }: SessionFacts): boolean =>
  liveness?.verdict === 'gone' || (occupant.kind === 'owner' && occupant.name.until <= now);

function whatOfHolder({ liveness, record, lateMs }: SessionFacts): string {
  if (liveness?.verdict === 'gone') return 'its process is gone, so nobody is told';
  const leaseMs = record?.leaseMs ?? 10_000;
  const renewsMs = lateMs === undefined ? Math.min(3_000, leaseMs / 3) : leaseMs / 3;
  const within = renewsMs / 1_000 + 0.5;
  return `its holder learns of it within ${within.toFixed(1)} s (unless it is blocked) and aborts its work; under `
    + '`attempt run` the command is ended, and attempt exits 116';
}

async function take(
  facts: SessionFacts, name: string, { locks, option }: Pick<OpenedStore, 'option'> & { readonly locks: LockStore },
  { token, force = false }: UnlockOptions & { readonly token: number },
): Promise<Answer> {
  const { occupant, holder, liveness } = facts;
  if (occupant.kind !== 'owner') {
    const isFree = occupant.kind === 'none' || occupant.kind === 'open';
    const there = isFree ? 'nobody holds it' : 'what is there is not one of our locks, and stays';
    return { result: 'ineffective', say: `${name}: nothing was changed: ${there}` };
  }
  const held = holderInWords(holder, facts.now, hostname());
  if (occupant.name.token !== token) {
    const is = `it is ${held}, token ${occupant.name.token}`;
    return { result: 'ineffective', say: `${name}: nothing was changed: token ${token} does not hold it; ${is}` };
  }
  if (!force && !needsNoForce(facts)) {
    const word = shellWord(name);
    const lines = [
      `${name}: refused, nothing was changed: it is ${held}; ${harmless(liveness?.evidence.join('; ') ?? '')}`,
      `If it is taken away, ${whatOfHolder(facts)}. The work may go on without the lock.`,
      ...(word === null ? [] : [`If you want that: attempt unlock --force --token ${token}${option} ${word}`]),
    ];
    return { result: 'refused', say: lines.join('\n') };
  }
  const answer = await locks.forceRelease(facts.places.session, { token });
  if (answer === 'released') {
    const from = `attempt ${shortId(holder?.attemptId ?? 'unknown')} (token ${token})`;
    return { result: 'unlocked', say: `${name}: taken away from ${from}; ${whatOfHolder(facts)}` };
  }
  return { result: 'ineffective', say: `${name}: nothing was changed: it was given back, or taken over, while we looked` };
}

/**
 * Takes the grant away and says what becomes of its holder. Sets the exit status: 0 taken away, 1 ineffective, 75 refused.
 * @throws AttemptError `CONFIG_INVALID` without a token
 */
export async function unlock(session: string, options: UnlockOptions): Promise<void> {
  const { token, json = false } = options;
  if (token === undefined) {
    const word = shellWord(session) ?? '<session>';
    throw new AttemptError('CONFIG_INVALID', `unlock: expected --token <n>, got none; attempt doctor ${word} shows it`);
  }
  await withStore(options, async (store) => {
    const facts = await factsIn(store, session);
    const { session: path } = facts.places;
    const name = store.engine === null ? pathFromHere(path) : path;
    const { result, say } = await take(facts, harmless(name), store, { ...options, token });
    process.exitCode = { unlocked: 0, ineffective: EXIT.matter, refused: EXIT.busy }[result];
    if (json) {
      const { sentence, condition } = classified(facts);
      process.stdout.write(`${harmlessJson({ session: path, token, result, say, before: { condition, sentence } })}\n`);
    } else (result === 'unlocked' ? process.stdout : process.stderr).write(`attempt: ${say}\n`);
  });
}

async function factsIn({ engine, directory, option }: OpenedStore, session: string): Promise<SessionFacts> {
  if (engine === null) return factsOf(session, directory);
  const { factsInEngine } = await import('../diagnosis/in-engine.js');
  return factsInEngine(session, await engine.look(session), option);
}
