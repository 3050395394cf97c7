/**
 * A command that, under the lock of a session, asks for the lock of that very session: it would wait for its own end.
 * Owns: the environment variable that names every attempt a process runs under, however deep.
 */
import { AttemptError } from '../../errors.js';
import type { LockStore } from '../../locks/lock-store.js';
import { shortId } from '../../text.js';

/** The attempts this process runs under, the outermost first. Ids have no spaces in them. */
const OUTER = 'ATTEMPT_OUTER';

const outerAttempts = (): readonly string[] => {
  const { [OUTER]: chain = '', ATTEMPT_ID: nearest = '' } = process.env;
  return [...new Set([...chain.split(' '), nearest])].filter(Boolean);
};

/** What the command of an attempt is told, so that whatever it starts knows under whose locks it runs. */
export const outerEnvironment = (attemptId: string): Readonly<Record<string, string>> =>
  ({ [OUTER]: [...outerAttempts(), attemptId].join(' ') });

/**
 * The lock itself says who holds it: so an attempt that has ended meanwhile, or another session, refuses nobody.
 * @throws AttemptError `CONFIG_INVALID` if the session is held by an attempt this process runs under
 */
export async function expectNotNested(locks: LockStore, session: string): Promise<void> {
  const outer = outerAttempts();
  if (outer.length === 0) return;
  const [status] = await locks.query(session);
  const holder = status?.holder?.attemptId ?? null;
  if (holder === null || !outer.includes(holder)) return;
  const between = outer.length - 1 - outer.indexOf(holder);
  const through = between === 0 ? '' : `, through ${between === 1 ? 'another attempt' : `${between} other attempts`}`;
  throw new AttemptError(
    'CONFIG_INVALID', `${session}: this already runs under its lock (attempt ${shortId(holder)}${through}) and would wait `
    + 'for its own end; run the command directly, or use `attempt append` to write records.',
  );
}
