/**
 * A BullMQ worker whose every job is one attempt on the job's session. What BullMQ knows of a job's end (a cancellation,
 * a closing worker, a lost job lock) becomes an abort, and what the attempt reports becomes what BullMQ does with the job.
 */
import { DelayedError, UnrecoverableError, WaitingError, Worker, type Job, type WorkerOptions } from 'bullmq';
import {
  createAttempt, unwrap, type Attempt, type AttemptOptions, type AttemptReport, type WorkContext,
} from '../../../src/index.js';

/** What a job has to say. */
export interface SessionJob {
  readonly session: string;
}

export interface SessionWorkerOptions<Data extends SessionJob, Result> {
  readonly work: (context: WorkContext, job: Job<Data, Result>) => Promise<Result>;
  /** Further options of the attempt, such as its time limit. */
  readonly attempt?: (job: Job<Data, Result>) =>
    Partial<Omit<AttemptOptions<Result>, 'session' | 'work' | 'signal' | 'attemptId' | 'labels'>>;
  /** For how long a job whose session is busy goes back to the queue, milliseconds. */
  readonly busyDelayMs?: number;
  /** For each attempt of a job, however it ended; before BullMQ is told what becomes of the job. */
  readonly onReport?: (report: AttemptReport<Result>, job: Job<Data, Result>) => void;
  readonly worker: WorkerOptions;
}

/** @returns a worker that is running already, as BullMQ's own are */
export function sessionWorker<Data extends SessionJob, Result>(
  queue: string, { work, attempt, busyDelayMs = 1_000, onReport, worker: options }: SessionWorkerOptions<Data, Result>,
): Worker<Data, Result> {
  /** The attempts of this worker's jobs, by the job's id. */
  const running = new Map<string, Attempt<Result>>();

  // BullMQ hands a signal only to processors that name it: three parameters, not rest or default ones.
  const processor = async (job: Job<Data, Result>, token: string | undefined, signal: AbortSignal | undefined): Promise<Result> => {
    if (worker.closing) return putBack(job, token);
    const id = String(job.id);
    const one = createAttempt<Result>({
      waitMs: 0, // a busy session must not keep a slot of this worker: the job goes back to the queue
      ...attempt?.(job), session: job.data.session, work: (context) => work(context, job), ...(signal && { signal }),
      attemptId: `${queue}:${id}:${job.attemptsStarted}`, labels: { queue, job: id },
    });
    running.get(id)?.abort('its job was started again', { by: 'superseded' }); // it had stalled, and nobody told us
    running.set(id, one);
    try {
      const report = await one.start();
      onReport?.(report, job);
      return await tellBullMq(report, job, token);
    } finally {
      if (running.get(id) === one) running.delete(id);
    }
  };

  const tellBullMq = async (report: AttemptReport<Result>, job: Job<Data, Result>, token: string | undefined): Promise<Result> => {
    if (report.outcome === 'notStarted' && report.error.code === 'LOCK_BUSY') {
      await job.moveToDelayed(Date.now() + busyDelayMs, token); // no attempt of BullMQ's is used up by this
      throw new DelayedError(report.error.message);
    }
    if (report.abortedBy === 'shutdown') return putBack(job, token);
    if (report.abortedBy === 'user') throw new UnrecoverableError(`cancelled: ${String(report.reason)}`); // not to be retried
    return unwrap(report); // a timeout or the work's own error fails the job; BullMQ retries as the job says
  };

  const putBack = async (job: Job<Data, Result>, token: string | undefined): Promise<never> => {
    await job.moveToWait(token);
    throw new WaitingError('the worker is closing');
  };

  const worker = new Worker<Data, Result>(queue, processor, options);
  worker.on('closing', () => {
    for (const one of running.values()) one.abort('the worker is closing', { by: 'shutdown' });
  });
  // Whoever lost a job's lock must expect another worker to start the job: BullMQ gives stalled jobs out again.
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) running.get(id)?.abort('BullMQ gave the lock of its job to somebody else', { by: 'superseded' });
  });
  return worker;
}
