import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import type { DeadLetter, Trade } from '../../contracts/generated/events.ts';
import type { CountedTrade } from '../../proofs/evidence.ts';
import { PROFILE_ROWS_MAX } from '../contract/series.ts';
import { Bounded, Shared } from './bounded.ts';
import { deadLetterAnswer } from './dead-letter-answer.ts';
import { profileRowsOf } from './profile-rows.ts';
import { BatchMeans } from '../../proofs/scores/batch-means.ts';
import { SeededRandom } from '../../proofs/scores/seeded-random.ts';
import type { StoredBin, StoredGroup, StoredScore, StoredSpan } from './read-models.ts';
import { diagramsOf, scoreRowOf, scoreSpansOf, skillRowOf } from './score-rows.ts';

const GROUP: StoredGroup = {
  ...{ instrument: 'BTC-USDT@binance', forecast: 'DECISION', horizonMs: 300_000 },
  ...{ hitRuleKind: 'MOVE', leastMove: '2 bp', configHash: 'ab', engineVersion: '5' },
};

function score(changes: Partial<StoredScore> = {}): StoredScore {
  return {
    ...GROUP,
    ...{ hits: 600, misses: 400, voids: 3, effectiveN: 100, hitRate: 0.6, meanPublished: 0.55, referenceRate: 0.5 },
    ...{ brierPublished: 0.24, brierReference: 0.25, logLossPublished: 0.68, skillAgainstReference: 0.04, regret: 0.1 },
    ...changes,
  };
}

describe('a score', () => {
  it('has an interval from its effective n, not from its n', () => {
    const { hitRateInterval, n, withheld } = scoreRowOf(score());
    expect(n).toBe(1_000);
    // Wilson for 60 of 100.
    expect(hitRateInterval?.low).toBeCloseTo(0.502, 3);
    expect(hitRateInterval?.high).toBeCloseTo(0.6906, 3);
    expect(withheld).toEqual([]);
  });

  it('is withheld where there are too few', () => {
    const { hits, hitRate, hitRateInterval, skillAgainstReference, withheld } = scoreRowOf(score({ effectiveN: 89.9 }));
    expect([hits, hitRate, hitRateInterval, skillAgainstReference]).toEqual([600, null, null, null]);
    expect(withheld).toMatchObject([{ reason: 'TOO_FEW', figures: ['all figures'] }]);
  });

  it('has no rate where nearly all are alike', () => {
    const { hitRate, hitRateInterval, brierPublished, withheld } = scoreRowOf(score({ hitRate: 0.96 }));
    expect([hitRate, hitRateInterval, brierPublished]).toEqual([null, null, 0.24]);
    expect(withheld).toMatchObject([{ reason: 'ONE_SIDED', figures: ['hitRate'] }]);
  });

  it('says where there is no reference', () => {
    const none = { referenceRate: null, brierReference: null, skillAgainstReference: null, regret: null };
    expect(scoreRowOf(score(none)).withheld).toMatchObject([{ reason: 'NO_REFERENCE' }]);
  });
});

describe('a reliability diagram', () => {
  const bin = (number: number, changes: Partial<StoredBin> = {}): StoredBin => ({
    ...{ ...GROUP, bin: number, n: 500, weight: 50, hitWeight: 20, publishedSum: 50 * (number / 10 + 0.05) },
    ...changes,
  });

  it('has a band and n in every bin, by probability', () => {
    const [diagram] = diagramsOf([bin(5), bin(4)]);
    expect(diagram).toMatchObject({ n: 1_000, effectiveN: 100, withheld: [] });
    expect(diagram?.bins.map(({ low, n, hitRate }) => [low, n, hitRate])).toEqual([
      [0.4, 500, 0.4],
      [0.5, 500, 0.4],
    ]);
    for (const { band, hitRate } of diagram?.bins ?? []) {
      expect(band.low).toBeLessThan(hitRate);
      expect(band.high).toBeGreaterThan(hitRate);
    }
  });

  it('is empty where there are too few, and one for each group', () => {
    const diagrams = diagramsOf([bin(5), bin(5, { forecast: 'VWAP_REVERSION', weight: 200 })]);
    expect(diagrams.map(({ bins, withheld }) => [bins.length, withheld.length])).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });
});

