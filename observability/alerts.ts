import { METRICS } from '../platform/metrics/catalogue.ts';
import type { AlertRule, MetricDefinition } from '../platform/metrics/definition.ts';

/** The job of prometheus.yml: all processes of Tapeproof. */
export const JOB = 'tapeproof';

/** On what Prometheus itself knows of a process. Alerts on a metric stand beside it, in platform/metrics. */
const PROCESS_ALERTS: readonly AlertRule[] = [
  {
    name: 'TapeproofProcessGone',
    expression: `up{job="${JOB}"} == 0`,
    forS: 60,
    severity: 'critical',
    meaning: 'A process that should run does not answer at /metrics: it ended, hangs, or its port changed.',
    action: 'Read its last log lines: `consumer-stopped` and `conflict` state why it ended. Then start it again.',
  },
  {
    name: 'TapeproofRestarting',
    expression: `changes(process_start_time_seconds{job="${JOB}"}[15m]) > 3`,
    forS: 0,
    severity: 'critical',
    meaning: 'A process was started more than three times in a quarter of an hour: it ends soon after each start.',
    action:
      'Read its log: the last line before each end states the reason. An engine that reports `conflict` must not be restarted until `npx tapeproof certify` has named the event that differs.',
  },
  {
    name: 'TapeproofEventLoopBlocked',
    expression: `nodejs_eventloop_lag_p99_seconds{job="${JOB}"} > 1`,
    forS: 300,
    meaning: 'A process is too busy to answer in time: lag, missed heartbeats and false alarms follow.',
    action: 'Give it a processor of its own, or start another process of that kind to share the partitions.',
  },
];

/** All alerts: of each metric, in the order of docs/metrics.md, then those on processes. */
export const ALERTS: readonly AlertRule[] = [
  ...Object.values<MetricDefinition>(METRICS).flatMap(({ alert }) => (alert === undefined ? [] : [alert])),
  ...PROCESS_ALERTS,
];

/** Where docs/alerts.md explains an alert; relative to the repository, which has no fixed address. */
export function runbookOf({ name }: AlertRule): string {
  return `docs/alerts.md#${name.toLowerCase()}`;
}
