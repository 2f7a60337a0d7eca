import { HealthBoard } from './health/board.ts';
import { Metrics } from './metrics/metrics.ts';

/** What a process shows of itself while it runs. */
export interface Observation {
  readonly metrics: Metrics;
  readonly health: HealthBoard;
}

/** For a run that nobody looks at: tests, one-off commands. */
export function unobserved(): Observation {
  return { metrics: new Metrics(), health: new HealthBoard() };
}
