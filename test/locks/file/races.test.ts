/**
 * Many processes and one lock. The witness is a file created with O_EXCL under the lock, not our own bookkeeping.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/temporary.js';
import { contenders, newSession } from './contender.js';

/** As a process of ours leaves it when it is killed: expired a while ago. */
function leaveExpired(session: string, token: number): void {
  const lock = `${session}.lock`;
  mkdirSync(lock);
  writeFileSync(join(lock, `owner.${token}.${Date.now() - 5_000}.${randomUUID()}`), '{}');
  mkdirSync(`${session}.attempt`, { recursive: true });
}

describe('takeover of an expired lock', () => {
  test.each([[2, 40], [4, 30], [8, 20]])('M13 S2: %i processes, %i rounds: one holder each', { timeout: 30_000 }, async (count, rounds) => {
    const all = await contenders(count);
    const holders: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const session = newSession(`round-${round}`);
      leaveExpired(session, round + 1);
      const witness = `${session}.witness`;
      const at = Date.now() + 4;
      const args = { session, witness, at, floor: round + 1 };
      const answers = await Promise.all(all.map((one) => one.asks('tryOnce', args)));
      const granted = answers.filter(({ status }) => status === 'granted');
      expect(answers.filter(({ status }) => status === 'busy')).toHaveLength(count - 1);
      expect(granted.map((one) => one['witness'])).toEqual([true]);
      expect(granted[0]?.['token']).toBeGreaterThan(round + 1);
      const winner = answers.findIndex(({ status }) => status === 'granted');
      holders.push(winner);
      expect(await all[winner]?.asks('release', { session })).toMatchObject({ answer: 'released' });
      expect(existsSync(`${session}.lock`)).toBe(false);
    }
    console.info(`measured: ${count} processes, ${rounds} takeovers, won by ${new Set(holders).size} different ones`);
  });
});

test('S1 S2 S3 L4: 8 processes take turns: no clash, every token once, each process served', { timeout: 30_000 }, async () => {
  const all = await contenders(8);
  const session = newSession();
  const rounds = 10;
  const startedAt = performance.now();
  const args = { session, rounds, witness: `${session}.witness` };
  const results = await Promise.all(all.map((one) => one.asks('contend', args)));
  expect(results.filter(({ failed, clashes }) => failed !== undefined || clashes !== 0)).toEqual([]);
  const tokens = results.map((one) => one['tokens'] as number[]);
  for (const own of tokens) expect(own).toEqual([...own].sort((a, b) => a - b));
  expect(new Set(tokens.flat()).size).toBe(8 * rounds);
  expect(Math.max(...tokens.flat())).toBe(8 * rounds);
  const eachMs = (performance.now() - startedAt) / (8 * rounds);
  console.info(`measured: ${8 * rounds} turns of 8 processes, ${eachMs.toFixed(1)} ms a turn`);
  expect(readdirSync(`${session}.attempt`).filter((name) => !/^(token\.|boot\.|reports$)/.test(name))).toEqual([]);
});

test('S1: 30 racing claims in threads are 30 numbers', async () => {
  const room = temporaryDirectory();
  const module = new URL('../../../dist/src/locks/file/tokens.js', import.meta.url).href;
  const script = `
    const { workerData, parentPort } = require('node:worker_threads');
    import(workerData.module).then(({ claimToken, readLedger }) => {
      Atomics.add(workerData.gate, 0, 1);
      while (Atomics.load(workerData.gate, 0) < 6);
      const first = readLedger(workerData.room);
      const tokens = [];
      for (let n = 0; n < 5; n += 1) tokens.push(claimToken(workerData.room, n % 2 ? readLedger(workerData.room) : first, 0));
      parentPort.postMessage(tokens);
    });`;
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const claims = await Promise.all(Array.from({ length: 6 }, () => new Promise<number[]>((resolve, reject) => {
    const worker = new Worker(script, { eval: true, workerData: { module, room, gate } });
    worker.once('message', resolve).once('error', reject);
  })));
  // No lock here, and everybody prunes: so it holds for a holder that was stopped with an old ledger in its hand.
  for (const own of claims) expect(own).toEqual([...own].sort((a, b) => a - b));
  expect(new Set(claims.flat()).size).toBe(30);
});
