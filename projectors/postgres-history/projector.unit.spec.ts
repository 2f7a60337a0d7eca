import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { ProbabilityDecision, TradeGap } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { gapBefore } from '../../evaluators/fixtures/tape-contents.ts';
import { OF_VERSION_3, outcomeOf } from '../../proofs/scoreboard/fixtures/outcomes.ts';
import { tradeNumber } from '../../tests/support/seeded-tape.ts';
import type { RowInsert } from '../projector.ts';
import { postgresHistory } from './projector.ts';

const PARTITIONS = 6;
const trade = tradeNumber(0);
const home = partitionOf(trade.instrument, PARTITIONS);

function project(change: Partial<TradeGap>, partition = home): readonly RowInsert[] {
  return postgresHistory.project({
    type: 'TradeGap',
    event: { ...gapBefore(trade, 100, 5), ...change },
    topic: 'raw.trades',
    partition,
    offset: 7,
    partitions: PARTITIONS,
    bodyHash: () => Buffer.alloc(32),
  });
}

describe('postgres-history', () => {
  it('keeps a gap of the tape as a row, named by its place', () => {
    const [gap] = project({});
    expect(gap?.table.name).toBe('trade_gaps');
    expect(gap?.row).toEqual({
      event_id: `gap-${home}-7-0`,
      instrument: trade.instrument,
      first_trade_id: '100',
      last_trade_id: '104',
      missing_trades: 5,
      from_time: null,
      to_time: trade.eventTime,
      reason: 'NOT_SERVED',
      source: 'live:binance',
      tape_partition: home,
      tape_offset: 7,
      body_hash: Buffer.alloc(32),
    });
  });

  it('ignores a gap that the engine refuses, and one outside its instrument’s partition', () => {
    expect(project({ missingTrades: 4 })).toEqual([]);
    expect(project({}, home + 1)).toEqual([]);
  });

  const source = { partition: 0, offset: 0, partitions: PARTITIONS, bodyHash: () => Buffer.alloc(32) };

  it('keeps of an outcome what it was scored with, and nothing where an earlier engine version made it', () => {
    const topic = 'decision.outcomes';
    const rowOf = (event = outcomeOf(0)) =>
      postgresHistory.project({ type: 'Outcome', event, topic, ...source })[0]?.row;
    const scored = { referenceRate: 0.48, rawProbability: 0.6, calibratedProbability: 0.55, overlapWeight: 0.25 };
    expect(
      rowOf(outcomeOf(0, { ...scored, minMovePoints: Decimal.of('0.5'), forecastConfigHash: 'cc' })),
    ).toMatchObject({
      ...{ hit_rule_kind: 'MOVE', min_move_bps: 0, min_move_points: Decimal.of('0.5'), level: 'HIGH' },
      ...{ reference_rate: 0.48, raw_probability: 0.6, calibrated_probability: 0.55, overlap_weight: 0.25 },
      ...{ forecast_engine_version: null, forecast_config_hash: 'cc' },
    });
    expect(rowOf(outcomeOf(0, OF_VERSION_3))).toMatchObject({
      ...{ hit_rule_kind: null, level: null, reference_rate: null, overlap_weight: null },
    });
  });

  it('keeps of a decision its hit rule, and its calibration where there is one', () => {
    const decision = {
      ...{ tape: { partition: 0, offset: 0 }, contributions: [] },
      hitRule: { kind: 'FIRST_TOUCH', horizonMs: 1, minMoveBps: 2, minMovePoints: null, graceMs: 3 },
      calibration: {
        ...{
          referenceRate: 0.48,
          evidence: 0.1,
          slope: 0.9,
          intercept: 0.05,
          rawProbability: 0.5,
          calibratedProbability: 0.49,
        },
        ...{ weights: [0.2, 0.3, 0.5], effectiveN: 12.5, lastOutcomeOffset: 7 },
      },
    } as unknown as ProbabilityDecision;
    const rowOf = (event: ProbabilityDecision) =>
      postgresHistory.project({ type: 'ProbabilityDecision', event, topic: 'probability.decisions', ...source })[0]
        ?.row;
    expect(rowOf(decision)).toMatchObject({
      ...{ hit_rule_kind: 'FIRST_TOUCH', horizon_ms: 1, min_move_bps: 2, min_move_points: null, grace_ms: 3 },
      ...{
        reference_rate: 0.48,
        evidence: 0.1,
        slope: 0.9,
        intercept: 0.05,
        raw_probability: 0.5,
        calibrated_probability: 0.49,
      },
      ...{ weight_of_reference: 0.2, weight_of_raw: 0.3, weight_of_calibrated: 0.5 },
      ...{ effective_n: 12.5, last_outcome_offset: 7 },
    });
    expect(rowOf({ ...decision, calibration: null })).toMatchObject({ slope: null, weight_of_raw: null });
  });
});
