import { partitionOf } from '../../contracts/partitioner.ts';
import { refusalOfGap } from '../../contracts/trade-rules.ts';
import { BODY_HASH, ORDINAL, projectFields, rowOf } from '../field-rows.ts';
import { into, type FieldRows, type PostgresProjector, type ProjectedEvent, type RowInsert } from '../projector.ts';
import {
  ACTIVATIONS,
  DECISION_CONTRIBUTIONS,
  DECISIONS,
  INDICATOR_SNAPSHOTS,
  OUTCOMES,
  STRATEGY_EVALUATIONS,
  TABLES,
  TRADE_GAPS,
  VIEWS,
} from './tables.ts';

/** The origin of a derived event. */
const PROVENANCE = {
  event_id: 'eventId',
  instrument: 'instrument',
  event_time: 'eventTime',
  tape_partition: 'tape.partition',
  tape_offset: 'tape.offset',
  sequence: 'sequence',
  causes: 'causes',
  engine_version: 'engineVersion',
  config_hash: 'configHash',
  body_hash: BODY_HASH,
} as const;

const FORECAST = {
  direction: 'direction',
  probability: 'probability',
  confidence: 'confidence',
  level: 'level',
  reasoning: 'reasoning',
  horizon_ms: 'hitRule.horizonMs',
  min_move_bps: 'hitRule.minMoveBps',
  reference_price: 'hitRule.referencePrice',
  hit_rule_kind: 'hitRule.kind',
  min_move_points: 'hitRule.minMovePoints',
  grace_ms: 'hitRule.graceMs',
  reference_rate: 'calibration.referenceRate',
  evidence: 'calibration.evidence',
  slope: 'calibration.slope',
  intercept: 'calibration.intercept',
  raw_probability: 'calibration.rawProbability',
  calibrated_probability: 'calibration.calibratedProbability',
  weight_of_reference: 'calibration.weights[0]',
  weight_of_raw: 'calibration.weights[1]',
  weight_of_calibrated: 'calibration.weights[2]',
  effective_n: 'calibration.effectiveN',
  last_outcome_offset: 'calibration.lastOutcomeOffset',
} as const;

const FIELD_ROWS: FieldRows = {
  IndicatorSnapshot: [
    rowOf<'IndicatorSnapshot', typeof INDICATOR_SNAPSHOTS>(INDICATOR_SNAPSHOTS, {
      ...PROVENANCE,
      last_price: 'lastPrice',
      vwap: 'vwap',
      vwap_deviation: 'vwapDeviation',
      point_of_control: 'pointOfControl',
      value_area_low: 'valueAreaLow',
      value_area_high: 'valueAreaHigh',
      range_high: 'rangeHigh',
      range_low: 'rangeLow',
      bar_volume: 'barVolume',
      mean_bar_volume: 'meanBarVolume',
      session_volume: 'sessionVolume',
      trade_count: 'tradeCount',
      first_offset: 'firstOffset',
      last_offset: 'lastOffset',
    }),
  ],
  StrategyResult: [
    rowOf<'StrategyResult', typeof STRATEGY_EVALUATIONS>(STRATEGY_EVALUATIONS, {
      ...PROVENANCE,
      ...FORECAST,
      strategy: 'strategy',
      indicators: 'indicators',
    }),
  ],
  ProbabilityDecision: [
    rowOf<'ProbabilityDecision', typeof DECISIONS>(DECISIONS, { ...PROVENANCE, ...FORECAST }),
    rowOf<'ProbabilityDecision', typeof DECISION_CONTRIBUTIONS>(
      DECISION_CONTRIBUTIONS,
      {
        event_id: 'eventId',
        ordinal: ORDINAL,
        tape_partition: 'tape.partition',
        tape_offset: 'tape.offset',
        sequence: 'sequence',
        engine_version: 'engineVersion',
        config_hash: 'configHash',
        body_hash: BODY_HASH,
        strategy: 'contributions[].strategy',
        result_id: 'contributions[].resultId',
        direction: 'contributions[].direction',
        probability: 'contributions[].probability',
        confidence: 'contributions[].confidence',
        weight: 'contributions[].weight',
        evidence: 'contributions[].evidence',
      },
      'contributions',
    ),
  ],
  Outcome: [
    rowOf<'Outcome', typeof OUTCOMES>(OUTCOMES, {
      ...PROVENANCE,
      forecast_id: 'forecastId',
      forecast_kind: 'forecastKind',
      strategy: 'strategy',
      direction: 'direction',
      probability: 'probability',
      verdict: 'verdict',
      forecast_time: 'forecastTime',
      due_time: 'dueTime',
      reference_price: 'referencePrice',
      observed_price: 'observedPrice',
      observed_time: 'observedTime',
      move_bps: 'moveBps',
      resolving_trade_id: 'resolvingTradeId',
      hit_rule_kind: 'hitRuleKind',
      min_move_bps: 'minMoveBps',
      min_move_points: 'minMovePoints',
      level: 'level',
      reference_rate: 'referenceRate',
      raw_probability: 'rawProbability',
      calibrated_probability: 'calibratedProbability',
      overlap_weight: 'overlapWeight',
      forecast_engine_version: 'forecastEngineVersion',
      forecast_config_hash: 'forecastConfigHash',
    }),
  ],
};

/** Every derived event, activation and gap, kept permanently in Postgres. */
export const postgresHistory: PostgresProjector = {
  name: 'postgres-history',
  summary: 'Every snapshot, forecast, decision, outcome, activation and gap, in Postgres',
  topics: ['raw.trades', 'indicator.snapshots', 'strategy.results', 'probability.decisions', 'decision.outcomes'],
  skips: ['Trade', 'Watermark'],
  sink: 'postgres',
  schema: 'history',
  tables: TABLES,
  views: VIEWS,
  loadsWithoutKeys: true,
  fieldRows: FIELD_ROWS,
  project,
};

function project(source: ProjectedEvent): readonly RowInsert[] {
  if (source.type === 'EngineActivated') return [activationRow(source)];
  if (source.type === 'TradeGap') return gapRows(source);
  return projectFields(FIELD_ROWS[source.type] ?? [], source);
}

type Of<Name extends ProjectedEvent['type']> = Extract<ProjectedEvent, { type: Name }>;

function activationRow({ event, bodyHash, partition, offset }: Of<'EngineActivated'>): RowInsert {
  return into(ACTIVATIONS, {
    event_id: `activation-${partition}-${offset}`,
    activation_id: event.activationId,
    tape_id: event.tapeId,
    tape_partition: partition,
    tape_offset: offset,
    engine_version: event.engineVersion,
    git_commit: event.gitCommit,
    config_hash: event.configHash,
    configuration: event.configuration,
    writer_fingerprints: JSON.stringify(event.writerFingerprints),
    accepted_tape_schemas: event.acceptedTapeSchemas,
    body_hash: bodyHash(),
  });
}

function gapRows({ event, bodyHash, partition, partitions, offset }: Of<'TradeGap'>): readonly RowInsert[] {
  // A gap that the engine refuses is not a gap here either.
  if (refusalOfGap(event) !== undefined || partitionOf(event.instrument, partitions) !== partition) return [];
  const gap = into(TRADE_GAPS, {
    event_id: `gap-${partition}-${offset}-0`,
    instrument: event.instrument,
    first_trade_id: event.firstTradeId,
    last_trade_id: event.lastTradeId,
    missing_trades: event.missingTrades,
    from_time: event.fromTime,
    to_time: event.toTime,
    reason: event.reason,
    source: event.source,
    tape_partition: partition,
    tape_offset: offset,
    body_hash: bodyHash(),
  });
  return [gap];
}
