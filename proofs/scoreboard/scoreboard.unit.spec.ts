import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { Outcome } from '../../contracts/generated/events.ts';
import { SeededRandom } from '../scores/seeded-random.ts';
import { countOf, HORIZON_US, INSTRUMENT, OF_VERSION_3, outcomeOf, rowsOf, START_US } from './fixtures/outcomes.ts';
import { PART_KINDS, type ScoreRow } from './score-row.ts';

const SEED = 20_261_126;

/** Outcomes of a calibrated forecaster, one horizon apart, with voids, both directions and all levels. */
function series(count: number, changes: (index: number) => Partial<Outcome> = () => ({}), seed = SEED): Outcome[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const probability = Math.round((0.3 + 0.4 * random.uniform()) * 1e6) / 1e6;
    const verdict = random.uniform() < probability ? 'HIT' : 'MISS';
    return outcomeOf(index, {
      ...{ probability, rawProbability: probability, calibratedProbability: probability, verdict },
      direction: random.uniform() < 0.5 ? 'LONG' : 'SHORT',
      level: (['LOW', 'MEDIUM', 'HIGH'] as const)[random.below(3)] ?? 'LOW',
      ...(random.uniform() < 0.02 ? { verdict: 'VOID' as const, overlapWeight: null } : {}),
      ...changes(index),
    });
  });
}

const totals = (rows: readonly ScoreRow[]) =>
  rows.reduce(
    (sum, { hits, misses, voids, n }) => [sum[0]! + hits, sum[1]! + misses, sum[2]! + voids, sum[3]! + n],
    [0, 0, 0, 0],
  );

