import { HealthBoard } from './health/board.ts';
import { Metrics } from './metrics/metrics.ts';
import type { Tracing } from './tracing/tracing.ts';

/** A process's telemetry while it runs. */
export interface Telemetry {
  readonly metrics: Metrics;
  readonly health: HealthBoard;
  /** Absent where no collector of traces is configured. */
  readonly tracing?: Tracing;
}

/** For runs that nobody observes: tests, one-off commands. */
export function noTelemetry(): Telemetry {
  return { metrics: new Metrics(), health: new HealthBoard() };
}
