import type { Outcome } from '../../contracts/generated/events.ts';
import { into, type PostgresProjector, type ProjectedEvent, type RowInsert, type Table } from '../projector.ts';
import { binOf, joinedBins, sumsOfBin, type BinSums } from './bins.ts';
import { joinedSums, sumsOfOutcome } from './sums.ts';

const US_PER_MS = 1_000;

/** Which outcomes are counted: one that is delivered twice counts once. */
const SCORED_OUTCOMES = {
  name: 'scored_outcomes',
  columns: { event_id: 'text', body_hash: 'bytea' },
  key: ['event_id'],
} as const satisfies Table;

/**
 * The fields that forecasts must have in common to be counted together, as in `tapeproof scoreboard`, and two by which
 * they are split.
 */
const GROUP = {
  instrument: 'text',
  // A strategy's name, or DECISION.
  forecast: 'text',
  hit_rule_kind: 'text',
  horizon_ms: 'bigint',
  // Such as `2 bp` or `0.5 points`; empty in events of engine versions 1 to 3, which do not name it.
  least_move: 'text',
  config_hash: 'text',
  engine_version: 'text',
  direction: 'text',
  // UNKNOWN in events of engine versions 1 to 3.
  level: 'text',
} as const;
const GROUP_KEY = [
  ...['instrument', 'forecast', 'hit_rule_kind', 'horizon_ms', 'least_move', 'config_hash', 'engine_version'],
  ...['direction', 'level'],
] as const;

const SCORE_SUMS = {
  name: 'score_sums',
  columns: {
    ...GROUP,
    hits: 'bigint',
    misses: 'bigint',
    voids: 'bigint',
    referenced: 'bigint',
    lead_us: 'bigint',
    effective_n: 'numeric',
    hit_weight: 'numeric',
    published_sum: 'numeric',
    published_loss: 'numeric',
    published_log_loss: 'numeric',
    reference_sum: 'numeric',
    reference_loss: 'numeric',
    reference_log_loss: 'numeric',
    raw_sum: 'numeric',
    raw_loss: 'numeric',
    raw_log_loss: 'numeric',
    calibrated_sum: 'numeric',
    calibrated_loss: 'numeric',
    calibrated_log_loss: 'numeric',
  },
  key: GROUP_KEY,
  merge: (stored, next) => joinedSums(stored, next),
} as const satisfies Table;

const SCORE_BINS = {
  name: 'score_bins',
  columns: {
    ...GROUP,
    bin: 'integer',
    n: 'bigint',
    weight: 'numeric',
    hit_weight: 'numeric',
    published_sum: 'numeric',
    published_square_sum: 'numeric',
    published_sum_of_hits: 'numeric',
  },
  key: [...GROUP_KEY, 'bin'],
  merge: (stored, next) => joinedBins(stored as BinSums, next as BinSums),
} as const satisfies Table;

/**
 * One row for each group: counts, and the figures from sums. Intervals and bands need every outcome: they are in
 * `tapeproof scoreboard`.
 */
const SCORES = `
  SELECT instrument, forecast, hit_rule_kind, horizon_ms, least_move, config_hash, engine_version,
         sum(hits) AS hits, sum(misses) AS misses, sum(voids) AS voids, sum(hits + misses) AS n,
         sum(effective_n) AS effective_n,
         sum(hit_weight) / nullif(sum(effective_n), 0) AS hit_rate,
         sum(published_sum) / nullif(sum(effective_n), 0) AS mean_published,
         sum(published_loss) / nullif(sum(effective_n), 0) AS brier_published,
         sum(published_log_loss) / nullif(sum(effective_n), 0) AS log_loss_published,
         CASE WHEN sum(referenced) = sum(hits + misses)
              THEN sum(reference_sum) / nullif(sum(effective_n), 0) END AS reference_rate,
         CASE WHEN sum(referenced) = sum(hits + misses)
              THEN sum(reference_loss) / nullif(sum(effective_n), 0) END AS brier_reference,
         CASE WHEN sum(referenced) = sum(hits + misses)
              THEN 1 - sum(published_loss) / nullif(sum(reference_loss), 0) END AS skill_against_reference,
         CASE WHEN sum(referenced) = sum(hits + misses)
              THEN sum(published_loss) - least(sum(reference_loss), sum(raw_loss), sum(calibrated_loss)) END AS regret
    FROM {schema}.score_sums
   GROUP BY instrument, forecast, hit_rule_kind, horizon_ms, least_move, config_hash, engine_version`;

/**
 * The additive part of the scoreboard, in Postgres: O(1) for each outcome, and exact, so that the order of the log does
 * not matter.
 */
export const scores: PostgresProjector = {
  name: 'scores',
  summary: 'Results of forecasts: counts and sums of scores by group, direction and level, in Postgres',
  topics: ['decision.outcomes'],
  sink: 'postgres',
  schema: 'scores',
  tables: [SCORED_OUTCOMES, SCORE_SUMS, SCORE_BINS],
  views: { scores: SCORES },
  // Many outcomes are one row: only its key identifies it.
  loadsWithoutKeys: false,
  project,
};

function project(source: ProjectedEvent): readonly RowInsert[] {
  if (source.type !== 'Outcome') return [];
  const { event } = source;
  const group = groupOf(event);
  const sums = into(SCORE_SUMS, { ...group, ...sumsOfOutcome(event) });
  const bin =
    event.verdict === 'VOID'
      ? []
      : [into(SCORE_BINS, { ...group, bin: binOf(event.probability), ...sumsOfBin(event) })];
  return [into(SCORED_OUTCOMES, { event_id: event.eventId, body_hash: source.bodyHash() }), sums, ...bin];
}

function groupOf(outcome: Outcome) {
  const { minMovePoints, minMoveBps } = outcome;
  const basisPoints = minMoveBps === null ? '' : `${minMoveBps} bp`;
  return {
    instrument: outcome.instrument,
    forecast: outcome.strategy ?? 'DECISION',
    hit_rule_kind: outcome.hitRuleKind ?? 'MOVE',
    horizon_ms: (outcome.dueTime - outcome.forecastTime) / US_PER_MS,
    least_move: minMovePoints === null ? basisPoints : `${minMovePoints.toString()} points`,
    config_hash: outcome.forecastConfigHash ?? outcome.configHash,
    engine_version: outcome.forecastEngineVersion ?? outcome.engineVersion,
    direction: outcome.direction,
    level: outcome.level ?? 'UNKNOWN',
  };
}
