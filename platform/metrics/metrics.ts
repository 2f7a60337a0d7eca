import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Service } from '../log-events.ts';
import {
  METRICS,
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  type MetricName,
} from './catalogue.ts';
import type { MetricDefinition } from './definition.ts';

/** How often the event loop's delay is sampled. */
const EVENT_LOOP_PRECISION_MS = 20;

/** The metrics of one process, all from the catalogue. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #collectors = new Set<() => void>();
  readonly #published = new Map<string, number>();

  /** @param service gets the metrics of that process only; without it, all. */
  constructor(service?: Service) {
    for (const [name, definition] of Object.entries<MetricDefinition>(METRICS)) {
      if (service === undefined || definition.at.includes(service)) this.#create(name, definition);
    }
  }

  #create(name: string, { type, help, labels, buckets = [] }: MetricDefinition): void {
    const settings = { name, help, labelNames: [...labels], registers: [this.#registry] };
    if (type === 'counter') this.#counters.set(name, new Counter(settings));
    else if (type === 'gauge') this.#gauges.set(name, new Gauge(settings));
    else this.#histograms.set(name, new Histogram({ ...settings, buckets: [...buckets] }));
  }

  /** Adds to a counter. */
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    this.#counters.get(name)?.inc(labels, by);
  }

  /** Brings a counter to a total kept elsewhere, where counting costs no more than an addition. */
  countUpTo<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, total: number): void {
    const key = `${name} ${JSON.stringify(labels)}`;
    const published = this.#published.get(key) ?? 0;
    if (total <= published && this.#published.has(key)) return;
    this.#published.set(key, total);
    this.#counters.get(name)?.inc(labels, total - published);
  }

  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  /** Removes a gauge's series: better unknown than wrong. */
  remove<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>): void {
    this.#gauges.get(name)?.remove(labels);
  }

  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#histograms.get(name)?.observe(labels, value);
  }

  /** Runs `collect` before each scrape; it must not wait. @returns the function that ends that. */
  beforeScrape(collect: () => void): () => void {
    this.#collectors.add(collect);
    return () => {
      this.#collectors.delete(collect);
    };
  }

  /** Adds the Prometheus client's metrics of every Node process: process_*, nodejs_*. */
  includeProcess(): void {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Prometheus' text format. */
  text(): Promise<string> {
    for (const collect of this.#collectors) collect();
    return this.#registry.metrics();
  }
}

/** The metrics of a process. */
export function metricsOf(service: Service): MetricName[] {
  return (Object.keys(METRICS) as MetricName[]).filter((name) => METRICS[name].at.some((at) => at === service));
}
