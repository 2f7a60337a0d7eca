import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type SpanContext } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  RandomIdGenerator,
  TracerProvider,
  type IdGenerator,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import type { TraceContext } from '../../contracts/traceparent.ts';
import { withDeadline } from '../deadline.ts';
import { Metrics } from '../metrics/metrics.ts';
import type { FinishedSpan, RunningTracing, TracingOptions } from './tracing.ts';

/** Spans that wait for the collector; further ones are lost. */
const WAITING_MAX = 2_048;
const EXPORT_SPANS_MAX = 512;
const EXPORT_INTERVAL_MS = 1_000;
/** Also bounds the end of the process. */
const EXPORT_DEADLINE_MS = 2_000;
const KINDS = { producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER } as const;

/** Loaded only where a collector is configured: see start-tracing.ts. */
export function exportSpans({ service, version, log, metrics = new Metrics() }: TracingOptions): RunningTracing {
  let waiting = 0;
  const lose = (count: number, why: string): void => {
    metrics.count('tapeproof_trace_spans_total', { result: 'lost' }, count);
    log.sampled('spans-lost')?.(`${count} spans are lost: ${why}`, { 'tapeproof.spans': count });
  };
  const exporter = new OTLPTraceExporter({ timeoutMillis: EXPORT_DEADLINE_MS });
  const counted: SpanExporter = {
    export(spans, done) {
      exporter.export(spans, (result) => {
        waiting -= spans.length;
        if (result.code === ExportResultCode.SUCCESS)
          metrics.count('tapeproof_trace_spans_total', { result: 'exported' }, spans.length);
        else lose(spans.length, `the OpenTelemetry collector did not accept them (${messageOf(result.error)})`);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
  const ids = new NamedIds();
  const provider = new TracerProvider({
    sampler: new AlwaysOnSampler(),
    idGenerator: ids,
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': service, 'service.version': version }))
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] })),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: counted,
        maxQueueSize: WAITING_MAX,
        maxExportBatchSize: EXPORT_SPANS_MAX,
        scheduledDelayMillis: EXPORT_INTERVAL_MS,
        exportTimeoutMillis: EXPORT_DEADLINE_MS,
      }),
    ],
  });
  const tracer = provider.getTracer('tapeproof', version);
  return {
    report(span) {
      ids.next = span.context;
      const started = tracer.startSpan(
        span.name,
        {
          kind: KINDS[span.kind],
          startTime: span.startedAtMs,
          attributes: span.attributes,
          links: (span.links ?? []).map((link) => ({ context: spanContextOf(link) })),
        },
        span.parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(span.parent)),
      );
      ids.next = undefined;
      if (span.failure !== undefined) started.setStatus({ code: SpanStatusCode.ERROR, message: span.failure });
      if (waiting < WAITING_MAX) {
        waiting += 1;
        started.end(span.endedAtMs);
      } else lose(1, `${WAITING_MAX} others wait for the OpenTelemetry collector`);
      const { traceId, spanId } = started.spanContext();
      return { traceId, spanId, isSampled: true };
    },
    async close() {
      const timeout = (): Error => new Error('the OpenTelemetry collector does not answer');
      await withDeadline(provider.shutdown(), EXPORT_DEADLINE_MS, timeout).catch(() => undefined);
    },
  };
}

/** Random ids, except where records on the tape already name a span. */
class NamedIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  next: FinishedSpan['context'];

  generateTraceId(): string {
    return this.next?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.next?.spanId ?? this.#random.generateSpanId();
  }
}

function spanContextOf({ traceId, spanId, isSampled }: TraceContext): SpanContext {
  return { traceId, spanId, isRemote: true, traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

function messageOf(error: Error | undefined): string {
  return error === undefined || error.message === '' ? 'without a reason' : error.message;
}
