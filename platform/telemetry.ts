import { HealthBoard } from './health/board.ts';
import { Metrics } from './metrics/metrics.ts';

/** A process's telemetry while it runs. */
export interface Telemetry {
  readonly metrics: Metrics;
  readonly health: HealthBoard;
}

/** For runs that nobody observes: tests, one-off commands. */
export function noTelemetry(): Telemetry {
  return { metrics: new Metrics(), health: new HealthBoard() };
}
