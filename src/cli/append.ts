/**
 * `attempt append`: JSON lines from standard input into the session of the attempt this shell runs under.
 */
import { AttemptError, describe } from '../errors.js';
import { inheritAttempt } from '../session/inherit.js';
import { DEFAULT_MAX_LINE_BYTES } from '../session/line.js';
import { LineSplitter, type Line } from '../session/line-splitter.js';
import type { SessionRecord } from '../session/session-records.js';
import { EXIT } from './exits.js';

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

/** @throws AttemptError as `inheritAttempt` and `append` do, with the number of the line */
export async function append(): Promise<void> {
  const { ATTEMPT_KEPT_IN: kind = 'files' } = process.env;
  if (kind !== 'files') {
    throw new AttemptError('CONFIG_INVALID', `append: expected an attempt on a session in a file, got one kept in ${kind}; `
      + 'write its records from the program');
  }
  const attempt = inheritAttempt();
  let written = 0;
  try {
    for await (const line of linesOf(process.stdin)) {
      const record = parse(line);
      if (record === null) continue;
      try {
        await attempt.session.append(record);
      } catch (error) {
        throw error instanceof AttemptError
          ? new AttemptError(error.code, `line ${line.number}: ${error.message}`, { cause: error }) : error;
      }
      written += 1;
    }
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    const before = written === 0 ? 'nothing' : `${written} before it`;
    throw new AttemptError(error.code, `${error.message} (${before} written)`, { cause: error });
  } finally {
    attempt.close();
  }
}

/** The exit status for what `append` threw: refused because the attempt has ended is not the same as a bad line. */
export const appendStatus = (error: unknown): number => {
  const refused = error instanceof AttemptError && ['WRITE_FENCED', 'LEASE_IN_DOUBT'].includes(error.code);
  return refused ? EXIT.leaseLost : EXIT.failed;
};
