import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { traceHeaders, type TraceContext } from '../../contracts/traceparent.ts';
import { startOtlpReceiver, type OtlpReceiver } from '../../tests/support/otlp-receiver.ts';
import type { LogRecord } from '../kafka/log-record.ts';
import type { PartitionBatch } from '../kafka/partition-batch.ts';
import { createLog } from '../log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { redact } from '../security/redaction.ts';
import { isTracingConfigured, tradesTracedOneIn } from './settings.ts';
import { startTracing } from './start-tracing.ts';
import { tracedBatch } from './traced-batch.ts';
import type { FinishedSpan, Tracing } from './tracing.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const contextOf = (spanId: string): TraceContext => ({ traceId: TRACE_ID, spanId, isSampled: true });
const CAUSE = contextOf('00f067aa0ba902b7');
const SPAN: FinishedSpan = {
  name: 'process raw.trades',
  kind: 'consumer',
  startedAtMs: 1_700_000_000_000,
  endedAtMs: 1_700_000_000_250,
  attributes: { 'messaging.system': 'kafka', 'messaging.kafka.offset': 7 },
};

describe('the settings', () => {
  it.each([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/v1/traces' }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'true' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_TRACES_EXPORTER: 'none' }, false],
  ])('%j: %s', (environment, isOn) => {
    expect(isTracingConfigured(environment)).toBe(isOn);
    expect(tradesTracedOneIn(environment)).toBe(isOn ? 1_000 : undefined);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, /OTEL_EXPORTER_OTLP_ENDPOINT is not a valid address/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'user:hidden-word@' }, /^(?!.*hidden-word)/],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      /is grpc, but spans are sent as http\/json/,
    ],
  ])('%j is refused', (environment, sentence) => {
    expect(() => isTracingConfigured(environment)).toThrow(sentence);
  });

  it.each(['0', '-1', '1.5', 'all', '1e3', '99999999999999999999'])('one trade in %j is refused', (text) => {
    expect(() => tradesTracedOneIn({ TAPEPROOF_TRACE_ONE_IN: text })).toThrow(/TAPEPROOF_TRACE_ONE_IN/);
  });

  it('traces trades without a collector where that is asked for', () => {
    expect(tradesTracedOneIn({ TAPEPROOF_TRACE_ONE_IN: '20' })).toBe(20);
  });

  it('keeps the secrets of a collector out of all output, and only those', () => {
    isTracingConfigured({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://someone:opensesame@127.0.0.1:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abcdef123456,x-tenant=everyday-word',
    });
    const text = redact('opensesame, Bearer abcdef123456, everyday-word');
    expect(text).toBe('[secret], Bearer [secret], everyday-word');
  });
});

describe('a collector', () => {
  let receiver: OtlpReceiver;
  const metrics = new Metrics('engine');
  const lines: string[] = [];
  const log = createLog('engine', 'info', { write: (line) => void lines.push(line) });
  const start = (environment: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    return startTracing({ service: 'engine', version: '0.2.0', environment: process.env, log, metrics });
  };
  const counted = async (result: string): Promise<number> =>
    Number(new RegExp(`tapeproof_trace_spans_total{result="${result}"} (\\d+)`).exec(await metrics.text())?.[1] ?? 0);

  beforeEach(async () => {
    receiver = await startOtlpReceiver();
    lines.length = 0;
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await receiver.close();
  });

  it('gets spans with the ids that records name, their parents and links', async () => {
    const tracing = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_HEADERS: 'x-one=two' });
    const [own, other] = [contextOf('0000000000000001'), contextOf('0000000000000002')];
    expect(tracing?.report({ ...SPAN, context: own, parent: CAUSE, links: [other] })).toEqual(own);
    const root = tracing?.report({ ...SPAN, failure: 'Kafka does not answer.' });
    await tracing?.close();
    expect(receiver.spans).toHaveLength(2);
    expect(receiver.spans[0]).toMatchObject({
      ...{ service: 'engine', name: SPAN.name, kind: 5, attributes: SPAN.attributes },
      ...{ traceId: TRACE_ID, spanId: own.spanId, parentSpanId: CAUSE.spanId },
      links: [{ traceId: TRACE_ID, spanId: other.spanId }],
      ...{ startTimeUnixNano: '1700000000000000000', endTimeUnixNano: '1700000000250000000' },
    });
    expect(receiver.spans[1]).toMatchObject({
      spanId: root?.spanId,
      status: { code: 2, message: 'Kafka does not answer.' },
    });
    expect(receiver.spans[1]?.traceId).not.toBe(TRACE_ID);
    expect(receiver.spans[1]?.parentSpanId ?? '').toBe('');
    expect(receiver.headers).toMatchObject({ 'content-type': 'application/json', 'x-one': 'two' });
    expect(await counted('exported')).toBe(2);
  });

  it('that refuses, or is silent, costs the spans, a log line and a bounded time', async () => {
    for (const status of [500, undefined]) {
      receiver.status = status;
      const before = await counted('lost');
      const tracing = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
      tracing?.report(SPAN);
      await tracing?.close();
      await vi.waitUntil(async () => (await counted('lost')) === before + 1, { timeout: 60_000 });
      expect(lines.at(-1)).toContain('spans-lost');
    }
  });

  it('that is slower than the spans loses some, and the rest of the process nothing', async () => {
    receiver.status = undefined;
    const before = await counted('lost');
    const tracing = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    for (let count = 0; count < 2_148; count += 1) tracing?.report(SPAN);
    expect(await counted('lost')).toBe(before + 100);
    await tracing?.close();
  });
});

