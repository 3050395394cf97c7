/**
 * S2: attempts on one session from several worker threads of one process exclude each other: each thread has its
 * own instance of the built package, so nothing but the lock on the disk keeps them apart.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { readSession } from '../../src/index.js';
import { useSessionFiles } from '../support/session-files.js';

const built = new URL('../../dist/src/index.js', import.meta.url);
const files = useSessionFiles();
const THREADS = 4;
const EACH = 6;

/** Each attempt writes that it is in, lets the others run, and writes that it is out. */
const script = `
  import { workerData, parentPort } from 'node:worker_threads';
  const { runAttempt } = await import(workerData.built);
  for (let n = 0; n < workerData.each; n += 1) {
    const report = await runAttempt({
      session: workerData.session, waitMs: Infinity,
      work: async ({ session, token }) => {
        const who = workerData.thread + ':' + n;
        await session.append({ in: who, token });
        for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        await session.append({ out: who, token });
      },
    });
    parentPort.postMessage({ outcome: report.outcome, lease: report.lease, token: report.token });
  }
`;

interface Said {
  readonly outcome: string;
  readonly lease: string;
  readonly token: number;
}

function runThread(thread: number, session: string): Promise<Said[]> {
  const said: Said[] = [];
  const url = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
  const worker = new Worker(url, { workerData: { built: built.href, session, thread, each: EACH } });
  worker.on('message', (report: Said) => said.push(report));
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on(
      'exit', (code) => (code === 0 ? resolve(said) : reject(new Error(`thread ${thread} ended with ${code}`))),
    );
  });
}

test('S1 S2 S3: attempts of worker threads on one session exclude each other, tokens rise', async () => {
  expect(existsSync(built), 'run `npm test`, or build first').toBe(true);
  const session = files.session();
  const all = await Promise.all(Array.from({ length: THREADS }, (_, thread) => runThread(thread, session)));
  const reports = all.flat();
  expect(reports).toHaveLength(THREADS * EACH);
  for (const report of reports) expect(report).toMatchObject({ outcome: 'completed', lease: 'released' });
  expect(new Set(reports.map(({ token }) => token)).size, 'S1').toBe(THREADS * EACH);

  const { records, discarded } = await readSession(session);
  expect(discarded).toBe(0);
  expect(readFileSync(session, 'utf8').split('\n').filter(Boolean)).toHaveLength(2 * THREADS * EACH);
  let last = 0;
  for (let index = 0; index < records.length; index += 2) {
    const [entered, left] = [records[index], records[index + 1]].map(
      (one) => one?.record as { in?: string; out?: string },
    );
    expect(left?.out, 'S2: nobody else in between').toBe(entered?.in);
    const token = records[index]?.token as number;
    expect(token, 'S3').toBeGreaterThan(last);
    last = token;
  }
}, 30_000);
