/** Where our metrics are in CloudWatch. */
export const CLOUDWATCH_NAMESPACE = 'Tapeproof';
/** The dimension that names the service. */
export const SERVICE_DIMENSION = 'Service';

/**
 * A line of log from which CloudWatch makes a metric (its embedded metric format): the longest lag of a process's
 * partitions, in seconds.
 *
 * @param exposition - what the process answers at /metrics.
 * @returns undefined where it has no partition, or does not know its lag.
 */
export function lagLine(exposition: string, metric: string, service: string, nowMs: number): string | undefined {
  const lags = exposition
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`))
    .map((line) => Number(line.slice(line.lastIndexOf('}') + 1)))
    .filter(Number.isFinite);
  if (lags.length === 0) return undefined;
  const described = {
    Namespace: CLOUDWATCH_NAMESPACE,
    Dimensions: [[SERVICE_DIMENSION]],
    Metrics: [{ Name: metric, Unit: 'Seconds' }],
  };
  return JSON.stringify({
    _aws: { Timestamp: nowMs, CloudWatchMetrics: [described] },
    [SERVICE_DIMENSION]: service,
    [metric]: Math.max(...lags),
  });
}
