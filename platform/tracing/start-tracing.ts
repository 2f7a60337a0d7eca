import { isTracingConfigured } from './settings.ts';
import type { RunningTracing, TracingOptions } from './tracing.ts';

/**
 * Reports spans to the OpenTelemetry collector that the environment names; undefined where it names none. The libraries
 * are loaded only then.
 *
 * @throws TapeproofError CONFIGURATION
 */
export async function startTracing(options: TracingOptions): Promise<RunningTracing | undefined> {
  if (!isTracingConfigured(options.environment)) return undefined;
  const { exportSpans } = await import('./open-telemetry.ts');
  return exportSpans(options);
}