describe('a row of the scoreboard', () => {
  it('has the figures of a direct computation from the outcomes, each with n and interval', () => {
    const outcomes = series(500, (index) => ({ referenceRate: 0.48, overlapWeight: index % 4 === 0 ? 1 : 0.3 }));
    const counted = outcomes.filter(({ verdict }) => verdict !== 'VOID');
    const weights = counted.reduce((sum, { overlapWeight }) => sum + overlapWeight!, 0);
    const mean = (of: (outcome: Outcome) => number) =>
      counted.reduce((sum, outcome) => sum + outcome.overlapWeight! * of(outcome), 0) / weights;
    const hit = ({ verdict }: Outcome) => (verdict === 'HIT' ? 1 : 0);
    const brier = mean((outcome) => (outcome.probability - hit(outcome)) ** 2);
    const ofReference = mean((outcome) => (0.48 - hit(outcome)) ** 2);
    const [row] = rowsOf(outcomes);
    expect(row!.n).toBe(counted.length);
    expect(row!.voids).toBe(outcomes.length - counted.length);
    expect(row!.effectiveN).toBeCloseTo(weights, 9);
    expect(row!.hitRate).toBeCloseTo(mean(hit), 12);
    expect(row!.meanPublished).toBeCloseTo(
      mean(({ probability }) => probability),
      12,
    );
    expect(row!.referenceRate).toBeCloseTo(0.48, 12);
    expect(row!.brierPublished).toBeCloseTo(brier, 12);
    expect(row!.brierReference).toBeCloseTo(ofReference, 12);
    expect(row!.skillAgainstReference).toBeCloseTo(1 - brier / ofReference, 12);
    expect(row!.skillAgainstClimatology).toBeCloseTo(1 - brier / (mean(hit) * (1 - mean(hit))), 12);
    const figures = ['hitRate', 'brierPublished', 'brierReference', 'skillAgainstReference', 'logScore'] as const;
    for (const name of figures) {
      const { low, high } = row![`${name}Interval`]!;
      expect(low).toBeLessThan(row![name]!);
      expect(high).toBeGreaterThan(row![name]!);
    }
    expect(row!.withheld).toEqual([]);
  });

  it('has decompositions that add up to the Brier score', () => {
    const [row] = rowsOf(series(800));
    const { miscalibration, discrimination, uncertainty } = row!.corp!;
    expect(miscalibration.estimate - discrimination.estimate + uncertainty.estimate).toBeCloseTo(
      row!.brierPublished!,
      9,
    );
    const { reliability, resolution, withinVariance, withinCovariance } = row!.binned!;
    expect(
      reliability.estimate -
        resolution.estimate +
        uncertainty.estimate +
        withinVariance.estimate -
        withinCovariance.estimate,
    ).toBeCloseTo(row!.brierPublished!, 9);
    expect(reliability.band.low).toBe(0);
    expect(resolution.band.low).toBeGreaterThan(0);
  });

  it('has a reliability curve of the whole weight that never falls', () => {
    const [row] = rowsOf(series(800));
    const { curve, bins } = row!.reliability!;
    const weight = (parts: readonly { readonly weight: number }[]) => parts.reduce((sum, part) => sum + part.weight, 0);
    expect(weight(curve)).toBeCloseTo(row!.effectiveN, 6);
    expect(bins.reduce((sum, { effectiveN }) => sum + effectiveN, 0)).toBeCloseTo(row!.effectiveN, 6);
    expect(curve.map(({ hitRate }) => hitRate)).toEqual(curve.map(({ hitRate }) => hitRate).sort((a, b) => a - b));
  });

  it('finds a calibrated forecaster calibrated, and raises an alarm when it no longer is', () => {
    const [calibrated] = rowsOf(series(2_000));
    expect(calibrated!.calibrationError!.isMiscalibrated).toBe(false);
    expect(calibrated!.drift).toMatchObject({ alarms: 0, last: null });
    const drifting = series(2_000, (index) => (index > 1_000 ? { verdict: index % 5 === 0 ? 'HIT' : 'MISS' } : {}));
    const [drifted] = rowsOf(drifting);
    expect(drifted!.calibrationError!.isMiscalibrated).toBe(true);
    expect(drifted!.drift!.alarms).toBeGreaterThan(0);
    expect(drifted!.drift!.last).toMatchObject({ drift: 'PROBABILITIES_TOO_HIGH' });
  });

  it('shows no figure below an effective n of 90, and reports it', () => {
    const [row] = rowsOf(series(89, () => ({ verdict: 'HIT', overlapWeight: 1 })));
    const { hits, misses, voids, n, effectiveN, meanLeadMs, withheld, ...rest } = row!;
    expect([hits, misses, voids, n, effectiveN, meanLeadMs]).toEqual([89, 0, 0, 89, 89, 300_000]);
    expect(withheld).toMatchObject([{ figures: ['all figures'], reason: 'TOO_FEW' }]);
    const { instrument, forecast, forecastKind, hitRule, configHash, engineVersion, ...figures } = rest;
    expect([instrument, forecast, forecastKind, hitRule.kind, configHash, engineVersion]).not.toContain(null);
    const { instruments, configHashes, engineVersions, strategy, part, ...shown } = figures;
    expect([strategy, part, instruments.length, configHashes.length, engineVersions.length]).toEqual([
      null,
      null,
      1,
      1,
      1,
    ]);
    expect(new Set(Object.values(shown))).toEqual(new Set([null]));
  });

  it('does not show a hit rate whose misses are too rare, but shows the other figures', () => {
    const [row] = rowsOf(series(200, (index) => ({ verdict: index % 100 === 0 ? 'MISS' : 'HIT' })));
    expect(row).toMatchObject({ hitRate: null, hitRateInterval: null, n: 200 });
    expect(row!.skillAgainstReference).not.toBeNull();
    expect(row!.withheld).toMatchObject([{ figures: ['hitRate'], reason: 'ONE_SIDED' }]);
  });

  it('has, for earlier engine versions, the figures without a reference, weighted by the same rule', () => {
    const overlapping = Array.from({ length: 400 }, (_, index) =>
      outcomeOf(index, {
        ...OF_VERSION_3,
        forecastTime: START_US + (index * HORIZON_US) / 4,
        dueTime: START_US + (index * HORIZON_US) / 4 + HORIZON_US,
        verdict: index % 3 === 0 ? 'HIT' : 'MISS',
      }),
    );
    const [row] = rowsOf(overlapping);
    expect(row).toMatchObject({ engineVersion: '3', n: 400, effectiveN: 1 + 399 / 4, referenceRate: null });
    expect(row!.hitRate).toBeCloseTo(1 / 3, 1);
    expect(row).toMatchObject({ skillAgainstReference: null, brierReference: null, regret: null });
    expect(row!.brierPublished).toBeCloseTo(0.25, 12);
    expect(row!.withheld).toMatchObject([{ reason: 'NO_REFERENCE' }]);
  });
});

