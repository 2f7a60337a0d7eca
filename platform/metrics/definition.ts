import type { Service } from '../log-events.ts';

export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence; it explains a label where the name does not. */
  readonly help: string;
  readonly labels: readonly string[];
  /** The processes that export it. */
  readonly at: readonly Service[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
  /** When an operator should look. */
  readonly alert?: AlertRule;
}

/** The parts of an alerting rule on a metric. */
export interface AlertRule {
  /** The alert's name for the operator on call: what is wrong. */
  readonly name: string;
  /** PromQL: the alert fires for each series that it returns. */
  readonly expression: string;
  /** How long the condition must hold, seconds. */
  readonly forS: number;
  /** `critical` wakes somebody; without it the alert is a warning, for working hours. */
  readonly severity?: 'critical';
  /** One sentence. */
  readonly meaning: string;
  /** One sentence: what the operator on call does. */
  readonly action: string;
}

/**
 * PromQL for "this counter went up in that time". `increase` alone misses the first one of a series that begins with
 * what it counts: before it there was no sample that it could have grown from.
 *
 * @param series a counter, with matchers or without.
 */
export function increased(series: `tapeproof_${string}`, window: `${number}${'m' | 'h'}`): string {
  return `increase(${series}[${window}]) > 0 or (${series} unless ${series} offset ${window}) > 0`;
}

export const ALL = ['engine', 'projector', 'ingest-live', 'checkpoints', 'dashboard'] as const;
export const CHECKPOINTS = ['checkpoints'] as const;
export const DASHBOARD = ['dashboard'] as const;
export const READERS = ['engine', 'projector'] as const;
export const ENGINE = ['engine'] as const;
export const PROJECTOR = ['projector'] as const;
export const LIVE = ['ingest-live'] as const;

export const MICROSECONDS = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 1e-2] as const;
export const MILLISECONDS = [1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2, 5, 10] as const;

/** Delays of a market's data, from a local exchange to a feed that is minutes behind. */
export const LAG = [5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600] as const;

export const counter = <const Labels extends readonly string[]>(
  at: readonly Service[],
  labels: Labels,
  help: string,
  alert?: AlertRule,
) => ({ type: 'counter', at, labels, help, ...(alert === undefined ? {} : { alert }) }) as const;
export const gauge = <const Labels extends readonly string[]>(
  at: readonly Service[],
  labels: Labels,
  help: string,
  alert?: AlertRule,
) => ({ type: 'gauge', at, labels, help, ...(alert === undefined ? {} : { alert }) }) as const;
export const histogram = <const Labels extends readonly string[]>(
  at: readonly Service[],
  labels: Labels,
  buckets: readonly number[],
  help: string,
  alert?: AlertRule,
) => ({ type: 'histogram', at, labels, buckets, help, ...(alert === undefined ? {} : { alert }) }) as const;
