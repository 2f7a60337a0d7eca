/**
 * The closed list of metrics, by Prometheus' naming conventions: base units (seconds, records), counters end in `_total`.
 * The metrics are created from it, and docs/metrics.md is generated from it. Labels are bounded: no identities, and
 * instruments only where the operator names them (live ingestion) or where one of their trades was set aside (engine).
 */
import { DASHBOARD_METRICS } from './dashboard.ts';
import {
  ALL,
  CHECKPOINTS,
  counter,
  ENGINE,
  gauge,
  histogram,
  LIVE,
  MICROSECONDS,
  MILLISECONDS,
  PROJECTOR,
  READERS,
  type MetricDefinition,
} from './definition.ts';

export const METRICS = {
  tapeproof_build_info: gauge(
    ALL,
    ['service', 'version', 'commit', 'node'],
    'Always 1; the labels name the running build.',
  ),
  tapeproof_dependency_up: gauge(
    ALL,
    ['dependency'],
    '1 while kafka, registry, postgres or redis answers this process, else 0.',
    {
      name: 'TapeproofDependencyDown',
      expression: 'min by (instance, dependency) (tapeproof_dependency_up) == 0',
      forS: 60,
      meaning: 'A service that a process needs refuses connections, or takes them and does not answer.',
      action: 'Run `npx tapeproof stack status`, or look at the service itself; /ready states the failure.',
    },
  ),
  tapeproof_check_ready: gauge(
    ALL,
    ['check'],
    '1 while a check of /ready passes, else 0: dependencies, consumer, and the checks of that kind of process.',
    {
      name: 'TapeproofNotReady',
      expression: 'min by (instance, check) (tapeproof_check_ready) == 0',
      forS: 120,
      meaning: 'A process cannot do its work, and /ready answers 503.',
      action: 'Request /ready of that instance: the check of that name states the reason.',
    },
  ),
  tapeproof_dependency_check_seconds: histogram(
    ALL,
    ['dependency'],
    MILLISECONDS,
    'How long a dependency took to pass or fail the check made every second.',
  ),
  tapeproof_log_lines_suppressed_total: counter(ALL, ['action'], 'Log lines left out by sampling, by event.action.'),
  tapeproof_dead_letters_total: counter(
    ALL,
    ['reader', 'reason'],
    'Records kept in dead.letters because they could not be used.',
    {
      name: 'TapeproofDeadLetters',
      expression: 'increase(tapeproof_dead_letters_total[15m]) > 0',
      forS: 0,
      meaning: 'Records could not be used.',
      action: 'Run `npx tapeproof dead-letters`: it lists where each came from, and why.',
    },
  ),

  tapeproof_foreign_records_total: counter(
    READERS,
    ['reader', 'topic'],
    'Records passed over in a derived topic because they are not its events (tombstones, other schemas).',
    {
      name: 'TapeproofForeignRecords',
      expression: 'increase(tapeproof_foreign_records_total[15m]) > 0',
      forS: 0,
      meaning: 'Something other than the engine writes to a derived topic.',
      action: 'Find out who may write there; `foreign-record` in the log names partition and offset.',
    },
  ),

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
  tapeproof_consumer_stalled: gauge(
    READERS,
    ['group', 'topic', 'partition'],
    '1 while a partition of this process has lag and nothing of it was committed for 20 seconds, else 0; /ready says why.',
    {
      name: 'TapeproofStalled',
      expression: 'max by (group, topic, partition) (tapeproof_consumer_stalled) == 1',
      forS: 60,
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
  tapeproof_producer_records_total: counter(ALL, ['topic', 'partition'], 'Records that Kafka acknowledged.'),

  tapeproof_engine_step_seconds: histogram(
    ENGINE,
    [],
    MICROSECONDS,
    'Time from a decoded tape record to its encoded events, for the first record of each batch and one in 256 of the others.',
  ),
  tapeproof_engine_outcomes_total: counter(
    ENGINE,
    ['strategy', 'verdict'],
    'Outcomes sent since the process started; strategy is DECISION for pooled decisions.',
  ),
  tapeproof_engine_hit_ratio: gauge(
    ENGINE,
    ['strategy'],
    'HIT / (HIT + MISS) of the outcomes that this process sent; see tapeproof_engine_hit_ratio_outcomes for how many.',
  ),
  tapeproof_engine_hit_ratio_outcomes: gauge(
    ENGINE,
    ['strategy'],
    'The number of HITs and MISSes behind the hit ratio.',
  ),
  tapeproof_engine_set_aside_total: counter(
    ENGINE,
    ['instrument', 'kind'],
    'Trades that decide nothing (late, ahead), do not count (duplicates, tooLate, outside, suspicious, refused, unjudged, setAside), or were changed by a later record (cancelled, corrected, released, unmatched), since the process started.',
  ),
  tapeproof_engine_anchor_age_seconds: gauge(ENGINE, ['partition'], 'Time since the newest anchor was written.'),
  tapeproof_engine_anchor_age_records: gauge(ENGINE, ['partition'], 'Tape records processed since the newest anchor.'),
  tapeproof_engine_anchors_total: counter(ENGINE, ['partition'], 'Anchors written.'),
  tapeproof_engine_recoveries_total: counter(
    ENGINE,
    ['partition'],
    'Recoveries of state, from an anchor or from the beginning.',
  ),
  tapeproof_engine_anchors_rejected_total: counter(
    ENGINE,
    ['partition', 'reason'],
    'Anchors that a recovery passed over: not-on-tape, outputs-behind, no-predecessor, state-missing, derived-otherwise or outputs-differ.',
    {
      name: 'TapeproofAnchorRejected',
      expression: 'sum by (instance, partition, reason) (increase(tapeproof_engine_anchors_rejected_total[15m])) > 0',
      forS: 0,
      meaning:
        'An anchor is not what the engine derives from the tape: it was forged, or records of the engine are gone.',
      action:
        'Find out who may write to engine.anchors; `anchor-rejected` in the log names the place, and `npx tapeproof certify` what else differs.',
    },
  ),
  tapeproof_engine_foreign_events_total: counter(
    ENGINE,
    ['topic', 'partition', 'fate'],
    'Records of other writers in the outputs of this engine: repeated (same bytes, harmless), differing, ahead, conflict, unverified, or unread (states).',
    {
      name: 'TapeproofForeignEvents',
      expression:
        'sum by (instance, topic, partition, fate) (increase(tapeproof_engine_foreign_events_total{fate!~"repeated|unread"}[15m])) > 0',
      forS: 0,
      meaning: 'Somebody but the engine wrote into its outputs: a forged event, or an engine of another build.',
      action:
        'Find out who may write there; `foreign-event` in the log names the place, and `npx tapeproof certify` the first event that differs.',
    },
  ),
  tapeproof_engine_hand_over_awaited: gauge(
    ENGINE,
    ['partition'],
    '1 while a partition waits because another engine version is in force; otherwise absent.',
    {
      name: 'TapeproofOtherEngineInForce',
      expression: 'max by (partition) (tapeproof_engine_hand_over_awaited) == 1',
      forS: 300,
      meaning: 'The version of this engine is not the one in force: it derives nothing from that partition.',
      action: 'Run the version that /ready names, or put this one in force with `npx tapeproof activate`.',
    },
  ),
  tapeproof_engine_events_compared_total: counter(
    ENGINE,
    [],
    'Events derived again and found equal, byte for byte, to those in the outputs.',
  ),

  tapeproof_projector_write_seconds: histogram(
    PROJECTOR,
    ['projector'],
    MILLISECONDS,
    'Duration of one write of a batch and its position to the store.',
  ),
  tapeproof_projector_records_read_total: counter(
    PROJECTOR,
    ['projector', 'topic'],
    'Records read: the sum of tapeproof_projector_records_total over all fates.',
  ),
  tapeproof_projector_records_total: counter(
    PROJECTOR,
    ['projector', 'topic', 'fate'],
    'Records read, by fate: applied, duplicate, conflict, dead or ignored.',
  ),
  tapeproof_projector_conflicts_total: counter(
    PROJECTOR,
    ['projector'],
    'Records that claim the identity of a record with other bytes; an engine that finds one stops.',
    {
      name: 'TapeproofConflicts',
      expression: 'increase(tapeproof_projector_conflicts_total[15m]) > 0',
      forS: 0,
      meaning: 'Two different records claim one identity: two builds derive differently, or another program writes.',
      action:
        'Look at tapeproof.conflicts in Postgres, and run `npx tapeproof audit --verify` for the events named there.',
    },
  ),

  tapeproof_projector_roots_total: counter(
    PROJECTOR,
    ['projector', 'topic', 'result'],
    "Roots in the engine's anchors compared with the stored events: agrees, differs, or awaits (not all of the events exist).",
  ),
  tapeproof_projector_roots_differing: gauge(
    PROJECTOR,
    ['projector', 'topic'],
    'Anchors of the engine that the stored events differ from.',
    {
      name: 'TapeproofRootDiffers',
      expression: 'max by (projector, topic) (tapeproof_projector_roots_differing) > 0',
      forS: 0,
      meaning: 'The read model has events that the engine did not derive, or lacks some, or an anchor was forged.',
      action: 'Run the commands at the end of the log line root-differs: `npx tapeproof certify --repair` first.',
    },
  ),
  tapeproof_oracle_checked_total: counter(
    PROJECTOR,
    ['result'],
    'Snapshots drawn by oracle-check, by result: agrees, diverges or not_checked.',
  ),
  tapeproof_oracle_divergences_total: counter(
    PROJECTOR,
    [],
    'Snapshots with an indicator that is not what its definition gives over the trades on the tape.',
    {
      name: 'TapeproofOracleDivergence',
      expression: 'increase(tapeproof_oracle_divergences_total[15m]) > 0',
      forS: 0,
      meaning: 'The engine published an indicator that an independent computation from the trades does not confirm.',
      action: 'Run `npx tapeproof oracle`, and `npx tapeproof audit --verify` for the snapshots named there.',
    },
  ),

  tapeproof_projector_sink_up: gauge(
    PROJECTOR,
    ['projector'],
    '1 while the store accepts deliveries, 0 while it refuses them or does not answer.',
  ),
  tapeproof_projector_sink_evicts: gauge(
    PROJECTOR,
    ['projector'],
    '1 while Redis may evict keys of the read model (maxmemory-policy), else 0.',
  ),

  tapeproof_live_connections: gauge(LIVE, ['venue'], 'Connections to the venue that are up.'),
  tapeproof_live_reconnects_total: counter(LIVE, ['venue'], 'Attempts to connect again.'),
  tapeproof_live_disconnects_total: counter(
    LIVE,
    ['venue', 'reason'],
    'Connections that ended, and attempts that failed (HANDSHAKE); not those that the process closes as it stops.',
  ),
  tapeproof_live_trades_total: counter(
    LIVE,
    ['instrument', 'origin'],
    'Trades that Kafka acknowledged; origin is stream or history.',
  ),
  tapeproof_live_duplicates_total: counter(
    LIVE,
    ['instrument', 'origin'],
    'Trades received that were already on the tape.',
  ),
  tapeproof_live_last_trade_age_seconds: gauge(
    LIVE,
    ['instrument'],
    'Time since the event time of the last trade appended.',
  ),
  tapeproof_live_watermarks_total: counter(LIVE, ['partition'], 'Watermarks appended.'),
  tapeproof_live_waiting_trades: gauge(LIVE, ['venue'], 'Trades received that are not yet on their way to Kafka.'),
  tapeproof_live_missing_trades: gauge(LIVE, ['venue'], 'Trades known to be missing and requested.'),
  tapeproof_live_instruments_in_sync: gauge(LIVE, ['venue'], 'Instruments without an open gap on a proven connection.'),
  tapeproof_live_gaps_opened_total: counter(LIVE, ['instrument'], 'Gaps found.'),
  tapeproof_live_gaps_filled_total: counter(LIVE, ['instrument'], 'Gaps whose trades all arrived.'),
  tapeproof_live_gaps_declared_total: counter(
    LIVE,
    ['instrument', 'reason'],
    'Gaps given up and recorded on the tape.',
  ),
  tapeproof_live_trades_lost_total: counter(LIVE, ['instrument'], 'Trades missing in the gaps recorded on the tape.'),
  tapeproof_live_history_requests_total: counter(
    LIVE,
    ['venue', 'outcome'],
    'Requests for past trades: ok, rate-limited or failed.',
  ),
  tapeproof_live_dead_letters_dropped_total: counter(
    LIVE,
    ['venue', 'reason'],
    'Refused trades and frames that are not kept in dead.letters: above the bound per second, or the process ended first.',
  ),
  tapeproof_live_late_trades_total: counter(LIVE, ['instrument'], 'Trades of a declared gap that arrived after all.'),
  tapeproof_live_forgotten_trades_total: counter(
    LIVE,
    ['instrument'],
    'Trades received while too many waited: requested again later.',
  ),
  tapeproof_live_unasked_trades_total: counter(LIVE, ['venue'], 'Trades of instruments that were not requested.'),
  tapeproof_live_append_failures_total: counter(LIVE, ['venue'], 'Batches that Kafka did not accept.'),

  ...DASHBOARD_METRICS,

  tapeproof_checkpoints_signed_total: counter(CHECKPOINTS, ['topic'], 'Heads of logs signed and recorded.'),
  tapeproof_checkpoint_unsigned_seconds: gauge(
    CHECKPOINTS,
    ['topic', 'partition'],
    'Seconds since a recorded head covered the whole log.',
    {
      name: 'TapeproofCheckpointsLate',
      expression: 'max by (instance, topic, partition) (tapeproof_checkpoint_unsigned_seconds) > 300',
      forS: 60,
      meaning: 'The newest events of a log are not signed: their time is not proven yet.',
      action: 'Look at /ready and the log of `checkpoints run`: a log that differs, or Kafka that does not answer.',
    },
  ),
  tapeproof_checkpoint_log_differs: gauge(
    CHECKPOINTS,
    ['topic', 'partition'],
    '1 while a log is not what was signed or not what the engine says, else 0.',
    {
      name: 'TapeproofLogDiffers',
      expression: 'max by (instance, topic, partition) (tapeproof_checkpoint_log_differs) == 1',
      forS: 0,
      meaning: 'Somebody but the engine wrote into a log, or records were changed or lost.',
      action: 'Keep the log as it is and run `npx tapeproof certify`: it names the first event that differs.',
    },
  ),
  tapeproof_checkpoint_cosignatures_total: counter(CHECKPOINTS, ['witness'], 'Cosignatures obtained.'),
  tapeproof_checkpoint_witness_failures_total: counter(
    CHECKPOINTS,
    ['witness', 'reason'],
    'Heads that a witness did not cosign: silent, or refused.',
    {
      name: 'TapeproofWitnessRefuses',
      expression: 'increase(tapeproof_checkpoint_witness_failures_total{reason="refused"}[10m]) > 0',
      forS: 0,
      meaning: 'A witness saw another history of a log than the one that is signed here, or does not know the log.',
      action:
        'Compare the reason in the log line witness-refuses with the list of logs of the witness; do not sign with another key.',
    },
  ),
  tapeproof_checkpoint_timestamps_total: counter(CHECKPOINTS, [], 'Time stamps obtained, verified and recorded.'),
  tapeproof_checkpoint_timestamp_failures_total: counter(
    CHECKPOINTS,
    ['reason'],
    'Heads left without a time stamp that was due: silent, or refused.',
    {
      name: 'TapeproofTimestampRefused',
      expression: 'increase(tapeproof_checkpoint_timestamp_failures_total{reason="refused"}[1h]) > 0',
      forS: 0,
      meaning: 'The time-stamping authority rejects requests, or its time stamps must not be believed.',
      action:
        "Read the reason in the log line timestamp-refused: the authority's certificate, its clock or ours, or `--tsa-ca`.",
    },
  ),
} as const satisfies Readonly<Record<`tapeproof_${string}`, MetricDefinition>>;

type Definitions = typeof METRICS;
export type MetricName = keyof Definitions;
type OfType<Type extends MetricDefinition['type']> = {
  [Name in MetricName]: Definitions[Name]['type'] extends Type ? Name : never;
}[MetricName];
export type CounterName = OfType<'counter'>;
export type GaugeName = OfType<'gauge'>;
export type HistogramName = OfType<'histogram'>;
/** The labels of a metric, each with its value. */
export type LabelsOf<Name extends MetricName> = Readonly<Record<Definitions[Name]['labels'][number], string | number>>;
