/**
 * A command that, under the lock of a session, asks for the lock of that very session: it would wait for its own end.
 */
import { AttemptError } from '../../errors.js';
import type { LockStore } from '../../locks/lock-store.js';

/**
 * Sees one level: an attempt that runs under another one of another session has that one's name in its environment.
 * @throws AttemptError `CONFIG_INVALID` if the session is held by the attempt this process runs under
 */
export async function expectNotNested(locks: LockStore, session: string): Promise<void> {
  const { ATTEMPT_ID: outer } = process.env;
  if (!outer) return;
  const [status] = await locks.query(session);
  if (status?.holder?.attemptId !== outer) return;
  throw new AttemptError(
    'CONFIG_INVALID', `${session}: this already runs under its lock (attempt ${outer}) and would wait for its own end; `
    + 'run the command directly, or use `attempt append` to write records.',
  );
}