describe('the groups of the scoreboard', () => {
  const other = { configHash: 'bb'.repeat(32) };

  it.each([
    ['another instrument', { instrument: 'ETH-USDT@binance' }],
    ['another strategy', { forecastKind: 'STRATEGY', strategy: 'MINE' }],
    ['another kind of rule', { hitRuleKind: 'FIRST_TOUCH' }],
    ['another horizon', { dueTime: START_US + 2 * HORIZON_US }],
    ['another least move', { minMoveBps: 2 }],
    ['a least move in points', { minMovePoints: Decimal.of('0.5') }],
    ['another configuration', other],
    ['a forecast of another configuration', { forecastConfigHash: 'bb'.repeat(32) }],
    ['another engine version', { engineVersion: '5' }],
    ['a forecast of another engine version', { forecastEngineVersion: '3' }],
  ] as const)('keep %s apart', (_, changes) => {
    const rows = rowsOf([outcomeOf(0), outcomeOf(1), { ...outcomeOf(0), sequence: 2, ...changes }]);
    expect(rows.map(({ n }) => n).sort()).toEqual([1, 2]);
  });

  it('are merged by request, with the rule that was applied', () => {
    const outcomes = series(300, (index) =>
      index < 100 ? {} : index < 200 ? other : { ...other, engineVersion: '5' },
    );
    const board = countOf(outcomes).board({ merge: ['configuration'] });
    expect(board.merged).toEqual(['configuration']);
    expect(board.rows.map(({ n, voids }) => n + voids)).toEqual([200, 100]);
    expect(board.rows[0]).toMatchObject({ configHash: null, configHashes: ['aa'.repeat(32), 'bb'.repeat(32)] });
    const [all] = rowsOf(outcomes, { merge: ['configuration', 'engine'] });
    expect(totals([all!])).toEqual(totals(rowsOf(outcomes)));
    expect(all!.regret).toBeNull();
    expect(all!.withheld).toMatchObject([{ reason: 'NOT_A_WHOLE_SERIES' }]);
    // One series gives the same figures with and without merging.
    const [plain] = rowsOf(series(300));
    expect(all!.hitRateInterval).toEqual(plain!.hitRateInterval);
  });

  it('of instruments are merged by the time at which each outcome was settled', () => {
    const first = series(200);
    const second = series(200, () => ({}), 1).map((outcome, index) => ({
      ...outcome,
      instrument: 'ETH-USDT@binance',
      tape: { partition: 1, offset: index },
    }));
    const merged = (outcomes: readonly Outcome[]) => rowsOf(outcomes, { merge: ['instrument'] });
    const [apart] = merged([...first, ...second]);
    const [together] = merged(first.flatMap((outcome, index) => [outcome, second[index]!]));
    expect(apart).toEqual(together);
    expect(apart!.instruments).toEqual(['BTC-USDT@binance', 'ETH-USDT@binance']);
    // Simultaneous outcomes of both are in one batch, as if they were one series.
    const inTime = first.flatMap((outcome, index) => [outcome, { ...second[index]!, instrument: INSTRUMENT }]);
    const [one] = rowsOf(inTime.map((outcome, sequence) => ({ ...outcome, sequence, tape: first[0]!.tape })));
    expect(apart!.hitRateInterval).toEqual(one!.hitRateInterval);
    expect(apart!.brierPublishedInterval).toEqual(one!.brierPublishedInterval);
  });

  it('distinguish a changed strategy from its base only if the outcomes do', () => {
    // The market turned when the second configuration came: with the same outcomes, 56 % against 44 %.
    const rateOf = (index: number) => (index < 500 ? 0.56 : 0.44);
    const random = new SeededRandom(SEED);
    const outcomes = Array.from({ length: 1_000 }, (_, index) => {
      const rate = rateOf(index);
      return outcomeOf(index, {
        verdict: random.uniform() < rate ? 'HIT' : 'MISS',
        ...{ probability: rate, referenceRate: rate },
        ...(index < 500 ? {} : other),
      });
    });
    const rows = rowsOf(outcomes);
    expect(rows).toHaveLength(2);
    // Each is compared with the rate of its own time: no skill.
    for (const row of rows) expect(row.skillAgainstReference).toBeCloseTo(0, 12);
  });
});

