import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOf, targetOf, valueAreaOf, type ValueAreaRule } from './value-area.ts';
import { wideValueAreaOf } from './wide-value-area.ts';

/** The rows of a profile written out one by one, grown by the book. */
function denseValueArea(profile: ReadonlyMap<number, number>, share: number, rule: ValueAreaRule) {
  const bins = [...profile.keys()].sort((left, right) => left - right);
  const first = bins[0]!;
  const last = bins.at(-1)!;
  const at = (bin: number) => profile.get(bin) ?? 0;
  const centre = (first + last) / 2;
  const most = Math.max(...profile.values());
  const pointOfControl = bins
    .filter((bin) => at(bin) === most)
    .sort((left, right) => Math.abs(left - centre) - Math.abs(right - centre) || right - left)[0]!;
  // Shares with two decimals.
  const target = (Math.round(share * 100) * bins.reduce((sum, bin) => sum + at(bin), 0)) / 100;
  let [low, high, volume] = [pointOfControl, pointOfControl, at(pointOfControl)];
  const rows = rule === 'ONE_ROW' ? 1 : 2;
  while (volume < target && (low > first || high < last)) {
    const up = Array.from({ length: rows }, (_, i) => high + 1 + i).filter((bin) => bin <= last);
    const down = Array.from({ length: rows }, (_, i) => low - 1 - i).filter((bin) => bin >= first);
    const sum = (side: number[]) => side.reduce((volumes, bin) => volumes + at(bin), 0);
    const goesDown = up.length === 0 || (down.length > 0 && sum(down) > sum(up));
    if (goesDown) low = down.at(-1)!;
    else high = up.at(-1)!;
    volume += sum(goesDown ? down : up);
  }
  return { pointOfControl, low, high, volume };
}

/** Both kinds of numbers, which must agree. */
function sparseValueArea(profile: ReadonlyMap<number, number>, share: number, rule: ValueAreaRule) {
  const rows = [...profile].sort(([left], [right]) => left - right);
  const bins = Float64Array.from(rows, ([bin]) => bin);
  const volumes = Float64Array.from(rows, ([, volume]) => volume);
  const target = targetOf(BigInt(rows.reduce((sum, [, volume]) => sum + volume, 0)), shareOf(share));
  const area = valueAreaOf(bins, volumes, Number(target), rule);
  const factor = 10n ** 18n;
  const wideVolumes = rows.map(([, volume]) => BigInt(volume) * factor);
  const wide = wideValueAreaOf(bins, wideVolumes, target * factor, rule);
  expect(wide).toEqual(area === undefined ? undefined : { ...area, volume: BigInt(area.volume) * factor });
  return area;
}

describe('valueAreaOf', () => {
  const vector = new Map([
    [100, 10],
    [101, 20],
    [102, 30],
    [103, 60],
    [104, 25],
    [105, 35],
    [106, 5],
    [107, 15],
  ]);

  it('reproduces the golden vector by both rules', () => {
    expect(sparseValueArea(vector, 0.7, 'ONE_ROW')).toEqual({ pointOfControl: 103, low: 102, high: 105, volume: 150 });
    expect(sparseValueArea(vector, 0.7, 'TWO_ROW')).toEqual({ pointOfControl: 103, low: 101, high: 105, volume: 170 });
  });

  it.each(['ONE_ROW', 'TWO_ROW'] as const)('ends at the edges, %s', (rule) => {
    expect(sparseValueArea(vector, 1, rule)).toEqual({ pointOfControl: 103, low: 100, high: 107, volume: 200 });
    expect(sparseValueArea(new Map([[5, 3]]), 0.7, rule)).toEqual({ pointOfControl: 5, low: 5, high: 5, volume: 3 });
    expect(sparseValueArea(new Map(), 0.7, rule)).toBeUndefined();
    const risen = new Map([
      [1, 1],
      [2, 2],
      [3, 9],
    ]);
    expect(sparseValueArea(risen, 0.9, rule)).toMatchObject({ pointOfControl: 3, high: 3 });
  });

  it('puts the point of control of equal bins at the centre', () => {
    const equal = (count: number) => new Map(Array.from({ length: count }, (_, bin) => [bin, 4]));
    expect(sparseValueArea(equal(5), 0.7, 'ONE_ROW')).toEqual({ pointOfControl: 2, low: 1, high: 4, volume: 16 });
    // Of two bins equally near the centre, the upper.
    expect(sparseValueArea(equal(4), 0.1, 'ONE_ROW')).toMatchObject({ pointOfControl: 2 });
  });

  it('crosses untraded rows as if they were listed', () => {
    const bins = fc.dictionary(fc.integer({ min: 0, max: 60 }).map(String), fc.integer({ min: 1, max: 9 }), {
      minKeys: 1,
      maxKeys: 14,
    });
    const shares = fc.constantFrom(0.1, 0.5, 0.7, 0.95, 1);
    fc.assert(
      fc.property(bins, shares, fc.constantFrom<ValueAreaRule>('ONE_ROW', 'TWO_ROW'), (volumes, share, rule) => {
        const profile = new Map(Object.entries(volumes).map(([bin, volume]) => [Number(bin), volume]));
        expect(sparseValueArea(profile, share, rule)).toEqual(denseValueArea(profile, share, rule));
      }),
      { numRuns: 5_000 },
    );
  });

  it('is fast for bins a trillion rows apart', () => {
    const far = new Map([
      [1, 5],
      [1e12, 5],
      [2e12, 5],
    ]);
    expect(sparseValueArea(far, 1, 'ONE_ROW')).toEqual({ pointOfControl: 1e12, low: 1, high: 2e12, volume: 15 });
    expect(sparseValueArea(far, 1, 'TWO_ROW')).toEqual({ pointOfControl: 1e12, low: 1, high: 2e12, volume: 15 });
  });

  it('holds exactly the decimal share', () => {
    const target = (total: bigint, share: number) => targetOf(total, shareOf(share));
    expect([target(10n, 0.7), target(11n, 0.7), target(10n, 1), target(0n, 0.7)]).toEqual([7n, 8n, 10n, 0n]);
    // The double 0.7 is less than 7/10, and 0.1 more than 1/10.
    expect([target(10n ** 30n, 0.7), target(10n ** 30n, 0.1)]).toEqual([7n * 10n ** 29n, 10n ** 29n]);
    expect([target(10n ** 9n, 1e-7), target(1n, 1e-7)]).toEqual([100n, 1n]);
    expect([target(1n, 5e-324), target(10n ** 20n, 0.12345678901234568)]).toEqual([1n, 12_345_678_901_234_568_000n]);
  });
});
