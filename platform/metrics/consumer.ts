import { counter, gauge, READERS } from './definition.ts';

/** The part of the catalogue that is about reading in a consumer group. */
export const CONSUMER_METRICS = {
  tapeproof_consumer_records_total: counter(READERS, ['group', 'topic', 'partition'], 'Records applied downstream.'),
  tapeproof_consumer_lag_records: gauge(
    READERS,
    ['group', 'topic', 'partition'],
    'Records in the log that the group has not yet committed, in the partitions of this process; absent while unknown.',
  ),
  tapeproof_consumer_lag_seconds: gauge(
    READERS,
    ['group', 'topic', 'partition'],
    'Now minus the event time of the oldest record that the group has not yet committed, 0 when there is none; absent while unknown.',
  ),
  tapeproof_consumer_lag_market_seconds: gauge(
    READERS,
    ['group', 'topic', 'partition'],
    'Event time of the newest record in the log minus that of the oldest record that the group has not yet committed, 0 when there is none; absent while unknown.',
    {
      name: 'TapeproofBehindTheMarket',
      expression: 'max by (group, topic, partition) (tapeproof_consumer_lag_market_seconds) > 60',
      forS: 120,
      meaning: 'A reader is more than a minute of market time behind the end of the log: what it publishes is old.',
      action:
        'Run `npx tapeproof status`. After a large file or during a rebuild it falls by itself; else start another process of that kind, or see why this one is slow.',
    },
  ),
  tapeproof_consumer_stalled: gauge(
    READERS,
    ['group', 'topic', 'partition'],
    '1 while a partition of this process has lag and nothing of it was committed for 20 seconds, or for 300 in which other partitions were worked on, else 0; /ready says why.',
    {
      name: 'TapeproofStalled',
      expression: 'max by (group, topic, partition) (tapeproof_consumer_stalled) == 1',
      forS: 60,
      severity: 'critical',
      meaning: 'Nothing of a partition is committed although records wait: derived events or read models fall behind.',
      action: 'Request /ready of the process: its checks name what it waits for, with the remedy.',
    },
  ),
  tapeproof_consumer_refused_ratio: gauge(
    READERS,
    ['topic', 'partition'],
    'Share of the newest records of a partition, up to about 1,000, that became dead letters; absent before the first.',
    {
      name: 'TapeproofMostlyRefused',
      expression: 'max by (topic, partition) (tapeproof_consumer_refused_ratio) > 0.5',
      forS: 60,
      meaning: 'Most of what is read becomes dead letters: it is committed, and has no effect.',
      action:
        'Run `npx tapeproof dead-letters` for each reason, and `npx tapeproof contracts check` if a schema is the reason.',
    },
  ),
  tapeproof_consumer_assigned_partitions: gauge(READERS, ['group', 'topic'], 'Partitions that this process has.'),
  tapeproof_consumer_rebalances_total: counter(READERS, ['group'], 'Joins of the group after the first.'),
} as const;