describe('the scoreboard', () => {
  it('counts a repeated event once', () => {
    const outcomes = series(200);
    const again = outcomes.flatMap((outcome, index) =>
      index % 10 === 9 ? [outcome, ...outcomes.slice(index - 5, index + 1)] : [outcome],
    );
    expect(countOf(again).board()).toEqual(countOf(outcomes).board());
    expect(countOf(again).board().events['decision.outcomes']).toBe(200);
  });

  it.each(PART_KINDS.filter((kind) => kind !== 'lead'))('splits by %s into parts that add up', (by) => {
    const rows = rowsOf(series(600), { by, periodUs: 50 * HORIZON_US });
    const [whole, ...parts] = rows;
    expect(parts.length).toBeGreaterThan(0);
    expect(whole!.part).toBeNull();
    expect(parts.every(({ part }) => part?.by === by)).toBe(true);
    expect(totals(parts)).toEqual(totals([whole!]));
    expect(parts.reduce((sum, { effectiveN }) => sum + effectiveN, 0)).toBeCloseTo(whole!.effectiveN, 6);
  });

  it('splits by lead, which a void does not have', () => {
    const touched = series(300, (index) => ({
      hitRuleKind: 'FIRST_TOUCH',
      eventTime: START_US + index * HORIZON_US + ((index % 4) + 1) * 0.3 * HORIZON_US,
    }));
    const [whole, ...parts] = rowsOf(touched, { by: 'lead' });
    expect(parts.map(({ part }) => part?.value)).toEqual([
      '0.25 to 0.5 horizons',
      '0.5 to 1 horizons',
      'more than 1 horizons',
    ]);
    expect(parts.reduce((sum, { n }) => sum + n, 0)).toBe(whole!.n);
  });

  it('names periods by their first instant', () => {
    const rows = rowsOf(series(400), { by: 'period' });
    expect(rows.slice(1).map(({ part }) => part?.value)).toEqual([
      '2025-03-25T00:00:00.000000Z',
      '2025-03-26T00:00:00.000000Z',
      '2025-03-27T00:00:00.000000Z',
    ]);
    expect(() => rowsOf(series(1_500), { by: 'period', periodUs: 1_000_000 })).toThrow(
      /give a longer one with --period/,
    );
  });

  it('counts the forecasts of a span of time', () => {
    const outcomes = series(400);
    const [sinceUs, untilUs] = [START_US + 100 * HORIZON_US, START_US + 300 * HORIZON_US];
    const [row] = rowsOf(outcomes, { sinceUs, untilUs });
    expect(totals([row!])).toEqual(totals(rowsOf(outcomes.slice(100, 300))));
    expect(rowsOf(outcomes, { sinceUs: START_US + 500 * HORIZON_US })).toEqual([]);
  });

  it('suggests a name when the given one has no outcome', () => {
    const count = countOf(series(3));
    expect(count.board({ instrument: INSTRUMENT, forecast: 'DECISION' }).rows).toHaveLength(1);
    expect(() => count.board({ instrument: 'BTC-USDT@binanc' })).toThrow(/did you mean BTC-USDT@binance\?/);
    expect(() => count.board({ forecast: 'VWAP_REVERSION' })).toThrow(/there is DECISION\./);
    expect(() => countOf([]).board({ instrument: 'A@b' })).toThrow(/nothing is decided yet/);
  });

  it('does not depend on how partitions are mixed', () => {
    const first = series(60);
    const second = first.map((outcome, index) => ({
      ...outcome,
      instrument: 'ETH-USDT@binance',
      tape: { partition: 1, offset: index },
    }));
    const expected = countOf([...first, ...second]).board();
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 120, maxLength: 120 }), (turns) => {
        const [a, b] = [[...first], [...second]];
        const mixed = turns.flatMap((isFirst) => (isFirst ? a : b).shift() ?? []);
        expect(countOf([...mixed, ...a, ...b]).board()).toEqual(expected);
      }),
    );
  });
});
