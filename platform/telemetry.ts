import { HealthBoard } from './health/board.ts';
import { Metrics } from './metrics/metrics.ts';

/** What a process shows of itself while it runs. */
export interface Telemetry {
  readonly metrics: Metrics;
  readonly health: HealthBoard;
}

/** For a run that nobody looks at: tests, one-off commands. */
export function noTelemetry(): Telemetry {
  return { metrics: new Metrics(), health: new HealthBoard() };
}
