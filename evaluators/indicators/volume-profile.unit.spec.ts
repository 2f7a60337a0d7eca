import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../contracts/canonical-json.ts';
import { Decimal } from '../../contracts/decimal.ts';
import { exactText } from '../exact-decimals.ts';
import { binSizeFrom } from '../rules.ts';
import { contentOf } from '../state-pages.ts';
import { PriceRows } from './price-rows.ts';
import { shareOf, targetOf, type ValueAreaRule } from './value-area.ts';
import { PROFILE_BINS_MAX, VolumeProfile } from './volume-profile.ts';
import { wideValueAreaOf } from './wide-value-area.ts';

type Sized = readonly [price: Decimal, size: Decimal];

const profileOf = (binSize: string, trades: readonly Sized[] = []) => {
  const profile = new VolumeProfile(PriceRows.uniform(Decimal.of(binSize)));
  for (const [price, size] of trades) profile.add(price, size);
  return profile;
};
const sized = (price: string, size: string): Sized => [Decimal.of(price), Decimal.of(size)];
const textsOf = (profile: VolumeProfile, share = 0.7, rule: ValueAreaRule = 'ONE_ROW') =>
  Object.fromEntries(
    Object.entries(profile.valueArea(share, rule) ?? {}).map(([name, value]) => [name, String(value)]),
  );

const cents = fc.integer({ min: -400, max: 400 }).map((value) => Decimal.of((value / 100).toFixed(2)));
/** Sizes with few digits, with twelve decimals, and so great that no double holds their sum. */
const sizes = fc
  .oneof(
    fc.bigInt({ min: 1n, max: 9n }).map((units) => units * 10n ** 11n),
    fc.bigInt({ min: 1n, max: 10n ** 13n }),
    fc.bigInt({ min: 1n, max: 10n ** 27n - 1n }),
  )
  .map((units) => Decimal.fromUnits(units));
const markets = fc.array(fc.tuple(cents, sizes), { minLength: 1, maxLength: 80 });
const rules = fc.constantFrom<ValueAreaRule>('ONE_ROW', 'TWO_ROW');

/** By the book: volumes by row in integers of 10^-12. */
function naiveOf(trades: readonly Sized[], binUnits: bigint, share: number, rule: ValueAreaRule) {
  const byRow = new Map<number, bigint>();
  for (const [price, size] of trades) {
    const units = price.toUnits();
    const row = Number((units - (((units % binUnits) + binUnits) % binUnits)) / binUnits);
    byRow.set(row, (byRow.get(row) ?? 0n) + size.toUnits());
  }
  const rows = [...byRow].sort(([left], [right]) => left - right);
  const volumes = rows.map(([, volume]) => volume);
  const target = targetOf(
    volumes.reduce((sum, volume) => sum + volume, 0n),
    shareOf(share),
  );
  const area = wideValueAreaOf(
    Float64Array.from(rows, ([row]) => row),
    volumes,
    target,
    rule,
  );
  const edgeOf = (row: number | undefined) => exactText({ units: BigInt(row ?? 0) * binUnits, decimals: 12 });
  return {
    pointOfControl: edgeOf(area?.pointOfControl),
    valueAreaLow: edgeOf(area?.low),
    valueAreaHigh: edgeOf(area?.high),
    profileBinSize: edgeOf(1),
  };
}