describe('scores over time', () => {
  const span = (index: number, changes: Partial<StoredSpan> = {}): StoredSpan => ({
    ...{ index, n: 60, referenced: 60, weight: 60, hitWeight: 30 },
    ...{ publishedLoss: 12, referenceLoss: 15, rawLoss: 14, calibratedLoss: 11 },
    ...changes,
  });

  it('add up, what came before included, and begin once there are enough', () => {
    const before = span(-1, { n: 10, referenced: 10, weight: 10 });
    const spans = scoreSpansOf({
      ...{ group: GROUP, fromUs: 1_000, spanUs: 10, before },
      spans: [span(0), span(3)],
    });
    expect(spans.map(({ fromUs, toUs, skillSoFar }) => [fromUs, toUs, skillSoFar])).toEqual([
      [1_000, 1_010, null],
      [1_030, 1_040, 1 - 36 / 45],
    ]);
    expect(spans[1]?.regretSoFar).toBeCloseTo(36 - 33, 12);
  });

  it('have no skill where a forecast has no reference', () => {
    const before = span(-1, { referenced: 59, weight: 500 });
    const [first] = scoreSpansOf({
      ...{ group: GROUP, fromUs: 0, spanUs: 10, before },
      spans: [span(0)],
    });
    expect([first?.skillSoFar, first?.regretSoFar]).toEqual([null, null]);
  });
});

describe('a skill', () => {
  const random = new SeededRandom(3);
  const outcomes = Array.from({ length: 2_000 }, () => [0.1, random.normal() * 0.05, 0.25] as const);
  const blocksOf = (size: number) =>
    Array.from({ length: outcomes.length / size }, (_, at) => {
      const block = outcomes.slice(at * size, (at + 1) * size);
      const sum = (place: 0 | 1 | 2) => block.reduce((total, outcome) => total + outcome[place], 0);
      return [sum(0), sum(1), sum(2)] as const;
    });
  const stored = { group: GROUP, n: 2_000, referenced: 2_000 };

  it('has the interval that the scoreboard computes outcome by outcome', () => {
    const each = new BatchMeans();
    for (const [weight, avoided, reference] of outcomes) each.observe(weight, avoided / weight, reference / weight);
    const { mean = 0, interval } = each.estimate();
    const row = skillRowOf({ ...stored, blocks: blocksOf(40) });
    expect(row).toMatchObject({ n: 2_000, withheld: [] });
    expect(row.skillAgainstReference).toBeCloseTo(mean, 12);
    expect(row.interval?.low).toBeLessThan(mean);
    expect((row.interval?.high ?? 0) - mean).toBeCloseTo(mean - (row.interval?.low ?? 0), 12);
    // The batches' borders differ by less than a block.
    expect(Math.abs((row.interval?.low ?? 0) - (interval?.low ?? 0))).toBeLessThan(0.02);
  });

  it.each([
    ['TOO_FEW', { blocks: blocksOf(40).slice(0, 20) }],
    ['NO_REFERENCE', { blocks: blocksOf(40), referenced: 1_999 }],
    ['NO_VARIATION', { blocks: Array.from({ length: 10 }, () => [20, 0, 5] as const) }],
    ['TOO_FEW', { blocks: [], n: 0, referenced: 0 }],
  ])('is withheld: %s', (reason, changes) => {
    const row = skillRowOf({ ...stored, ...changes });
    expect(row).toMatchObject({ skillAgainstReference: null, interval: null, withheld: [{ reason }] });
  });
});

