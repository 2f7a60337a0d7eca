import type { Table } from '../projector.ts';

/** The origin of a derived event: in every table of derived events. */
const PROVENANCE = {
  event_id: 'text',
  instrument: 'text',
  event_time: 'timestamptz',
  tape_partition: 'integer',
  tape_offset: 'bigint',
  sequence: 'bigint',
  causes: 'text[]',
  engine_version: 'text',
  config_hash: 'text',
  body_hash: 'bytea',
} as const;

const HIT_RULE = {
  horizon_ms: 'bigint',
  min_move_bps: 'double precision',
  reference_price: 'numeric',
} as const;

/** The rest of a forecast's hit rule, and what past outcomes made of its probability: null before engine version 4. */
const CALIBRATION = {
  hit_rule_kind: 'text',
  min_move_points: 'numeric null',
  grace_ms: 'bigint null',
  reference_rate: 'double precision null',
  evidence: 'double precision null',
  slope: 'double precision null',
  intercept: 'double precision null',
  raw_probability: 'double precision null',
  calibrated_probability: 'double precision null',
  weight_of_reference: 'double precision null',
  weight_of_raw: 'double precision null',
  weight_of_calibrated: 'double precision null',
  effective_n: 'double precision null',
  last_outcome_offset: 'bigint null',
} as const;

const BY_INSTRUMENT = [['instrument', 'event_time']] as const;

export const INDICATOR_SNAPSHOTS = {
  name: 'indicator_snapshots',
  columns: {
    ...PROVENANCE,
    last_price: 'numeric',
    vwap: 'double precision',
    vwap_deviation: 'double precision',
    point_of_control: 'numeric',
    value_area_low: 'numeric',
    value_area_high: 'numeric',
    range_high: 'numeric null',
    range_low: 'numeric null',
    bar_volume: 'double precision',
    mean_bar_volume: 'double precision null',
    session_volume: 'double precision',
    trade_count: 'bigint',
    first_offset: 'bigint',
    last_offset: 'bigint',
  },
  key: ['event_id'],
  output: 'indicator.snapshots',
  indexes: BY_INSTRUMENT,
} as const satisfies Table;

export const STRATEGY_EVALUATIONS = {
  name: 'strategy_evaluations',
  columns: {
    ...PROVENANCE,
    strategy: 'text',
    direction: 'text',
    probability: 'double precision',
    confidence: 'double precision',
    level: 'text',
    indicators: 'jsonb',
    reasoning: 'text',
    ...HIT_RULE,
    ...CALIBRATION,
  },
  key: ['event_id'],
  output: 'strategy.results',
  indexes: BY_INSTRUMENT,
} as const satisfies Table;

export const DECISIONS = {
  name: 'decisions',
  columns: {
    ...PROVENANCE,
    direction: 'text',
    probability: 'double precision',
    confidence: 'double precision',
    level: 'text',
    reasoning: 'text',
    ...HIT_RULE,
    ...CALIBRATION,
  },
  key: ['event_id'],
  output: 'probability.decisions',
  indexes: BY_INSTRUMENT,
} as const satisfies Table;

/** One row for each strategy's part in a decision; `event_id` and `body_hash` are the decision's. */
export const DECISION_CONTRIBUTIONS = {
  name: 'decision_contributions',
  columns: {
    event_id: 'text',
    ordinal: 'integer',
    tape_partition: 'integer',
    tape_offset: 'bigint',
    sequence: 'bigint',
    engine_version: 'text',
    config_hash: 'text',
    body_hash: 'bytea',
    strategy: 'text',
    result_id: 'text',
    direction: 'text',
    probability: 'double precision',
    confidence: 'double precision',
    weight: 'double precision',
    evidence: 'double precision',
  },
  key: ['event_id', 'ordinal'],
  topic: 'probability.decisions',
} as const satisfies Table;

export const OUTCOMES = {
  name: 'outcomes',
  columns: {
    ...PROVENANCE,
    forecast_id: 'text',
    forecast_kind: 'text',
    strategy: 'text null',
    direction: 'text',
    probability: 'double precision',
    verdict: 'text',
    forecast_time: 'timestamptz',
    due_time: 'timestamptz',
    reference_price: 'numeric',
    observed_price: 'numeric null',
    observed_time: 'timestamptz null',
    move_bps: 'double precision null',
    resolving_trade_id: 'text null',
    // Null in events of engine versions 1 to 3.
    hit_rule_kind: 'text null',
    min_move_bps: 'double precision null',
    min_move_points: 'numeric null',
    level: 'text null',
    reference_rate: 'double precision null',
    raw_probability: 'double precision null',
    calibrated_probability: 'double precision null',
    overlap_weight: 'double precision null',
    // Null where the event's own engine and configuration made the forecast.
    forecast_engine_version: 'text null',
    forecast_config_hash: 'text null',
  },
  key: ['event_id'],
  output: 'decision.outcomes',
  indexes: [...BY_INSTRUMENT, ['forecast_id']],
} as const satisfies Table;

/** The activations on the tape; an activation has neither a market time nor a sequence. */
export const ACTIVATIONS = {
  name: 'activations',
  columns: {
    event_id: 'text',
    activation_id: 'text',
    tape_id: 'text',
    tape_partition: 'integer',
    tape_offset: 'bigint',
    engine_version: 'text',
    git_commit: 'text',
    config_hash: 'text',
    configuration: 'text',
    writer_fingerprints: 'jsonb',
    accepted_tape_schemas: 'text[]',
    body_hash: 'bytea',
  },
  key: ['event_id'],
} as const satisfies Table;

/**
 * Trades that happened but are missing on the tape at this place; any that the producer obtained later follow later.
 */
export const TRADE_GAPS = {
  name: 'trade_gaps',
  columns: {
    event_id: 'text',
    instrument: 'text',
    first_trade_id: 'text',
    last_trade_id: 'text',
    missing_trades: 'bigint',
    from_time: 'timestamptz null',
    to_time: 'timestamptz',
    reason: 'text',
    source: 'text',
    tape_partition: 'integer',
    tape_offset: 'bigint',
    body_hash: 'bytea',
  },
  key: ['event_id'],
  indexes: [['instrument', 'to_time']],
} as const satisfies Table;

export const TABLES: readonly Table[] = [
  INDICATOR_SNAPSHOTS,
  STRATEGY_EVALUATIONS,
  DECISIONS,
  DECISION_CONTRIBUTIONS,
  OUTCOMES,
  ACTIVATIONS,
  TRADE_GAPS,
];

export const VIEWS = {
  // A strategy's forecast with its outcome: outcome and evaluated_at are null while it is pending, and for NEUTRAL.
  strategy_results: `
    SELECT forecast.event_id AS id, forecast.strategy AS strategy_name, forecast.instrument AS symbol,
           forecast.probability, forecast.confidence, outcome.verdict AS outcome,
           outcome.event_time AS evaluated_at, forecast.event_time AS created_at
      FROM {schema}.strategy_evaluations AS forecast
      LEFT JOIN {schema}.outcomes AS outcome ON outcome.forecast_id = forecast.event_id`,
} as const;
