import type { ProbabilityDecision, StrategyResult } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import type { DerivedEvent } from '../../contracts/topics.ts';
import { refusalOfGap } from '../../contracts/trade-rules.ts';
import { into, type PostgresProjector, type ProjectedEvent, type RowInsert } from '../projector.ts';
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
  project,
};

function project(source: ProjectedEvent): readonly RowInsert[] {
  if (source.type === 'IndicatorSnapshot') return [snapshotRow(source)];
  if (source.type === 'StrategyResult') return [evaluationRow(source)];
  if (source.type === 'ProbabilityDecision') return decisionRows(source);
  if (source.type === 'Outcome') return [outcomeRow(source)];
  if (source.type === 'EngineActivated') return [activationRow(source)];
  if (source.type === 'TradeGap') return gapRows(source);
  return [];
}

type Of<Name extends ProjectedEvent['type']> = Extract<ProjectedEvent, { type: Name }>;

function provenance(event: DerivedEvent, bodyHash: Buffer) {
  return {
    event_id: event.eventId,
    instrument: event.instrument,
    event_time: event.eventTime,
    tape_partition: event.tape.partition,
    tape_offset: event.tape.offset,
    sequence: event.sequence,
    causes: event.causes,
    engine_version: event.engineVersion,
    config_hash: event.configHash,
    body_hash: bodyHash,
  };
}

function snapshotRow({ event, bodyHash }: Of<'IndicatorSnapshot'>): RowInsert {
  return into(INDICATOR_SNAPSHOTS, {
    ...provenance(event, bodyHash()),
    last_price: event.lastPrice,
    vwap: event.vwap,
    vwap_deviation: event.vwapDeviation,
    point_of_control: event.pointOfControl,
    value_area_low: event.valueAreaLow,
    value_area_high: event.valueAreaHigh,
    range_high: event.rangeHigh,
    range_low: event.rangeLow,
    bar_volume: event.barVolume,
    mean_bar_volume: event.meanBarVolume,
    session_volume: event.sessionVolume,
    trade_count: event.tradeCount,
    first_offset: event.firstOffset,
    last_offset: event.lastOffset,
  });
}

function evaluationRow({ event, bodyHash }: Of<'StrategyResult'>): RowInsert {
  return into(STRATEGY_EVALUATIONS, {
    ...provenance(event, bodyHash()),
    strategy: event.strategy,
    direction: event.direction,
    probability: event.probability,
    confidence: event.confidence,
    level: event.level,
    indicators: JSON.stringify(event.indicators),
    reasoning: event.reasoning,
    ...ruleAndCalibration(event),
  });
}

function decisionRows({ event, bodyHash }: Of<'ProbabilityDecision'>): readonly RowInsert[] {
  const hash = bodyHash();
  const decision = into(DECISIONS, {
    ...provenance(event, hash),
    direction: event.direction,
    probability: event.probability,
    confidence: event.confidence,
    level: event.level,
    reasoning: event.reasoning,
    ...ruleAndCalibration(event),
  });
  const contributions = event.contributions.map((contribution, ordinal) =>
    into(DECISION_CONTRIBUTIONS, {
      event_id: event.eventId,
      ordinal,
      tape_partition: event.tape.partition,
      tape_offset: event.tape.offset,
      sequence: event.sequence,
      engine_version: event.engineVersion,
      config_hash: event.configHash,
      body_hash: hash,
      strategy: contribution.strategy,
      result_id: contribution.resultId,
      direction: contribution.direction,
      probability: contribution.probability,
      confidence: contribution.confidence,
      weight: contribution.weight,
      evidence: contribution.evidence,
    }),
  );
  return [decision, ...contributions];
}

function ruleAndCalibration({ hitRule, calibration }: StrategyResult | ProbabilityDecision) {
  const [ofReference, ofRaw, ofCalibrated] = calibration?.weights ?? [];
  return {
    horizon_ms: hitRule.horizonMs,
    min_move_bps: hitRule.minMoveBps,
    reference_price: hitRule.referencePrice,
    hit_rule_kind: hitRule.kind,
    min_move_points: hitRule.minMovePoints,
    grace_ms: hitRule.graceMs,
    reference_rate: calibration?.referenceRate ?? null,
    evidence: calibration?.evidence ?? null,
    slope: calibration?.slope ?? null,
    intercept: calibration?.intercept ?? null,
    raw_probability: calibration?.rawProbability ?? null,
    calibrated_probability: calibration?.calibratedProbability ?? null,
    weight_of_reference: ofReference ?? null,
    weight_of_raw: ofRaw ?? null,
    weight_of_calibrated: ofCalibrated ?? null,
    effective_n: calibration?.effectiveN ?? null,
    last_outcome_offset: calibration?.lastOutcomeOffset ?? null,
  };
}

function outcomeRow({ event, bodyHash }: Of<'Outcome'>): RowInsert {
  return into(OUTCOMES, {
    ...provenance(event, bodyHash()),
    forecast_id: event.forecastId,
    forecast_kind: event.forecastKind,
    strategy: event.strategy,
    direction: event.direction,
    probability: event.probability,
    verdict: event.verdict,
    forecast_time: event.forecastTime,
    due_time: event.dueTime,
    reference_price: event.referencePrice,
    observed_price: event.observedPrice,
    observed_time: event.observedTime,
    move_bps: event.moveBps,
    resolving_trade_id: event.resolvingTradeId,
    hit_rule_kind: event.hitRuleKind,
    min_move_bps: event.minMoveBps,
    min_move_points: event.minMovePoints,
    level: event.level,
    reference_rate: event.referenceRate,
    raw_probability: event.rawProbability,
    calibrated_probability: event.calibratedProbability,
    overlap_weight: event.overlapWeight,
    forecast_engine_version: event.forecastEngineVersion,
    forecast_config_hash: event.forecastConfigHash,
  });
}

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
