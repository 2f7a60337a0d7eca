/**
 * The closed list of metrics, by Prometheus' naming conventions: base units (seconds, records), counters end in `_total`.
 * The metrics are created from it, and docs/metrics.md is generated from it. Labels are bounded: no identities, and
 * instruments only where the operator names them (live ingestion) or where one of their trades was set aside (engine).
 */
import { CHECKPOINT_METRICS } from './checkpoints.ts';
import { CONSUMER_METRICS } from './consumer.ts';
import { DASHBOARD_METRICS } from './dashboard.ts';
import {
  ALL,
  counter,
  ENGINE,
  gauge,
  histogram,
  increased,
  MICROSECONDS,
  MILLISECONDS,
  PROJECTOR,
  READERS,
  type MetricDefinition,
} from './definition.ts';
import { LIVE_METRICS } from './live.ts';

export const METRICS = {
  tapeproof_build_info: gauge(
    ALL,
    ['service', 'version', 'commit', 'node'],
    'Always 1; the labels name the running build.',
    {
      name: 'TapeproofNoEngine',
      expression: 'absent(tapeproof_build_info{service="engine"})',
      forS: 120,
      severity: 'critical',
      meaning: 'No engine runs: nothing is derived. An engine that meets a conflict in its outputs ends, on purpose.',
      action:
        'Read its last log lines: after `conflict` run `npx tapeproof certify`, which names the first event that differs; start it again only then.',
    },
  ),
  tapeproof_dependency_up: gauge(
    ALL,
    ['dependency'],
    '1 while kafka, registry, postgres or redis answers this process, else 0.',
    {
      name: 'TapeproofDependencyDown',
      expression: 'min by (instance, dependency) (tapeproof_dependency_up) == 0',
      forS: 60,
      severity: 'critical',
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
      severity: 'critical',
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
  tapeproof_trace_spans_total: counter(
    ALL,
    ['result'],
    'Spans that the OpenTelemetry collector accepted (exported), and those that it did not accept in time (lost).',
  ),
  tapeproof_log_lines_suppressed_total: counter(ALL, ['action'], 'Log lines left out by sampling, by event.action.'),
  tapeproof_dead_letters_total: counter(
    ALL,
    ['reader', 'reason'],
    'Records kept in dead.letters because they could not be used.',
    {
      name: 'TapeproofDeadLetters',
      expression: increased('tapeproof_dead_letters_total', '15m'),
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
      expression: increased('tapeproof_foreign_records_total', '15m'),
      forS: 0,
      meaning: 'Something other than the engine writes to a derived topic.',
      action: 'Find out who may write there; `foreign-record` in the log names partition and offset.',
    },
  ),

  ...CONSUMER_METRICS,
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
    {
      name: 'TapeproofTradesSetAside',
      expression:
        'sum by (instance) (rate(tapeproof_engine_set_aside_total{kind=~"late|ahead|setAside|tooLate|suspicious|refused"}[15m])) / sum by (instance) (rate(tapeproof_consumer_records_total{topic="raw.trades"}[15m])) > 0.05',
      forS: 300,
      meaning: 'More than one trade in twenty is late, far ahead, suspect or refused: decisions rest on fewer trades.',
      action:
        'Look which instrument and kind it is (`trade-set-aside` in the log), and see README, What does not count.',
    },
  ),
  tapeproof_engine_signals_set_aside_total: counter(
    ENGINE,
    ['kind', 'fate'],
    'Signals of the tape without an effect (REPEATED, EXPIRED, CROWDED_OUT), since the process started.',
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
      expression: increased('tapeproof_engine_anchors_rejected_total', '15m'),
      forS: 0,
      severity: 'critical',
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
      expression: increased('tapeproof_engine_foreign_events_total{fate!~"repeated|unread"}', '15m'),
      forS: 0,
      severity: 'critical',
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
      action:
        'Finish the upgrade: run the version that /ready names, or put this one in force with `npx tapeproof activate`. If nobody ordered it: `npx tapeproof report activations`, then `npx tapeproof activate --revoke ID --reason TEXT`.',
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
      expression: increased('tapeproof_projector_conflicts_total', '15m'),
      forS: 0,
      severity: 'critical',
      meaning: 'Two different records claim one identity: two builds derive differently, or another program writes.',
      action:
        'Stop the engines of one version before anything else, and keep the topics as they are; tapeproof.conflicts in Postgres names the events, and `npx tapeproof certify` the first that differs.',
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
      expression: increased('tapeproof_oracle_divergences_total', '15m'),
      forS: 0,
      severity: 'critical',
      meaning: 'The engine published an indicator that an independent computation from the trades does not confirm.',
      action:
        'Run `npx tapeproof oracle`, and `npx tapeproof audit ID --verify` for each snapshot named there: it says whether engine or oracle is wrong. Keep both builds until that is known.',
    },
  ),

  tapeproof_projector_sink_up: gauge(
    PROJECTOR,
    ['projector'],
    '1 while the store accepts deliveries, 0 while it refuses them or does not answer.',
    {
      name: 'TapeproofStoreRefuses',
      expression: 'min by (instance, projector) (tapeproof_projector_sink_up) == 0',
      forS: 60,
      severity: 'critical',
      meaning: 'Postgres or Redis does not take what a projector writes: that read model stands still.',
      action:
        'Request /ready of that instance: it states the refusal (disk full, read only, no permission, out of memory).',
    },
  ),
  tapeproof_projector_sink_evicts: gauge(
    PROJECTOR,
    ['projector'],
    '1 while Redis may evict keys of the read model (maxmemory-policy), else 0.',
    {
      name: 'TapeproofStoreEvicts',
      expression: 'max by (instance, projector) (tapeproof_projector_sink_evicts) == 1',
      forS: 0,
      meaning: 'Redis may drop keys of the read model without telling anybody: an instrument may be missing there.',
      action:
        "Set Redis' maxmemory-policy to noeviction, then run `npx tapeproof projector rebuild NAME` where keys are missing.",
    },
  ),

  ...LIVE_METRICS,

  ...DASHBOARD_METRICS,

  ...CHECKPOINT_METRICS,
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