describe('a volume profile', () => {
  const trade = (price: string, size: string): CountedTrade => ({
    ...{ topic: 'raw.trades', partition: 0, offset: 0, hash: '' },
    event: { price: Decimal.of(price), size: Decimal.of(size) } as Trade,
  });
  const edges = (low: string, control: string, high: string) => ({
    ...{ pointOfControl: Decimal.of(control), valueAreaLow: Decimal.of(low), valueAreaHigh: Decimal.of(high) },
    profileBinSize: Decimal.of('0.01'),
  });

  it('puts each price into its bin exactly, also where doubles would not', () => {
    // 0.29 / 0.01 is 28.999999999999996 in doubles.
    const trades = ['0.27', '0.28', '0.29', '0.299999999999', '0.3'].map((price) => trade(price, '1'));
    const { rows, binsPerRow } = profileRowsOf(trades, edges('0.28', '0.29', '0.29'), Decimal.of('0.01'));
    expect(binsPerRow).toBe(1);
    expect(rows.map(({ low, high, volume }) => [low, high, volume])).toEqual([
      ['0.27', '0.28', 1],
      ['0.28', '0.29', 1],
      ['0.29', '0.3', 2],
      ['0.3', '0.31', 1],
    ]);
    expect(rows.map(({ isInValueArea, isPointOfControl }) => [isInValueArea, isPointOfControl])).toEqual([
      [false, false],
      [true, false],
      [true, true],
      [false, false],
    ]);
  });

  it.each([PROFILE_ROWS_MAX - 1, PROFILE_ROWS_MAX, PROFILE_ROWS_MAX + 1, 10_000, 123_457])(
    'of %i bins has no more rows than allowed, and loses no volume',
    (bins) => {
      const trades = [trade('1', '2'), trade((1 + (bins - 1) * 0.01).toFixed(2), '3')];
      const { rows } = profileRowsOf(trades, edges('1', '1', '1'), Decimal.of('0.01'));
      expect(rows.length).toBeLessThanOrEqual(PROFILE_ROWS_MAX);
      expect(rows.reduce((sum, { volume }) => sum + volume, 0)).toBe(5);
    },
  );

  it('knows prices below zero', () => {
    const { rows } = profileRowsOf(
      [trade('-0.015', '1'), trade('0.005', '1')],
      edges('-0.02', '0', '0'),
      Decimal.of('0.01'),
    );
    expect(rows.map(({ low, volume }) => [low, volume])).toEqual([
      ['-0.02', 1],
      ['-0.01', 0],
      ['0', 1],
    ]);
  });
});

describe('a dead letter', () => {
  const letter = (payload: Buffer, changes: Partial<DeadLetter> = {}): DeadLetter => ({
    ...{ deadLetterId: 'dead-engine-raw.trades-0-1', reader: 'engine', reason: 'PRECISION', detail: 'too fine' },
    source: { kind: 'TOPIC', name: 'raw.trades', partition: 0, position: 1 },
    ...{ payload, payloadBytes: payload.length, payloadHash: 'ab' },
    ...changes,
  });

  it('shows text as text, and anything else as bytes only', () => {
    expect(deadLetterAnswer(letter(Buffer.from('price;1€\n'))).payloadText).toBe('price;1€\n');
    expect(deadLetterAnswer(letter(Buffer.from([0xff, 0xfe]))).payloadText).toBeNull();
    expect(deadLetterAnswer(letter(Buffer.from('\x1b[31m'))).payloadText).toBeNull();
  });

  it('shows the beginning of a long one, cut between characters', () => {
    const { payloadText, payloadShownBytes, payloadBytes } = deadLetterAnswer(letter(Buffer.from('€'.repeat(3_000))));
    expect([payloadShownBytes, payloadBytes]).toEqual([4_096, 9_000]);
    expect(payloadText).toBe('€'.repeat(1_365));
  });

  it.each([
    [{ reason: 'CLOCK_LEAD' }, 'tape release'],
    [{ reason: 'UNKNOWN_SCHEMA' }, 'dead-letters retry'],
    [{ source: { kind: 'FILE', name: 'file:ab', partition: null, position: 3 } }, 'ingest that again'],
    [{}, 'refused as it is'],
  ] as const)('of %j says what to do', (changes, says) => {
    expect(deadLetterAnswer(letter(Buffer.from('x'), changes)).retryHint).toContain(says);
  });
});

describe('bounded work', () => {
  it('is refused beyond its bound, and goes on after it', async () => {
    const bounded = new Bounded('audits', 2);
    const ends: (() => void)[] = [];
    const work = () => bounded.run(() => new Promise<void>((resolve) => ends.push(resolve)));
    const running = [work(), work()];
    await expect(work()).rejects.toMatchObject({ kind: 'BUSY' });
    for (const end of ends) end();
    await Promise.all(running);
    await expect(bounded.run(() => Promise.reject(new Error('oh')))).rejects.toThrow('oh');
    expect(await bounded.run(() => Promise.resolve(1))).toBe(1);
  });

  it('is shared by those who ask at the same time, kept for a while, and tried again after a failure', async () => {
    let [computed, nowMs] = [0, 0];
    let fails = true;
    const shared = new Shared(
      100,
      () => {
        computed += 1;
        return fails ? Promise.reject(new Error('oh')) : Promise.resolve(computed);
      },
      () => nowMs,
    );
    expect(await Promise.allSettled([shared.get(), shared.get()])).toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
    ]);
    expect(computed).toBe(1);
    fails = false;
    expect(await Promise.all([shared.get(), shared.get()])).toEqual([2, 2]);
    nowMs = 99;
    expect(await shared.get()).toBe(2);
    nowMs = 100;
    expect(await shared.get()).toBe(3);
  });
});
