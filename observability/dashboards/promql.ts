import type { CounterName, GaugeName, HistogramName, LabelsOf } from '../../platform/metrics/catalogue.ts';

/** A query of a panel: PromQL, and the name of each series that it returns. */
export interface Query {
  readonly expression: string;
  readonly legend: string;
}

type MetricOf = CounterName | GaugeName | HistogramName;
/** Labels to keep: those of the metric, and the process, which Prometheus adds. */
type Kept<Name extends MetricOf> = readonly (keyof LabelsOf<Name> | 'instance')[];
type Matchers = `${string}${'=' | '!~' | '=~'}"${string}"`;

/** The processes chosen at the top of the dashboard. */
const CHOSEN = 'instance=~"$instance"';
/** At least four scrapes, whatever the width of the panel: Grafana's own variable. */
const WINDOW = '[$__rate_interval]';
const QUANTILES = [0.5, 0.99] as const;

/** How often a counter goes up, per second. */
export function rate<Name extends CounterName>(name: Name, by: Kept<Name>, matchers?: Matchers): Query {
  return summed(`rate(${selector(name, matchers)}${WINDOW})`, by);
}

/** How much a counter went up since the interval of the panel before: for what is rare. */
export function rise<Name extends CounterName>(name: Name, by: Kept<Name>, matchers?: Matchers): Query {
  return summed(`increase(${selector(name, matchers)}${WINDOW})`, by);
}

/** The greatest value of a gauge, or the least, among the series that are alike in the labels kept. */
export function gauge<Name extends GaugeName>(name: Name, by: Kept<Name>, of: 'max' | 'min' | 'sum' = 'max'): Query {
  return { expression: `${of} by (${by.join(', ')}) (${selector(name)})`, legend: legendOf(by) };
}

/** The median and the 99th percentile of a histogram, by its buckets. */
export function quantiles<Name extends HistogramName>(name: Name, by: Kept<Name>): Query[] {
  return QUANTILES.map((quantile) => ({
    expression: `histogram_quantile(${quantile}, sum by (${['le', ...by].join(', ')}) (rate(${selector(`${name}_bucket`)}${WINDOW})))`,
    legend: `p${quantile * 100} ${legendOf(by)}`,
  }));
}

/** A metric of the Prometheus client, as it is. */
export function plain(name: `process_${string}` | `nodejs_${string}`): Query {
  return { expression: selector(name), legend: '{{instance}}' };
}

/** A counter of the Prometheus client, per second. */
export function plainRate(name: `process_${string}_total`): Query {
  return { expression: `rate(${selector(name)}${WINDOW})`, legend: '{{instance}}' };
}

function summed(expression: string, by: readonly string[]): Query {
  return { expression: `sum by (${by.join(', ')}) (${expression})`, legend: legendOf(by) };
}

function selector(name: string, matchers?: Matchers): string {
  return `${name}{${matchers === undefined ? CHOSEN : `${CHOSEN}, ${matchers}`}}`;
}

function legendOf(by: readonly string[]): string {
  return by.map((label) => `{{${label}}}`).join(' ');
}
