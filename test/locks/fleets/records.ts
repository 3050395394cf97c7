/**
 * What records in an engine have to keep, the same for each of them.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { runAttempt, type LockStore } from '../../../src/index.js';
import type { EngineRecords } from '../../../src/locks/engine/record-queue.js';
import { granted } from './faults.js';

export function recordsInAnEngine(make: () => Promise<{ locks: LockStore; records: EngineRecords }>): void {
  const all = async (records: EngineRecords, session: string): Promise<unknown[]> =>
    (await records.read(session)).records.map(({ record, token }) => [token, (record as { n: number }).n]);

  test('S4 S15: records are read in the order of their writing, under the token of their attempt', async () => {
    const { locks, records } = await make();
    const session = randomUUID();
    const write = (from: number) => runAttempt({
      session, locks, records,
      async work({ session: writer }) {
        const begun = Array.from({ length: 40 }, (_, at) => writer.append({ n: from + at })); // all in one tick
        await Promise.all(begun);
      },
    });
    expect(await write(0)).toMatchObject({ outcome: 'completed', fencing: 'stamped', token: 1, tokenScope: locks.capabilities.tokenScope });
    expect(await write(40)).toMatchObject({ outcome: 'completed', token: 2 });
    expect(await all(records, session)).toEqual(Array.from({ length: 80 }, (_, n) => [n < 40 ? 1 : 2, n]));
    expect(await records.tokenFloor?.(session)).toBe(2);
    expect(await records.tokenFloor?.(randomUUID())).toBe(0);
  });

  test('records carry whatever JSON can, as it was, also in keys of sessions', async () => {
    const { locks, records } = await make();
    const session = `a {b} } % 'c" \\ é ${randomUUID()}`;
    const record = { text: 'nul \0, quote ", \\, é, 😀', nested: { $attempt: 3, list: [1, null, true] }, n: 1e21 };
    await runAttempt({ session, locks, records, work: ({ session: writer }) => writer.append(record) });
    expect((await records.read(session)).records).toEqual([{ record, token: 1 }]);
  });

  test('what cannot be a record is refused, and what comes after it is written', async () => {
    const { locks, records } = await make();
    const session = randomUUID();
    const report = await runAttempt({
      session, locks, records,
      async work({ session: writer }) {
        await expect(writer.append([] as never)).rejects.toMatchObject({ code: 'RECORD_INVALID' });
        await expect(async () => writer.appendSync({ n: 0 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
        await writer.append({ n: 1 });
      },
    });
    expect(report.outcome).toBe('completed');
    expect(await all(records, session)).toEqual([[1, 1]]);
  });

  test('S4: replace takes the place of all there is, also by nothing, and what follows stands behind it', async () => {
    const { locks, records } = await make();
    const session = randomUUID();
    await runAttempt({ session, locks, records, work: ({ session: writer }) => writer.append({ n: 0 }) });
    await runAttempt({
      session, locks, records,
      async work({ session: writer }) {
        await writer.append({ n: 1 });
        await writer.replace([{ n: 2 }, { n: 3 }]);
        await writer.append({ n: 4 });
      },
    });
    expect(await all(records, session)).toEqual([[2, 2], [2, 3], [2, 4]]);
    await runAttempt({ session, locks, records, work: ({ session: writer }) => writer.replace([]) });
    expect(await all(records, session)).toEqual([]);
    await runAttempt({ session, locks, records, work: ({ session: writer }) => writer.append({ n: 5 }) });
    expect(await all(records, session)).toEqual([[4, 5]]);
  });

  test('S4 S5: after a takeover nothing of the old attempt is written: not one record, not a replacement', async () => {
    const { locks, records } = await make();
    const session = randomUUID();
    const lease = await granted(locks, session, 'old');
    const request = { session, lease, token: lease.token, tokenScope: 'durable', signal: new AbortController().signal } as const;
    const opened = await records.open(request);
    await opened.append({ n: 1 });
    await locks.forceRelease(session, { token: lease.token });
    const next = await granted(locks, session, 'next');
    await expect(Promise.resolve(opened.append({ n: 2 }))).rejects.toMatchObject({ code: 'WRITE_FENCED' });
    await expect(Promise.resolve(opened.replace?.([]))).rejects.toMatchObject({ code: 'WRITE_FENCED' });
    await expect(Promise.resolve().then(() => records.open(request))).rejects.toMatchObject({ code: 'WRITE_FENCED' });
    await next.release();
    expect(await all(records, session)).toEqual([[1, 1]]);
  });

  test('S4 S15: several children of one attempt write at once, each record once, and nothing once it has ended', async () => {
    const { locks, records } = await make();
    const session = randomUUID();
    const lease = await granted(locks, session, 'parent');
    const request = { session, lease, token: lease.token, tokenScope: 'durable', signal: new AbortController().signal } as const;
    const children = await Promise.all([1, 2, 3].map(() => records.open({ ...request, joining: true })));
    const written = children.flatMap((child, at) => [0, 1, 2, 3].map((n) => child.append({ n: at * 10 + n })));
    await Promise.all(written);
    const found = (await all(records, session)) as [number, number][];
    expect(found.map(([, n]) => n).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]);
    for (const at of [0, 1, 2]) {
      const own = found.map(([, n]) => n).filter((n) => Math.floor(n / 10) === at);
      expect(own).toEqual([0, 1, 2, 3].map((n) => at * 10 + n));
    }
    expect(children[0]?.replace).toBe(undefined);
    await lease.release();
    await expect(Promise.resolve(children[0]?.append({ n: 99 }))).rejects.toMatchObject({ code: 'WRITE_FENCED' });
    expect(await all(records, session)).toHaveLength(12);
  });

  test('many records are read page by page', async () => {
    const { locks, records } = await make();
    const session = randomUUID();
    await runAttempt({
      session, locks, records,
      work: ({ session: writer }) => writer.replace(Array.from({ length: 2_500 }, (_, n) => ({ n }))),
    });
    expect((await all(records, session)).length).toBe(2_500);
  });
}