describe('a traced batch', () => {
  const reported: FinishedSpan[] = [];
  const tracing: Tracing = {
    report: (span) => {
      reported.push(span);
      return span.context ?? contextOf(`00000000000000f${reported.length}`);
    },
  };
  const recordAt = (offset: number, context?: TraceContext): LogRecord => ({
    ...{ topic: 'raw.trades', partition: 2, offset, key: null, value: null, timestampMs: 0 },
    headers: context === undefined ? {} : traceHeaders(context),
  });
  const batchOf = (...records: LogRecord[]): PartitionBatch => ({
    ...{ topic: 'raw.trades', partition: 2, firstOffset: records[0]?.offset ?? 0, records, highWatermark: 100 },
    ...{ heartbeat: () => Promise.resolve(), interrupted: () => false },
  });
  const settings = { tracing, groupId: 'tapeproof.engine.5' };
  const [one, other] = [contextOf('000000000000000a'), contextOf('000000000000000b')];

  beforeEach(() => {
    reported.length = 0;
  });

  it('is linked to the traces of its records, and begins one of its own', async () => {
    const batch = batchOf(recordAt(10), recordAt(11, one), recordAt(12, other));
    const spanOf = ({ traceId }: TraceContext): TraceContext => ({ ...CAUSE, traceId });
    await tracedBatch({ ...settings, spanOf }, batch, () => Promise.resolve({ nextOffset: 13 }));
    const [whole, first, second] = reported;
    expect(reported).toHaveLength(3);
    expect(whole).toMatchObject({ name: 'process batch raw.trades', links: [one, other] });
    expect(whole?.parent).toBeUndefined();
    expect(whole?.attributes).toMatchObject({ 'messaging.batch.message_count': 3, 'messaging.kafka.offset': 10 });
    expect(first).toMatchObject({ parent: one, context: CAUSE, links: [contextOf('00000000000000f1')] });
    expect(second).toMatchObject({ parent: other, attributes: { 'messaging.kafka.offset': 12 } });
  });

  it.each([
    [{ nextOffset: 10 }, 0],
    [{ nextOffset: 11 }, 2],
    [{ resumeAt: 5 }, 0],
    [{ appliedUpTo: 20 }, 3],
  ])('%j: only what was applied has spans', async (result, spans) => {
    const batch = batchOf(recordAt(10, one), recordAt(11, other));
    expect(await tracedBatch(settings, batch, () => Promise.resolve(result))).toEqual(result);
    expect(reported).toHaveLength(spans);
  });

  it('says why it failed', async () => {
    const failing = tracedBatch(settings, batchOf(recordAt(10, one)), () => Promise.reject(new Error('out of order')));
    await expect(failing).rejects.toThrow('out of order');
    expect(reported.map(({ failure }) => failure)).toEqual(['out of order', 'out of order']);
  });

  it('has spans for so many records', async () => {
    const batch = batchOf(...Array.from({ length: 300 }, (_, offset) => recordAt(offset, one)));
    await tracedBatch(settings, batch, () => Promise.resolve({ nextOffset: 300 }));
    expect(reported).toHaveLength(1 + 128);
  });

  it('reads no header where the process does not trace', async () => {
    const record = recordAt(10);
    Object.defineProperty(record, 'headers', {
      get: () => {
        throw new Error('read');
      },
    });
    const untraced = { ...settings, tracing: undefined };
    const result = await tracedBatch(untraced, batchOf(record), () => Promise.resolve({ nextOffset: 11 }));
    expect(result).toEqual({ nextOffset: 11 });
  });
});
