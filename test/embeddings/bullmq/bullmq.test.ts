/**
 * The worker of `worker.ts` on a real Redis and real files: each way BullMQ ends a job gives the session's lock back, and a
 * busy session puts the job back instead of failing it.
 */
import { Queue, QueueEvents, Worker, type Job, type WorkerOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import {
  attempts, createAttempt, readSession, type AttemptReport, type WorkContext,
} from '../../../src/index.js';
import { deferred, untilAborted } from '../../support/scene.js';
import { useSessionFiles } from '../../support/session-files.js';
import { describeWithRedis, useRedis } from './redis-server.js';
import { sessionWorker, type SessionJob, type SessionWorkerOptions } from './worker.js';

type Result = string;
type Work = (context: WorkContext, job: Job<SessionJob, Result>) => Promise<Result>;

describeWithRedis('a BullMQ worker', () => {
  const redis = useRedis();
  const files = useSessionFiles();
  const ends: (() => unknown)[] = [];
  let queues = 0;

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    expect(attempts.active(), 'L5: no attempt is at work').toEqual([]);
  });

  /** A queue of its own, and what can be waited for. */
  async function scene() {
    const name = `queue-${queues += 1}`;
    const connection = { ...redis(), maxRetriesPerRequest: null };
    const queue = new Queue<SessionJob, Result>(name, { connection });
    const events = new QueueEvents(name, { connection });
    const admin = new Redis(redis());
    ends.push(() => admin.quit(), () => queue.close(), () => events.close());
    await Promise.all([events.waitUntilReady(), queue.waitUntilReady()]);
    const reports: AttemptReport<Result>[] = [];
    const heard = new Set<() => void>();
    const worker = (
      work: Work, attempt: SessionWorkerOptions<SessionJob, Result>['attempt'] = () => ({}), options: Partial<WorkerOptions> = {},
    ): Worker<SessionJob, Result> => {
      const made = sessionWorker<SessionJob, Result>(name, {
        work, attempt, busyDelayMs: 20, worker: { connection, ...options },
        onReport: (report) => {
          reports.push(report);
          for (const hear of heard) hear();
        },
      });
      made.on('error', () => {}); // what BullMQ cannot do with a job that is not its own any more
      ends.push(() => made.close());
      return made;
    };
    const add = (session: string, attemptsOfJob = 1): Promise<Job<SessionJob, Result>> =>
      queue.add('turn', { session }, { attempts: attemptsOfJob });
    const report = async (is: (one: AttemptReport<Result>) => boolean): Promise<AttemptReport<Result>> => {
      for (;;) {
        const found = reports.find(is);
        if (found) return found;
        await new Promise<void>((resolve) => { heard.add(resolve); });
      }
    };
    return { name, queue, events, admin, worker, add, report, reports };
  }

  /** The next attempt of the session gets its lock at once. */
  async function expectFree(session: string): Promise<void> {
    const next = await createAttempt({ session, waitMs: 0, work: () => 'next' }).start();
    expect(next, 'S6').toMatchObject({ outcome: 'completed', lease: 'released' });
  }

  /** Work that says when it has begun. */
  function begun(work: Work = untilAborted): { work: Work; started: Promise<unknown> } {
    const start = deferred();
    return {
      started: start.promise,
      work: async (context, job) => {
        await context.session.append({ job: job.id, n: job.attemptsStarted });
        start.resolve(null);
        return work(context, job);
      },
    };
  }

  test('a job that runs to its end: its value, its record, its lock', async () => {
    const { worker, add, events, report } = await scene();
    const session = files.session();
    worker(begun(async () => 'reply').work);
    const job = await add(session);
    expect(await job.waitUntilFinished(events)).toBe('reply');
    expect(await report(() => true)).toMatchObject({ outcome: 'completed', lease: 'released', labels: { job: job.id } });
    expect((await readSession(session)).records).toMatchObject([{ record: { job: job.id }, token: 1 }]);
    await expectFree(session);
  });

  test('M01: a cancelled job is a user abort: failed, not tried again, the lock given back', async () => {
    const { worker, add, events } = await scene();
    const session = files.session();
    const { work, started } = begun();
    const cancelling = worker(work);
    const job = await add(session, 3);
    const finished = job.waitUntilFinished(events).catch((error: Error) => error.message);
    await started;
    expect(cancelling.cancelJob(String(job.id), 'changed my mind')).toBe(true);
    expect(await finished).toBe('cancelled: changed my mind');
    expect(await job.getState()).toBe('failed');
    await expectFree(session);
  });

  test('M01: a job that times out is marked abandoned, and tried again as the job says', async () => {
    const { worker, add, events, reports } = await scene();
    const session = files.session();
    const told: unknown[] = [];
    const isFirst = ({ attemptsStarted }: Job): boolean => attemptsStarted === 1;
    worker(async (context, job) => {
      if (isFirst(job)) return untilAborted(context);
      await context.session.append({ n: job.attemptsStarted });
      return 'second time';
    }, (job) => (isFirst(job) ? { timeoutMs: 50, onTimeout: ({ kind }) => told.push(kind) } : {}));
    const job = await add(session, 2);
    expect(await job.waitUntilFinished(events)).toBe('second time');
    expect(reports).toMatchObject([
      { outcome: 'aborted', abortedBy: 'timeout', abandoned: true, lease: 'released', token: 1 },
      { outcome: 'completed', token: 2 },
    ]);
    expect(told).toEqual(['run']);
    expect((await readSession(session)).records).toMatchObject([{ record: { n: 2 }, token: 2 }]);
    await expectFree(session);
  });

  test('L6: a worker that closes aborts as shutdown and puts its jobs back, for another worker to run', async () => {
    const { worker, add, events, reports } = await scene();
    const session = files.session();
    const { work, started } = begun();
    const closing = worker(work);
    const job = await add(session);
    await started;
    await closing.close();
    expect(reports).toMatchObject([{ abortedBy: 'shutdown', lease: 'released', settled: true }]);
    expect(await job.getState()).toBe('waiting');
    await expectFree(session);
    worker(begun(async () => 'by another').work);
    expect(await job.waitUntilFinished(events)).toBe('by another');
  });

  test('M09 M13: BullMQ\'s own lock lost: the attempt is superseded, its late write refused, the job run by another', async () => {
    const { worker, add, admin, name, events, report } = await scene();
    const session = files.session();
    let late: unknown = null;
    const { work, started } = begun(async (context, job) => {
      if (job.attemptsStarted > 1) return 'the second time';
      await untilAborted(context).catch(() => undefined);
      late = await context.session.append({ late: true }).catch((error: unknown) => error);
      throw new Error('ended late');
    });
    // Renewed every 50 ms, so that the loss shows soon; a job without a lock is given out again by the stalled check.
    worker(work, undefined, { lockRenewTime: 100, lockDuration: 10_000, stalledInterval: 200, maxStalledCount: 5 });
    const job = await add(session);
    await started;
    expect(await admin.del(`bull:${name}:${job.id}:lock`)).toBe(1);
    expect(await report(({ abortedBy }) => abortedBy === 'superseded')).toMatchObject({ lease: 'released', settled: true });
    expect(late).toMatchObject({ code: 'WRITER_CLOSED' });
    expect(await job.waitUntilFinished(events)).toBe('the second time');
    expect((await readSession(session)).records).toMatchObject([{ record: { n: 1 }, token: 1 }, { record: { n: 2 }, token: 2 }]);
    await expectFree(session);
  });

  test('M22: a busy session puts the job back in the queue, without failing it and without using up an attempt', async () => {
    const { worker, add, events, report, queue } = await scene();
    const session = files.session();
    const held = deferred();
    const other = createAttempt({ session, work: () => held.promise });
    const run = other.start();
    while (other.snapshot().state !== 'running.working') await new Promise(setImmediate);
    worker(begun(async () => 'after all').work);
    const job = await add(session);
    expect(await report(({ outcome }) => outcome === 'notStarted')).toMatchObject({
      lease: 'neverHeld', error: { code: 'LOCK_BUSY', holder: { attemptId: other.id } },
    });
    held.resolve(null);
    await run;
    expect(await job.waitUntilFinished(events)).toBe('after all');
    const now = await queue.getJob(String(job.id));
    expect([now?.attemptsMade, now?.failedReason]).toEqual([1, undefined]);
    await expectFree(session);
  });
});
