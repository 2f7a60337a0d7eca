import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import { Range } from './range.ts';
import { Sessions } from './session.ts';
import { valueAreaOf, type ValueAreaRule } from './value-area.ts';
import { PROFILE_BINS_MAX, VolumeProfile } from './volume-profile.ts';
import { sessionIndexOf, Vwap } from './vwap.ts';

const DAY_US = 86_400_000_000;
const UTC_DAYS = { anchorUs: 0, lengthUs: DAY_US };

describe('Vwap', () => {
  it('is Σpq / Σq with the weighted deviation, and undefined without volume', () => {
    const vwap = new Vwap();
    expect([vwap.average, vwap.deviation]).toEqual([undefined, undefined]);
    vwap.add(100, 0);
    expect(vwap.average).toBeUndefined();
    vwap.add(100, 1);
    vwap.add(103, 2);
    expect(vwap.average).toBe(102);
    expect(vwap.deviation).toBeCloseTo(Math.sqrt(2), 12);
    expect([vwap.totalVolume, vwap.tradeCount]).toEqual([3, 3]);
  });

  it('keeps the deviation of a small spread at a great price', () => {
    const vwap = new Vwap();
    for (let i = 0; i < 10_000; i += 1) vwap.add(1e9 + (i % 2) * 1e-3, 1);
    // Σq·p²/Σq − VWAP² gives 0, or the root of a negative number, here.
    expect(vwap.deviation).toBeCloseTo(5e-4, 6);
  });

  it('resets on the index of the epoch session, not on a calendar', () => {
    expect(sessionIndexOf(DAY_US - 1, UTC_DAYS)).toBe(0);
    expect(sessionIndexOf(DAY_US, UTC_DAYS)).toBe(1);
    expect(sessionIndexOf(5, { anchorUs: 10, lengthUs: 10 })).toBe(-1);
    // The same day of the month, one month later, is another session.
    const day = (text: string) => sessionIndexOf(Date.parse(text) * 1_000, UTC_DAYS);
    expect(day('2025-02-01T12:00:00Z') - day('2025-01-01T12:00:00Z')).toBe(31);
    expect(day('2025-01-01T00:00:00.000Z') - day('2024-12-31T23:59:59.999Z')).toBe(1);
  });
});

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
  const total = bins.reduce((sum, bin) => sum + at(bin), 0);
  let [low, high, volume] = [pointOfControl, pointOfControl, at(pointOfControl)];
  const rows = rule === 'ONE_ROW' ? 1 : 2;
  while (volume < share * total && (low > first || high < last)) {
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

function sparseValueArea(profile: ReadonlyMap<number, number>, share: number, rule: ValueAreaRule) {
  const rows = [...profile].sort(([left], [right]) => left - right);
  return valueAreaOf(
    Float64Array.from(rows, ([bin]) => bin),
    Float64Array.from(rows, ([, volume]) => volume),
    rows.reduce((sum, [, volume]) => sum + volume, 0),
    share,
    rule,
  );
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

  it('gives the golden vector by both rules', () => {
    expect(sparseValueArea(vector, 0.7, 'ONE_ROW')).toEqual({ pointOfControl: 103, low: 102, high: 105, volume: 150 });
    expect(sparseValueArea(vector, 0.7, 'TWO_ROW')).toEqual({ pointOfControl: 103, low: 101, high: 105, volume: 170 });
  });

  it.each(['ONE_ROW', 'TWO_ROW'] as const)('ends at the edges, %s', (rule) => {
    expect(sparseValueArea(vector, 1, rule)).toEqual({ pointOfControl: 103, low: 100, high: 107, volume: 200 });
    expect(sparseValueArea(new Map([[5, 3]]), 0.7, rule)).toEqual({ pointOfControl: 5, low: 5, high: 5, volume: 3 });
    expect(valueAreaOf(new Float64Array(), new Float64Array(), 0, 0.7, rule)).toBeUndefined();
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
    // Of two bins equally near to the centre, the upper.
    expect(sparseValueArea(equal(4), 0.1, 'ONE_ROW')).toMatchObject({ pointOfControl: 2 });
  });

  it('crosses untraded rows as if they were written out', () => {
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

  it('takes no time for bins a trillion rows apart', () => {
    const far = new Map([
      [1, 5],
      [1e12, 5],
      [2e12, 5],
    ]);
    expect(sparseValueArea(far, 1, 'ONE_ROW')).toEqual({ pointOfControl: 1e12, low: 1, high: 2e12, volume: 15 });
    expect(sparseValueArea(far, 1, 'TWO_ROW')).toEqual({ pointOfControl: 1e12, low: 1, high: 2e12, volume: 15 });
  });
});

describe('VolumeProfile', () => {
  it('bins prices exactly', () => {
    const profile = new VolumeProfile(Decimal.of('0.01'));
    profile.add(Decimal.of('0.29'), 1);
    // floor(0.29 / 0.01) is 28 in doubles.
    expect(String(profile.valueArea(0.7, 'ONE_ROW')?.pointOfControl)).toBe('0.29');
  });

  it('goes on from its state with the same result', () => {
    const trade = fc.tuple(fc.integer({ min: 1, max: 400 }), fc.double({ min: 1e-8, max: 100, noNaN: true }));
    fc.assert(
      fc.property(fc.array(trade, { minLength: 2, maxLength: 200 }), fc.nat(), (trades, cut) => {
        const whole = new VolumeProfile(Decimal.of('0.02'));
        let resumed = new VolumeProfile(Decimal.of('0.02'));
        trades.forEach(([cents, size], index) => {
          const price = Decimal.of((cents / 100).toFixed(2));
          whole.add(price, size);
          if (index === cut % trades.length) resumed = VolumeProfile.fromState(resumed.toState());
          resumed.add(price, size);
        });
        expect(resumed.toState()).toEqual(whole.toState());
        expect(resumed.valueArea(0.7, 'TWO_ROW')).toEqual(whole.valueArea(0.7, 'TWO_ROW'));
      }),
    );
  });

  it('merges neighbours rather than grow without bound', () => {
    const profile = new VolumeProfile(Decimal.of('1'));
    for (let price = 1; price <= PROFILE_BINS_MAX + 1; price += 1) profile.add(Decimal.of(String(price)), 1);
    expect(profile.size).toBe(PROFILE_BINS_MAX / 2 + 1);
    const { merged, total, bins } = profile.toState();
    expect([merged, total]).toEqual([2, PROFILE_BINS_MAX + 1]);
    expect(bins.filter((_, index) => index % 2 === 1).reduce((sum, volume) => sum + volume, 0)).toBe(total);
    expect(String(profile.valueArea(1, 'ONE_ROW')?.valueAreaHigh)).toBe(String(PROFILE_BINS_MAX));
  });

  it('survives a bin size that makes more bins than a double counts', () => {
    const profile = new VolumeProfile(Decimal.of('0.000000000001'));
    profile.add(Decimal.of('999999999999999'), 1);
    expect(profile.valueArea(0.7, 'ONE_ROW')?.pointOfControl.toNumber()).toBeCloseTo(9007.199254740991, 9);
  });
});

describe('Range', () => {
  const bar = (range: Range, index: number, ...prices: string[]) => {
    prices.forEach((price, i) => {
      range.add(index * 60 + i, Decimal.of(price), 2, index * 10 + i);
    });
  };

  it('spans the previous completed bars, the current one excluded', () => {
    const range = new Range({ barUs: 60, bars: 2 });
    bar(range, 0, '10', '12', '9');
    bar(range, 1, '11', '13');
    expect(range.bounds).toBeUndefined();
    bar(range, 2, '99');
    expect(range.bounds).toEqual({ high: Decimal.of('13'), low: Decimal.of('9'), meanVolume: 5 });
    expect(range.barVolume).toBe(2);
    // Bar 3 has no trade and is no bar.
    bar(range, 4, '50');
    expect(range.bounds).toEqual({ high: Decimal.of('99'), low: Decimal.of('11'), meanVolume: 3 });
    expect(range.firstOffset).toBe(10);
  });

  it('never changes a completed bar for a late trade, and counts one of the current bar', () => {
    const range = new Range({ barUs: 60, bars: 1 });
    bar(range, 0, '10');
    bar(range, 1, '11');
    const before = range.bounds;
    range.add(5, Decimal.of('500'), 7, 90);
    expect(range.bounds).toEqual(before);
    range.add(61, Decimal.of('12'), 7, 91);
    expect(range.barVolume).toBe(9);
  });

  it('goes on from its state', () => {
    const range = new Range({ barUs: 60, bars: 2 });
    for (let index = 0; index < 5; index += 1) bar(range, index, '10', String(10 + index));
    const resumed = Range.fromState({ barUs: 60, bars: 2 }, range.toState());
    expect(resumed.bounds).toEqual(range.bounds);
    expect(resumed.toState()).toEqual(range.toState());
  });
});

describe('Sessions', () => {
  const add = (sessions: Sessions, index: number, offset: number) => {
    sessions.add(index, offset, Decimal.of('1'), Decimal.of('10'), 10, 1);
  };
  const counts = (sessions: Sessions) => [
    sessions.previous?.index,
    sessions.previous?.vwap.tradeCount,
    sessions.current?.index,
    sessions.current?.vwap.tradeCount,
  ];

  it('counts a late trade into its own session, and one of an older session into none', () => {
    const sessions = new Sessions();
    add(sessions, 3, 0);
    add(sessions, 4, 1);
    add(sessions, 3, 2);
    expect(counts(sessions)).toEqual([3, 2, 4, 1]);
    add(sessions, 2, 3);
    expect(counts(sessions)).toEqual([3, 2, 4, 1]);
    add(sessions, 9, 4);
    add(sessions, 8, 5);
    expect(counts(sessions)).toEqual([8, 1, 9, 1]);
    expect(Sessions.fromState(sessions.toState()).toState()).toEqual(sessions.toState());
  });
});
