/**
 * Real stores that are broken on purpose, under two processes that tell what they see as all here do. The checker of
 * histories must say of each what is wrong; where it is silent, its silence about ours means nothing. The same stores in
 * the soak: `npm run soak -- --lock broken`.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi, type TestContext } from 'vitest';
import { readSession } from '../../src/session/read-session.js';
import { checkHistory, type HistoryEvent } from '../../src/testing/history.js';
import { temporaryDirectory } from '../support/temporary.js';
import { Told, type ToldChild } from './told-child.js';

vi.setConfig({ testTimeout: 60_000 });

const MOST_MS = 25_000;
const rival = fileURLToPath(new URL('fixtures/rival.mjs', import.meta.url));

/**
 * One holds the lock and is stopped, or ends in good order (`first`: `ends`); another asks for it and has it in the end,
 * for what it is; the first wakes. @returns what the checker says, and what the reports said
 */
async function lives({ onTestFinished }: TestContext, broken: string | null, first: 'ends' | 'stops') {
  const session = join(temporaryDirectory(onTestFinished), 's');
  const start = () => {
    const child = new Told(process.execPath, [rival]);
    onTestFinished(async () => void await child.kill());
    return child;
  };
  const [one, other] = [start(), start()];
  const asks = (child: ToldChild, name: string): void =>
    child.send({ session, name, leaseMs: 2_000, waitMs: MOST_MS, holdUntilTold: true, broken });
  const writes = (child: ToldChild) => child.says((fact) => fact['is'] === 'written', MOST_MS);
  const ends = (child: ToldChild) => child.says((fact) => fact.report !== undefined, MOST_MS);
  asks(one, 'one');
  await writes(one);
  if (first === 'stops') process.kill(one.pid, 'SIGSTOP');
  else {
    one.send({ finish: true });
    await ends(one);
  }
  asks(other, 'other');
  await writes(other);
  if (first === 'stops') {
    one.send({ finish: true });
    process.kill(one.pid, 'SIGCONT');
    await ends(one);
  }
  other.send({ finish: true });
  await ends(other);
  const events = [one, other].flatMap(({ facts }) => facts.filter((fact) => fact['is'] !== undefined)) as unknown as HistoryEvent[];
  const { records } = await readSession(session);
  const found = records.map(({ record, token }) => ({ token, record: (record as { record: string }).record }));
  const { violations, grants } = checkHistory(events, new Map([[session, found]]));
  return { said: violations.map((text) => text.replace(`${session}: `, '')), grants };
}

test.for<[string, string, 'ends' | 'stops', RegExp]>([
  ['S1', 'repeats a token', 'ends', /^S1: token 1 was granted twice$/m],
  ['S2', 'grants two', 'stops', /^S2: token \d was granted \S+ ms before token \d ended$/m],
  ['S2', 'never tells of an end', 'stops', /^S2: token 2 was granted \S+ ms before token 1 ended$/m],
  ['S15', 'lets a zombie write', 'stops', /^S15: record one\/2 was acknowledged and is not there$/m],
])('%s: a store that %s is complained about', async ([, broken, first, complaint], context) => {
  expect((await lives(context, broken, first)).said.join('\n')).toMatch(complaint);
});

test.for(['ends', 'stops'] as const)('S1 S2 S3 S4 S15: of ours there is nothing to say, where the first one %s', async (first, context) => {
  expect(await lives(context, null, first)).toEqual({ said: [], grants: 2 });
});
