/**
 * What OpenTelemetry is told, read back from the SDK's own in-memory exporters.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAttempt, memoryLocks, readSession, runAttempt, type LockStore } from '../../src/index.js';
import { instrumentAttempts } from '../../src/otel.js';
import { temporaryDirectory } from '../support/temporary.js';

const spans = new InMemorySpanExporter();
const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
let exported: InMemoryMetricExporter;
let meters: MeterProvider;
let stop: () => void;

beforeEach(() => {
  spans.reset();
  exported = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: exported, exportIntervalMillis: 2 ** 30 })] });
  stop = instrumentAttempts({ tracer: tracers.getTracer('test'), meter: meters.getMeter('test') });
});
afterEach(async () => {
  stop();
  await meters.shutdown();
});

const root = (): ReadableSpan => spans.getFinishedSpans().find(({ name }) => name === 'attempt')!;
const children = (): string[] => spans.getFinishedSpans().filter(({ parentSpanContext }) =>
  parentSpanContext?.spanId === root().spanContext().spanId).map(({ name }) => name);

interface Point {
  readonly value: number | { readonly count: number; readonly sum: number };
  readonly attributes: object;
}
async function pointsOf(name: string): Promise<{ unit: string; points: Point[] } | undefined> {
  await meters.forceFlush();
  const found = exported.getMetrics().at(-1)?.scopeMetrics.flatMap((scope) => scope.metrics).find((one) => one.descriptor.name === name);
  return found && { unit: found.descriptor.unit, points: found.dataPoints as unknown as Point[] };
}
const countOf = async (name: string): Promise<number> =>
  (await pointsOf(name))?.points.reduce((sum, { value }) => sum + (typeof value === 'number' ? value : value.count), 0) ?? 0;

const base = (locks: LockStore = memoryLocks()) => ({ session: 'secret-session', locks, records: 'none' as const });

describe('spans', () => {
  test('one an attempt, a child for each phase, under the span active at the start', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const outer = tracers.getTracer('test').startSpan('outer');
    await context.with(trace.setSpan(context.active(), outer), () =>
      runAttempt({ ...base(), labels: { job: 'nightly' }, work: () => 1, cleanup: () => {} }));
    outer.end();
    context.disable();
    expect(children()).toEqual(['attempt.waiting', 'attempt.running', 'attempt.cleaning', 'attempt.releasing']);
    expect(root().parentSpanContext?.spanId).toBe(outer.spanContext().spanId);
    expect(root().attributes).toMatchObject({
      'attempt.session': 'secret-session', 'attempt.label.job': 'nightly', 'attempt.outcome': 'completed',
      'attempt.lease': 'released', 'attempt.settled': true,
    });
    expect(root().status.code).toBe(SpanStatusCode.UNSET);
    expect(root().attributes).not.toHaveProperty('error.type');
  });

  test('a user abort leaves the status unset, a timeout is an error; both have a span for settling', async () => {
    const work = ({ signal }: { signal: AbortSignal }): Promise<never> =>
      new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason as Error)); });
    const attempt = createAttempt({ ...base(), work });
    attempt.subscribe(({ state }) => { if (state === 'running.working') attempt.abort(); });
    await attempt.start();
    expect(children()).toContain('attempt.settling');
    expect(root().status.code).toBe(SpanStatusCode.UNSET);
    expect(root().attributes).toMatchObject({ 'attempt.aborted_by': 'user' });
    spans.reset();
    await runAttempt({ ...base(), work, timeoutMs: 1 });
    expect(root().status.code).toBe(SpanStatusCode.ERROR);
    expect(root().attributes).toMatchObject({
      'attempt.aborted_by': 'timeout', 'attempt.timeout_kind': 'run', 'attempt.abandoned': true, 'error.type': 'ABORT_ERR',
    });
  });

  test('error.type is our code, or the work\'s own', async () => {
    const locks = memoryLocks();
    let letGo = (): void => {};
    const holder = createAttempt({ ...base(locks), work: () => new Promise<void>((resolve) => { letGo = resolve; }) });
    const held = new Promise<void>((resolve) => {
      holder.subscribe(({ state }) => { if (state === 'running.working') resolve(); });
    });
    const ended = holder.start();
    await held;
    await runAttempt({ ...base(locks), waitMs: 0, work: () => 1 });
    expect(root().attributes).toMatchObject({ 'error.type': 'LOCK_BUSY', 'attempt.outcome': 'notStarted' });
    letGo();
    await ended;
    for (const [error, type] of [[Object.assign(new Error('x'), { code: 'ENOSPC' }), 'ENOSPC'], [new Error('x'), '_OTHER']] as const) {
      spans.reset();
      await runAttempt({ ...base(locks), work: () => { throw error; } });
      expect(root().attributes['error.type']).toBe(type);
    }
  });

  test('names: false keeps session and labels out of spans; after the end of listening nothing is told', async () => {
    stop();
    stop = instrumentAttempts({ tracer: tracers.getTracer('test'), names: false });
    await runAttempt({ ...base(), labels: { job: 'nightly' }, work: () => 1 });
    expect(JSON.stringify(root().attributes)).not.toMatch(/secret-session|nightly/);
    stop();
    spans.reset();
    await runAttempt({ ...base(), work: () => 1 });
    expect(spans.getFinishedSpans()).toEqual([]);
  });
});

describe('metrics', () => {
  test('waits and holds in seconds, a window in between makes two of each; no session names', async () => {
    await runAttempt({ ...base(), labels: { job: 'nightly' }, work: ({ yieldLock }) => yieldLock(() => 1) });
    expect(await pointsOf('attempt.lock.wait.duration')).toMatchObject({
      unit: 's', points: [{ value: { count: 2 }, attributes: { 'attempt.lock.granted': true } }],
    });
    expect(await pointsOf('attempt.lock.hold.duration')).toMatchObject({ unit: 's', points: [{ value: { count: 2 } }] });
    expect(await countOf('attempt.abort.duration')).toBe(0);
    expect(JSON.stringify(exported.getMetrics())).not.toMatch(/secret-session|nightly/);
  });

  test('aborts, unsettled work', async () => {
    await runAttempt({ ...base(), work: () => new Promise(() => {}), timeoutMs: 1, settleMs: 1 });
    expect(await pointsOf('attempt.abort.duration')).toMatchObject({
      unit: 's', points: [{ attributes: { 'attempt.aborted_by': 'timeout' }, value: { count: 1 } }],
    });
    expect(await countOf('attempt.work.unsettled')).toBe(1);
  });

  test('discarded records, counted where they are read', async () => {
    const file = join(temporaryDirectory(), 's.jsonl');
    await writeFile(file, '{"a":1,"$attempt":9}\n{"a":2,"$attempt":3}\n');
    expect((await readSession(file)).discarded).toBe(1);
    expect(await countOf('attempt.records.discarded')).toBe(1);
  });
});
