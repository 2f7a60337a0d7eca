import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { Outcome } from '../../contracts/generated/events.ts';
import { OF_VERSION_3, outcomeOf } from '../../proofs/scoreboard/fixtures/outcomes.ts';
import type { Row, RowInsert } from '../projector.ts';
import { binOf } from './bins.ts';
import { scores } from './projector.ts';

function project(changes: Partial<Outcome> = {}): readonly RowInsert[] {
  return scores.project({
    ...{ type: 'Outcome', event: outcomeOf(0, changes), topic: 'decision.outcomes' },
    ...{ partition: 0, offset: 0, partitions: 1, bodyHash: () => Buffer.alloc(32) },
  });
}

/** Rows with the same table and key as one, merged in the order given. */
function merged(rows: readonly RowInsert[], table: string): Row {
  const [first, ...rest] = rows.filter((row) => row.table.name === table);
  return rest.reduce((stored, { row }) => first!.table.merge!(stored, row), first!.row);
}

describe('scores', () => {
  it('maps an outcome to its identity, its sums and its bin', () => {
    const hit = { probability: 0.6, referenceRate: 0.48, rawProbability: 0.7, calibratedProbability: 0.55 };
    const [identity, sums, bin, ...rest] = project({ ...hit, overlapWeight: 0.25, strategy: 'MINE' });
    expect(rest).toEqual([]);
    expect(identity?.row).toEqual({ event_id: 'outcome-0-0-0', body_hash: Buffer.alloc(32) });
    expect(sums?.row).toMatchObject({
      ...{ instrument: 'BTC-USDT@binance', forecast: 'MINE', hit_rule_kind: 'MOVE', horizon_ms: 300_000 },
      ...{ least_move: '0 bp', direction: 'LONG', level: 'HIGH', engine_version: '4' },
      ...{ hits: 1, misses: 0, voids: 0, referenced: 1, lead_us: 300_000_000, effective_n: '0.25', hit_weight: '0.25' },
      ...{ published_sum: '0.15', published_loss: '0.04', reference_sum: '0.12', reference_loss: '0.0676' },
      ...{ raw_loss: '0.0225', calibrated_loss: '0.050625', published_log_loss: '0.127706406' },
    });
    expect(bin?.row).toMatchObject({ bin: 6, n: 1, weight: '0.25', hit_weight: '0.25', published_square_sum: '0.09' });
  });

  it('counts a void, with weight 0', () => {
    const [, sums, ...bins] = project({ verdict: 'VOID', overlapWeight: null });
    expect(bins).toEqual([]);
    expect(sums?.row).toMatchObject({ voids: 1, hits: 0, misses: 0, referenced: 0, effective_n: '0', lead_us: 0 });
  });

  it('counts outcomes of earlier engine versions without their weight, which they do not have', () => {
    const [, sums] = project({ ...OF_VERSION_3, verdict: 'MISS' });
    expect(sums?.row).toMatchObject({ misses: 1, referenced: 0, effective_n: '0', reference_loss: '0' });
    expect(sums?.row).toMatchObject({ hit_rule_kind: 'MOVE', least_move: '', level: 'UNKNOWN' });
  });

  it('names the configuration and the engine that made the forecast, and a least move in points', () => {
    const changes = { forecastConfigHash: 'cc', forecastEngineVersion: '3', minMovePoints: Decimal.of('0.5') };
    expect(project(changes)[1]?.row).toMatchObject({
      ...{ config_hash: 'cc', engine_version: '3', least_move: '0.5 points' },
    });
  });

  it('has the same sums to the last digit, in any order and grouping', () => {
    const outcome = fc.record({
      probability: fc.integer({ min: 0, max: 1_000_000 }).map((millionths) => millionths / 1e6),
      overlapWeight: fc.integer({ min: 0, max: 1_000_000_000 }).map((billionths) => billionths / 1e9),
      referenceRate: fc.integer({ min: 1, max: 500_000_000 }).map((billionths) => billionths / 1e9),
      verdict: fc.constantFrom('HIT' as const, 'MISS' as const),
    });
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 2, maxLength: 40 }), fc.nat(), (outcomes, cut) => {
        const rows = outcomes.map((changes) => project(changes).filter(({ table }) => table.name === 'score_sums'));
        const whole = merged(rows.flat(), 'score_sums');
        expect(merged(rows.toReversed().flat(), 'score_sums')).toEqual(whole);
        const at = 1 + (cut % (rows.length - 1));
        const [table] = rows.flat().map((row) => row.table);
        const parts = [rows.slice(0, at), rows.slice(at)].map((part) => merged(part.flat(), 'score_sums'));
        expect(table!.merge!(parts[0]!, parts[1]!)).toEqual(whole);
        const loss = outcomes.reduce(
          (sum, { probability, overlapWeight, verdict }) =>
            sum + overlapWeight * (probability - (verdict === 'HIT' ? 1 : 0)) ** 2,
          0,
        );
        expect(Number(whole['published_loss'])).toBeCloseTo(loss, 9);
      }),
    );
  });

  it('puts a probability at an edge into the bin that begins there, and 1 into the last', () => {
    expect([0, 0.099999, 0.1, 0.29, 0.3, 0.7, 0.999999, 1].map(binOf)).toEqual([0, 0, 1, 2, 3, 7, 9, 9]);
  });
});
