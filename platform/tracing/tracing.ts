import type { TraceContext } from '../../contracts/traceparent.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Environment } from '../security/settings.ts';

/** Work that is done, as OpenTelemetry describes it. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: 'producer' | 'consumer';
  /** Wall clock, milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** The ids of the span, where records name them; otherwise random ones. */
  readonly context?: TraceContext;
  /** The span that caused it; without one the span begins a trace. */
  readonly parent?: TraceContext;
  readonly links?: readonly TraceContext[];
  /** Why it failed, in a sentence. */
  readonly failure?: string;
}

/** Where spans are reported. Absent where a process does not trace: nothing is then made for it. */
export interface Tracing {
  /** Never fails, and never waits: what the collector does not accept in time is lost. @returns the ids of the span */
  report(span: FinishedSpan): TraceContext;
}

export interface TracingOptions {
  /** The process's name as its log has it, for example `engine`; OTEL_SERVICE_NAME replaces it. */
  readonly service: string;
  readonly version: string;
  readonly environment: Environment;
  readonly log: Log;
  readonly metrics?: Metrics;
}

export interface RunningTracing extends Tracing {
  /** Sends what is left, for two seconds at most. */
  close(): Promise<void>;
}