describe('VolumeProfile', () => {
  it('bins prices exactly', () => {
    // floor(0.29 / 0.01) is 28 in doubles.
    expect(textsOf(profileOf('0.01', [sized('0.29', '1')]))).toMatchObject({
      pointOfControl: '0.29',
      profileBinSize: '0.01',
    });
    expect(textsOf(profileOf('1', [sized('-0.25', '1')]))).toMatchObject({ pointOfControl: '-1' });
  });

  it('finds a tie of volumes that doubles miss', () => {
    const trades = [sized('100.5', '0.1'), sized('100.5', '0.2'), sized('101.5', '0.05'), sized('102.5', '0.3')];
    expect(textsOf(profileOf('1', trades))).toMatchObject({ pointOfControl: '102' });
    expect(textsOf(profileOf('1', trades.toReversed()))).toMatchObject({ pointOfControl: '102' });
  });

  it('ends the value area where exactly its share is held', () => {
    // 0.7 × 1 is 7 of 10 tenths, and 0.1 + 0.6 in doubles is less.
    const trades = [sized('1', '0.3'), sized('2', '0.6'), sized('3', '0.1')];
    expect(textsOf(profileOf('1', [sized('1', '0.1'), sized('2', '0.6'), sized('3', '0.3')]), 0.7)).toMatchObject({
      valueAreaLow: '2',
      valueAreaHigh: '3',
    });
    expect(textsOf(profileOf('1', trades), 0.9)).toMatchObject({ valueAreaLow: '1', valueAreaHigh: '2' });
  });

  it('is exact for any sizes, in any order, and when continued from its state anywhere', () => {
    fc.assert(
      fc.property(markets, rules, fc.constantFrom(0.1, 0.5, 0.7, 1), fc.nat(), (trades, rule, share, cut) => {
        let profile = profileOf('0.02');
        trades.forEach(([price, size], index) => {
          profile.add(price, size);
          if (index === cut % trades.length) profile = VolumeProfile.fromState(profile.toState());
        });
        expect(textsOf(profile, share, rule)).toEqual(naiveOf(trades, 20_000_000_000n, share, rule));
        expect(canonicalJson(profileOf('0.02', trades.toReversed()).toState())).toBe(canonicalJson(profile.toState()));
        expect(VolumeProfile.fromState(profile.toState()).valueArea(share, rule)).toEqual(
          profile.valueArea(share, rule),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it('forgets without a trace a trade that is taken out', () => {
    fc.assert(
      fc.property(markets, fc.infiniteStream(fc.boolean()), (trades, lots) => {
        const kept = trades.filter(() => lots.next().value as boolean);
        const profile = profileOf('0.02', trades);
        for (const [price, size] of trades.filter((trade) => !kept.includes(trade))) profile.remove(price, size);
        expect(canonicalJson(profile.toState())).toBe(canonicalJson(profileOf('0.02', kept).toState()));
        // The last trade's bin may just have been removed, or have moved.
        const last = trades.at(-1)!;
        profile.add(...last);
        expect(canonicalJson(profile.toState())).toBe(canonicalJson(profileOf('0.02', [...kept, last]).toState()));
      }),
      { numRuns: 1_000 },
    );
    const profile = profileOf('1', [sized('1', '2')]);
    for (const [price, size] of [sized('2', '1'), sized('1', '3'), sized('1', '0.5')]) {
      expect(() => {
        profile.remove(price, size);
      }).toThrow('to take out');
    }
  });

  it('distinguishes prices after a fall by 10^6 within a session', () => {
    const trades = [
      sized('80.12', '10'),
      sized('6.2', '20'),
      sized('0.00009', '300'),
      sized('0.00021', '500'),
      sized('0.00031', '300'),
    ];
    const profile = new VolumeProfile(PriceRows.finerBelow(binSizeFrom(Decimal.of('80.12'))));
    for (const [price, size] of trades) profile.add(price, size);
    expect(textsOf(profile)).toEqual({
      pointOfControl: '0.00021',
      valueAreaLow: '0.00021',
      valueAreaHigh: '0.00031',
      profileBinSize: '0.0000001',
    });
    // In rows of the first price's bin size, all of these share one.
    expect(textsOf(profileOf('0.001', trades))).toMatchObject({ pointOfControl: '0' });
  });

  it('leaves no bin without volume', () => {
    expect(profileOf('1', [sized('1', '0')]).size).toBe(0);
  });

  it('merges neighbours instead of growing without bound', () => {
    for (const size of ['1', '999999999999999.999999999999']) {
      const profile = profileOf('1');
      for (let price = 1; price <= PROFILE_BINS_MAX + 1; price += 1) {
        profile.add(Decimal.of(String(price)), Decimal.of(size));
      }
      expect(profile.size).toBe(PROFILE_BINS_MAX / 2 + 1);
      const { merged, bins } = profile.toState();
      const held = bins.flatMap(contentOf);
      expect([merged, held[0]?.[1], held.length]).toEqual([2, size, PROFILE_BINS_MAX / 2 + 1]);
      expect(textsOf(profile, 1)).toMatchObject({ valueAreaHigh: String(PROFILE_BINS_MAX), profileBinSize: '2' });
      profile.remove(Decimal.of('1'), Decimal.of(size));
      expect(textsOf(profile, 1)).toMatchObject({ valueAreaLow: '2' });
    }
  });

  it("handles bins and prices at a decimal's bounds", () => {
    const profile = profileOf('0.000000000001', [sized('999999999999999', '1')]);
    expect(profile.valueArea(0.7, 'ONE_ROW')?.pointOfControl.toNumber()).toBeCloseTo(9007.199254740991, 9);
    expect(textsOf(profileOf('700000000000000', [sized('-999999999999999', '1')]))).toMatchObject({
      pointOfControl: '-999999999999999.999999999999',
    });
  });

  it('continues from the doubles of engine version 2', () => {
    const profile = VolumeProfile.fromRounded({ binSize: '0.1', merged: 2, bins: [3, 0.1 + 0.2, 4, 0, 7, 4.35] });
    expect(profile.toState()).toEqual({
      binSize: '0.1',
      depth: 0,
      merged: 2,
      bins: [
        [
          [3, '0.3'],
          [7, '4.35'],
        ],
      ],
    });
    expect(textsOf(profile)).toMatchObject({ pointOfControl: '1.4', profileBinSize: '0.2' });
  });
});
