/**
 * The page about XState shows an example that runs: it is the file that is run here.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createActor, waitFor } from 'xstate';
import { readSession } from '../../src/index.js';
import { untilAborted } from '../support/scene.js';
import { useSessionFiles } from '../support/session-files.js';
import { agentOf } from './documented.js';

const files = useSessionFiles();
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8').replaceAll('\r\n', '\n');

test('the example on the page is the one that runs', () => {
  const example = read('documented.ts').trimEnd()
    .replace('../../src/index.js', 'attempt-lifecycle').replace('../../src/xstate/index.js', 'attempt-lifecycle/xstate');
  expect(read('../../src/xstate/README.md')).toContain(`\`\`\`ts\n${example}\n\`\`\``);
});

test('M01: it answers, and it stops', async () => {
  const session = files.session();
  const answering = createActor(agentOf(async (prompt) => `${prompt} to you`, session)).start();
  const { context } = await waitFor(answering, (snapshot) => snapshot.matches('idle'), { timeout: Infinity });
  expect(context.report).toMatchObject({ outcome: 'completed', lease: 'released' });
  const stopped = createActor(agentOf((_, how) => untilAborted(how), session)).start();
  stopped.send({ type: 'stop' });
  const after = await waitFor(stopped, (snapshot) => snapshot.matches('idle'), { timeout: Infinity });
  expect(after.context.report).toMatchObject({ outcome: 'aborted', abortedBy: 'user' });
  expect((await readSession(session)).records).toMatchObject([{ record: { text: 'hello to you' } }]);
});
