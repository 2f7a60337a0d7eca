import { METRICS } from '../../platform/metrics/catalogue.ts';
import type { MetricDefinition } from '../../platform/metrics/definition.ts';
import { readPromQl } from './promql.ts';

/** Of Prometheus itself, and of its client in each process. */
const OTHERS: Readonly<Record<string, 'counter' | 'gauge'>> = {
  up: 'gauge',
  process_cpu_seconds_total: 'counter',
  process_resident_memory_bytes: 'gauge',
  process_start_time_seconds: 'gauge',
  nodejs_eventloop_lag_p99_seconds: 'gauge',
};
/** Labels that Prometheus adds at a scrape. */
const SCRAPED = ['instance', 'job'] as const;
const OF_COUNTERS = ['rate', 'irate', 'increase', 'resets'];
const PARTS_OF_HISTOGRAMS = /_(?:bucket|sum|count)$/;

interface Known {
  readonly type: MetricDefinition['type'];
  readonly labels: readonly string[];
}

/** What the catalogue says of the name of a series; undefined where there is no such metric. */
function known(series: string): Known | undefined {
  const metrics: Readonly<Record<string, MetricDefinition>> = METRICS;
  const plain = metrics[series];
  if (plain !== undefined && plain.type !== 'histogram')
    return { type: plain.type, labels: [...plain.labels, ...SCRAPED] };
  const histogram = PARTS_OF_HISTOGRAMS.test(series) ? metrics[series.replace(PARTS_OF_HISTOGRAMS, '')] : undefined;
  if (histogram?.type === 'histogram') return { type: 'histogram', labels: [...histogram.labels, ...SCRAPED, 'le'] };
  const other = OTHERS[series];
  return other === undefined ? undefined : { type: other, labels: SCRAPED };
}

/** The catalogue's name of a series. */
export function metricOf(series: string): string {
  return known(series)?.type === 'histogram' ? series.replace(PARTS_OF_HISTOGRAMS, '') : series;
}

/**
 * What is wrong with an expression, by the metrics that exist: unknown names and labels, a rate of what is not a
 * counter, a quantile of what are not buckets. @param isBareCounterFine alerts look whether a counter exists at all.
 */
export function faultsOf(expression: string, legend = '', isBareCounterFine = false): string[] {
  const { selectors, grouping, quantiled } = readPromQl(expression);
  const faults: string[] = [];
  const all = new Set<string>();
  for (const { metric, labels, rangeFunction } of selectors) {
    const metricKnown = known(metric);
    if (metricKnown === undefined) {
      faults.push(`${metric} is not a metric`);
      continue;
    }
    for (const label of metricKnown.labels) all.add(label);
    for (const label of labels) if (!metricKnown.labels.includes(label)) faults.push(`${metric} has no label ${label}`);
    const isCumulative = metricKnown.type !== 'gauge';
    if (rangeFunction !== undefined && OF_COUNTERS.includes(rangeFunction) !== isCumulative) {
      faults.push(`${rangeFunction} of ${metric}, a ${metricKnown.type}`);
    }
    if (rangeFunction === undefined && isCumulative && !isBareCounterFine) faults.push(`${metric} without a rate`);
  }
  for (const label of grouping) if (!all.has(label)) faults.push(`nothing has the label ${label}`);
  for (const metric of quantiled) if (!metric.endsWith('_bucket')) faults.push(`a quantile of ${metric}`);
  // Only what an aggregation keeps can name a series.
  const isAggregated = grouping.length > 0;
  for (const [, label = ''] of legend.matchAll(/\{\{(\w+)\}\}/g)) {
    if (!(isAggregated ? grouping.includes(label) : all.has(label))) faults.push(`the legend has no label ${label}`);
  }
  return faults;
}
