/**
 * Telemetry of the attempts of a process, for OpenTelemetry: a span an attempt with a child for each phase, times and
 * counts. Optional peer: `@opentelemetry/api`.
 * Owns: what spans and metrics are called. Must not know: how an attempt is run; it only hears the records.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  context, metrics, SpanStatusCode, trace, type Attributes, type Context, type Meter, type Span, type Tracer,
} from '@opentelemetry/api';
import { expect } from './config-checks.js';
import { DISCARDED_CHANNEL, LATE_GRANT_CHANNEL, RECORDS_CHANNEL } from './trace/channels.js';
import type { AttemptRecord, EndRecord, TraceRecord, TransitionRecord } from './trace/record.js';
import { callSafely } from './warnings.js';

export interface InstrumentOptions {
  /** Default: `trace.getTracer('attempt-lifecycle')`. */
  readonly tracer?: Tracer;
  /** Default: `metrics.getMeter('attempt-lifecycle')`. */
  readonly meter?: Meter;
  /** Whether spans carry the session's name, `attempt.session`, and the attempt's labels. Metrics never do. Default: true. */
  readonly names?: boolean;
}

/** The phases that get a child span, by the first part of a state's path. Opening the session counts as none. */
const PHASES: Readonly<Record<string, string>> = {
  acquiring: 'attempt.waiting', running: 'attempt.running', aborting: 'attempt.settling', cleaning: 'attempt.cleaning',
  releasing: 'attempt.releasing',
};

/** Seconds. A lock that is free takes a millisecond, a hold of minutes is common. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800];

/** An attempt under way. Times are those of its records, milliseconds. */
interface Live {
  readonly span: Span;
  readonly within: Context;
  phase: { readonly name: string; readonly span: Span } | null;
  grantedAt: number | null;
  askedAt: number | null;
  abortedAt: number | null;
}

class Telemetry {
  readonly #tracer: Tracer;
  readonly #names: boolean;
  readonly #live = new Map<string, Live>();
  readonly #meters;

  constructor(tracer: Tracer, meter: Meter, names: boolean) {
    this.#tracer = tracer;
    this.#names = names;
    const seconds = (name: string, description: string) =>
      meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: BUCKETS } });
    const count = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
    this.#meters = {
      wait: seconds('attempt.lock.wait.duration', 'From asking for the lock to having it, or to knowing that we do not'),
      hold: seconds('attempt.lock.hold.duration', 'From a grant to its end'),
      abort: seconds('attempt.abort.duration', 'From the first abort to the end of the attempt'),
      lost: count('attempt.lease.lost', '{lease}', 'Leases that were lost'),
      late: count('attempt.lock.late_grants', '{grant}', 'Locks that arrived for nobody, and were given back'),
      unsettled: count('attempt.work.unsettled', '{attempt}', 'Attempts whose work did not settle in time'),
      discarded: count('attempt.records.discarded', '{record}', 'Records of fenced attempts that readers left out'),
    };
  }

  readonly record = (record: unknown): void => callSafely('telemetry', () => this.#take(record as TraceRecord));
  readonly lateGrant = (): void => callSafely('telemetry', () => this.#meters.late.add(1));
  readonly discarded = (message: unknown): void =>
    callSafely('telemetry', () => this.#meters.discarded.add((message as { count: number }).count));

  /** Spans under way are ended as they are: whoever stops listening does not hear their end. */
  close(): void {
    for (const { span, phase } of this.#live.values()) {
      phase?.span.end();
      span.end();
    }
    this.#live.clear();
  }

  #take(record: TraceRecord): void {
    if (record.kind === 'attempt') this.#begin(record);
    else if (record.kind === 'transition') this.#step(this.#live.get(record.attemptId) ?? this.#begin(record), record);
    else this.#end(record);
  }

  /** An attempt whose beginning was not heard gets its span from here on. */
  #begin(record: AttemptRecord | TransitionRecord): Live {
    const labels = record.kind === 'attempt' && this.#names ? record.labels : {};
    const attributes: Attributes = {
      'attempt.id': record.attemptId, ...(this.#names && { 'attempt.session': record.session }),
      ...Object.fromEntries(Object.entries(labels).map(([key, value]) => [`attempt.label.${key}`, value])),
    };
    const span = this.#tracer.startSpan('attempt', { attributes });
    const live: Live = {
      span, within: trace.setSpan(context.active(), span), phase: null, grantedAt: null, askedAt: null, abortedAt: null,
    };
    this.#live.set(record.attemptId, live);
    return live;
  }

  #step(live: Live, record: TransitionRecord): void {
    const { at, event, to, after } = record;
    this.#enter(live, PHASES[to.split('.')[0] ?? ''] ?? null, to);
    this.#timeLock(live, record);
    if (after.abort && live.abortedAt === null) {
      live.abortedAt = at;
      live.span.addEvent('attempt.abort', { 'attempt.aborted_by': after.abort.by });
    }
    if (event.type === 'lock.granted' && !to.startsWith('locked') && to !== 'running.reacquiring.opening') {
      this.#meters.late.add(1);
    }
    if (event.type === 'after.settleMs') this.#meters.unsettled.add(1);
  }

  #timeLock(live: Live, { at, commands, after, event }: TransitionRecord): void {
    const isOurs = after.lock === 'held' || after.lock === 'known';
    if (commands.includes('requestLock')) live.askedAt = at;
    if (live.askedAt !== null && after.lock !== 'asked') this.#wait(live, at, isOurs);
    if (isOurs && event.type === 'lock.granted') live.grantedAt = at;
    if (!isOurs && live.grantedAt !== null) {
      this.#meters.hold.record((at - live.grantedAt) / 1_000);
      live.grantedAt = null;
    }
    if (event.type === 'lease.lost' && after.lease === 'lost') this.#meters.lost.add(1);
  }

  #wait(live: Live, at: number, granted: boolean): void {
    this.#meters.wait.record((at - (live.askedAt ?? at)) / 1_000, { 'attempt.lock.granted': granted });
    live.askedAt = null;
  }

  #enter(live: Live, name: string | null, state: string): void {
    if (live.phase?.name === name) {
      live.phase?.span.addEvent(state);
      return;
    }
    live.phase?.span.end();
    live.phase = name === null ? null
      : { name, span: this.#tracer.startSpan(name, { attributes: { 'attempt.state': state } }, live.within) };
  }

  #end(record: EndRecord): void {
    const live = this.#live.get(record.attemptId);
    if (!live) return;
    this.#live.delete(record.attemptId);
    live.phase?.span.end();
    if (live.askedAt !== null) this.#wait(live, record.at, false);
    if (live.abortedAt !== null) {
      this.#meters.abort.record((record.at - live.abortedAt) / 1_000, { 'attempt.aborted_by': record.abortedBy ?? 'none' });
    }
    live.span.setAttributes(attributesOf(record));
    if (isError(record)) live.span.setStatus({ code: SpanStatusCode.ERROR });
    live.span.end();
  }
}

