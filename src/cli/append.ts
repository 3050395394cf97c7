/**
 * `attempt append`: JSON lines from standard input into the session of the attempt this shell runs under.
 */
import { AttemptError, describe } from '../errors.js';
import { directoryOf } from '../locks/file/kept-in.js';
import type { Lease } from '../locks/lock-store.js';
import { inheritAttempt, inheritedClaim } from '../session/inherit.js';
import { DEFAULT_MAX_LINE_BYTES } from '../session/line.js';
import { LineSplitter, type Line } from '../session/line-splitter.js';
import type { SessionRecord } from '../session/session-records.js';
import { EXIT } from './exits.js';
import { withStore, type OpenedStore } from './store.js';

const tooLong = (_piece: Buffer, number: number): never => {
  throw new AttemptError('RECORD_INVALID', `line ${number}: expected at most ${DEFAULT_MAX_LINE_BYTES} bytes`);
};

/** What is wrong with the input names its line; what was read before it has been written. */
function parse({ bytes, number }: Line): SessionRecord | null {
  const text = bytes.toString('utf8').trim();
  if (text === '') return null;
  try {
    return JSON.parse(text) as SessionRecord;
  } catch (error) {
    throw new AttemptError('RECORD_INVALID', `line ${number}: expected a JSON object: ${describe(error)}`);
  }
}

async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  const splitter = new LineSplitter(DEFAULT_MAX_LINE_BYTES, tooLong);
  for await (const chunk of input) yield* splitter.push(chunk);
  yield* splitter.end();
}

type Write = (record: SessionRecord) => void | Promise<void>;

/**
 * The lock of the attempt this runs under, in its engine, as that tells it: its owner is what the engine checks each write by.
 * Nothing is renewed and nothing given back here.
 */
async function inheritFromEngine({ engine, records }: OpenedStore): Promise<Write> {
  const { session, token, attemptId } = inheritedClaim();
  const { holder } = await engine!.look(session);
  const owner = holder?.token === token && holder.attemptId === attemptId ? holder.owner : null;
  if (owner === null) {
    const why = `attempt ${attemptId} (token ${token}) has ended; nothing can be written for it any more.`;
    throw new AttemptError('WRITE_FENCED', `${session}: ${why}`);
  }
  const lease: Lease = {
    token, owner, session, deadline: Infinity, release: () => Promise.resolve('notHeld'), onNotice: () => () => {},
  };
  const { signal } = new AbortController();
  const opened = await records!.open({ session, lease, token, tokenScope: 'durable', joining: true, signal });
  return (record) => opened.append(record);
}

/** @throws AttemptError as `inheritAttempt` and `append` do, with the number of the line */
export async function append(): Promise<void> {
  const { ATTEMPT_KEPT_IN: keptIn = 'files' } = process.env;
  if (directoryOf(keptIn) === null) return withStore({ store: keptIn }, async (store) => appendLines(await inheritFromEngine(store)));
  const attempt = inheritAttempt();
  try {
    await appendLines((record) => attempt.session.append(record));
  } finally {
    attempt.close();
  }
}

async function appendLines(write: Write): Promise<void> {
  let written = 0;
  try {
    for await (const line of linesOf(process.stdin)) {
      const record = parse(line);
      if (record === null) continue;
      try {
        await write(record);
      } catch (error) {
        throw error instanceof AttemptError
          ? new AttemptError(error.code, `line ${line.number}: ${error.message}`, { cause: error }) : error;
      }
      written += 1;
    }
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    const before = written === 0 ? 'nothing' : `${written} before it`;
    const said = error.message.replace(' Nothing was written.', ''); // of that line; of all of them it is told here
    throw new AttemptError(error.code, `${said} (${before} written)`, { cause: error });
  }
}

/** The exit status for what `append` threw: refused because the attempt has ended is not the same as a bad line. */
export const appendStatus = (error: unknown): number => {
  const refused = error instanceof AttemptError && ['WRITE_FENCED', 'LEASE_IN_DOUBT'].includes(error.code);
  return refused ? EXIT.leaseLost : EXIT.failed;
};
