import type { DashboardDefinition } from './dashboard.ts';
import { gauge, plain, plainRate, quantiles, rate, rise } from './promql.ts';

/** Is anything wrong, and where? The first one to open. */
export const OVERVIEW: DashboardDefinition = {
  uid: 'tapeproof-overview',
  title: 'overview',
  description: 'Whether every process can do its work, how far each reader is behind, and what was refused.',
  rows: [
    {
      title: 'Can every process do its work?',
      panels: [
        {
          title: 'Processes',
          description: 'One for each running process, with its version.',
          unit: 'short',
          kind: 'state',
          queries: [gauge('tapeproof_build_info', ['service', 'instance', 'version'])],
        },
        {
          title: 'Ready',
          description: 'Yes while every check of /ready passes; the check that fails is named.',
          unit: 'bool_yes_no',
          kind: 'state',
          queries: [gauge('tapeproof_check_ready', ['instance', 'check'], 'min')],
        },
        {
          title: 'Services',
          description: 'Yes while Kafka, the registry, Postgres and Redis answer everybody who needs them.',
          unit: 'bool_yes_no',
          kind: 'state',
          queries: [gauge('tapeproof_dependency_up', ['dependency'], 'min')],
        },
      ],
    },
    {
      title: 'How far is each reader behind?',
      panels: [
        {
          title: 'Behind, market time',
          description: 'From the oldest record that a group has not committed to the newest in the log, by event time.',
          unit: 's',
          queries: [gauge('tapeproof_consumer_lag_market_seconds', ['group', 'topic'])],
        },
        {
          title: 'Behind, by the clock',
          description: 'Now minus the event time of the oldest record not committed: large for files of the past.',
          unit: 's',
          queries: [gauge('tapeproof_consumer_lag_seconds', ['group', 'topic'])],
        },
        {
          title: 'Behind, records',
          description: 'Records in the log that a group has not committed.',
          unit: 'short',
          queries: [gauge('tapeproof_consumer_lag_records', ['group', 'topic'], 'sum')],
        },
        {
          title: 'Records read',
          description: 'Records applied downstream, per second.',
          unit: 'cps',
          queries: [rate('tapeproof_consumer_records_total', ['group', 'topic'])],
        },
        {
          title: 'Records written',
          description: 'Records that Kafka acknowledged, per second.',
          unit: 'cps',
          queries: [rate('tapeproof_producer_records_total', ['topic'])],
        },
        {
          title: 'Stalled partitions',
          description: 'Partitions with lag of which nothing was committed for 20 seconds: none, in a healthy system.',
          unit: 'short',
          queries: [gauge('tapeproof_consumer_stalled', ['group', 'topic'], 'sum')],
        },
        {
          title: 'Partitions by process',
          description: 'How the partitions of a group are spread over its processes.',
          unit: 'short',
          queries: [gauge('tapeproof_consumer_assigned_partitions', ['group', 'topic', 'instance'], 'sum')],
        },
        {
          title: 'Rebalances',
          description: 'Joins of a group after the first: few, except while processes start and stop.',
          unit: 'short',
          queries: [rise('tapeproof_consumer_rebalances_total', ['group'])],
        },
      ],
    },
    {
      title: 'What was refused?',
      panels: [
        {
          title: 'Dead letters',
          description: 'Records kept in dead.letters because they could not be used.',
          unit: 'short',
          queries: [rise('tapeproof_dead_letters_total', ['reader', 'reason'])],
        },
        {
          title: 'Share refused',
          description: 'Of the newest records of a partition: 0 in a healthy system.',
          unit: 'percentunit',
          queries: [gauge('tapeproof_consumer_refused_ratio', ['topic', 'partition'])],
        },
        {
          title: 'Records that are not events',
          description: 'Passed over in a derived topic: somebody but the engine writes there.',
          unit: 'short',
          queries: [rise('tapeproof_foreign_records_total', ['reader', 'topic'])],
        },
      ],
    },
    {
      title: 'The processes themselves',
      panels: [
        {
          title: 'Processor',
          description: 'Seconds of processor time per second: 1 is a whole core.',
          unit: 'short',
          queries: [plainRate('process_cpu_seconds_total')],
        },
        {
          title: 'Memory',
          description: 'Resident memory of each process.',
          unit: 'bytes',
          queries: [plain('process_resident_memory_bytes')],
        },
        {
          title: 'Event loop delay, p99',
          description: 'How long a process does not get to its next task; seconds are a blocked process.',
          unit: 's',
          queries: [plain('nodejs_eventloop_lag_p99_seconds')],
        },
        {
          title: 'Answers of the services',
          description: 'How long a service took for the check made every second.',
          unit: 's',
          queries: quantiles('tapeproof_dependency_check_seconds', ['dependency']),
        },
        {
          title: 'Log lines left out',
          description: 'By sampling: how often each frequent kind happened beyond the lines written.',
          unit: 'cps',
          queries: [rate('tapeproof_log_lines_suppressed_total', ['action'])],
        },
        {
          title: 'Spans of traces',
          description: 'Accepted by the OpenTelemetry collector, or lost. Nothing while no collector is configured.',
          unit: 'cps',
          queries: [rate('tapeproof_trace_spans_total', ['result'])],
        },
      ],
    },
  ],
};