/** Somebody wanted these ends: a user, a shutdown, a successor. Nothing went wrong. */
const isError = ({ outcome, abortedBy }: EndRecord): boolean =>
  outcome === 'failed' || outcome === 'notStarted' || abortedBy === 'timeout' || abortedBy === 'leaseLost';

/** `_OTHER` is what the semantic conventions say where there is no code. */
const attributesOf = (record: EndRecord): Attributes => ({
  'attempt.outcome': record.outcome, 'attempt.lease': record.lease, 'attempt.abandoned': record.abandoned,
  ...(record.abortedBy !== null && { 'attempt.aborted_by': record.abortedBy }),
  ...(record.timeoutKind !== null && { 'attempt.timeout_kind': record.timeoutKind }),
  ...(record.settled !== null && { 'attempt.settled': record.settled }),
  ...(record.token !== null && { 'attempt.token': record.token }),
  ...(isError(record) && { 'error.type': record.code ?? '_OTHER' }),
});

/**
 * Tells OpenTelemetry of every attempt of this process from now on. A span's parent is whatever span is active where the
 * attempt is started.
 *
 * Spans: `attempt` (`attempt.id`, `attempt.session`, `attempt.label.*`, `attempt.outcome`, `attempt.aborted_by`,
 * `attempt.lease` ...; `error.type` is our code; the status is an error for failed work, a lock that was not had, a timeout
 * and a lost lease, and unset for an abort somebody asked for), with children `attempt.waiting`, `.running`, `.settling`,
 * `.cleaning`, `.releasing`. Metrics, without session or labels: `attempt.lock.wait.duration`,
 * `attempt.lock.hold.duration`, `attempt.abort.duration` (seconds), `attempt.lease.lost`, `attempt.lock.late_grants`,
 * `attempt.work.unsettled`, `attempt.records.discarded`.
 *
 * @returns what ends that
 * @throws AttemptError `CONFIG_INVALID`
 */
export function instrumentAttempts(options: InstrumentOptions = {}): () => void {
  const { tracer, meter, names = true } = options;
  expect(typeof names === 'boolean', 'names', 'true or false', names);
  expect(tracer === undefined || typeof tracer.startSpan === 'function', 'tracer', 'a Tracer', tracer);
  expect(meter === undefined || typeof meter.createHistogram === 'function', 'meter', 'a Meter', meter);
  const telemetry = new Telemetry(
    tracer ?? trace.getTracer('attempt-lifecycle'), meter ?? metrics.getMeter('attempt-lifecycle'), names,
  );
  subscribe(RECORDS_CHANNEL, telemetry.record);
  subscribe(LATE_GRANT_CHANNEL, telemetry.lateGrant);
  subscribe(DISCARDED_CHANNEL, telemetry.discarded);
  return () => {
    unsubscribe(RECORDS_CHANNEL, telemetry.record);
    unsubscribe(LATE_GRANT_CHANNEL, telemetry.lateGrant);
    unsubscribe(DISCARDED_CHANNEL, telemetry.discarded);
    telemetry.close();
  };
}
