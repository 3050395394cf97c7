/**
 * A command that, under the lock of a session, asks for the lock of that very session: it would wait for its own end.
 * Owns: the environment variable that names every attempt a process runs under, however deep.
 */
import { AttemptError } from '../../errors.js';
import { directoryOf } from '../../locks/file/kept-in.js';
import { shortId } from '../../text.js';
import { openStore, type OpenedStore } from '../store.js';

/** The attempts this process runs under, the outermost first. Ids have no spaces in them. */
const OUTER = 'ATTEMPT_OUTER';

const outerAttempts = (): readonly string[] => {
  const { [OUTER]: chain = '', ATTEMPT_ID: nearest = '' } = process.env;
  return [...new Set([...chain.split(' '), nearest])].filter(Boolean);
};

/** Where in files those attempts keep their locks, but for the nearest, of which `ATTEMPT_KEPT_IN` tells. */
const OUTER_STORES = 'ATTEMPT_OUTER_STORES';

function outerStores(): readonly string[] {
  const { [OUTER_STORES]: chain = '', ATTEMPT_KEPT_IN: nearest = '' } = process.env;
  return [...new Set([...chain.split(' ').map(decoded), nearest])].filter((word) => directoryOf(word) !== null);
}

/** What is none of ours names no store. */
function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return '';
  }
}

/** What the command of an attempt is told, so that whatever it starts knows under whose locks it runs. */
export const outerEnvironment = (attemptId: string): Readonly<Record<string, string>> => ({
  [OUTER]: [...outerAttempts(), attemptId].join(' '), [OUTER_STORES]: outerStores().map(encodeURIComponent).join(' '),
});

/**
 * Where those attempts keep their locks, if that is another place than ours. A session in a file has one lock in each,
 * which do not know of each other; a key of an engine is no file, so there it is another session.
 */
async function keptElsewhere(ours: OpenedStore): Promise<readonly OpenedStore[]> {
  if (ours.kind !== 'files') return [];
  return Promise.all(outerStores().filter((word) => word !== ours.keptIn).map((store) => openStore({ store })));
}

/**
 * The lock itself says who holds it: so an attempt that has ended meanwhile, or another session, refuses nobody.
 * @throws AttemptError `CONFIG_INVALID` if the session is held by an attempt this process runs under
 */
export async function expectNotNested(store: OpenedStore, session: string): Promise<void> {
  const outer = outerAttempts();
  if (outer.length === 0) return;
  for (const { locks, keptIn } of [store, ...await keptElsewhere(store)]) {
    const [status] = await locks.query(session);
    const holder = status?.holder?.attemptId ?? null;
    if (holder === null || !outer.includes(holder)) continue;
    const between = outer.length - 1 - outer.indexOf(holder);
    const through = between === 0 ? '' : `, through ${between === 1 ? 'another attempt' : `${between} other attempts`}`;
    const outcome = keptIn === store.keptIn ? 'would wait for its own end'
      : `would take another one beside it (--store: that one is kept in ${keptIn})`;
    throw new AttemptError(
      'CONFIG_INVALID', `${session}: this already runs under its lock (attempt ${shortId(holder)}${through}) and ${outcome}; `
      + 'run the command directly, or use `attempt append` to write records.',
    );
  }
}
