import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import { sigmoid } from '../arithmetic.ts';
import { snapshot } from '../fixtures/snapshot.ts';
import { PriceRows } from '../indicators/price-rows.ts';
import { VolumeProfile } from '../indicators/volume-profile.ts';
import { Vwap } from '../indicators/vwap.ts';
import { rangeBreakout } from './range-breakout.ts';
import { vwapReversion } from './vwap-reversion.ts';

describe('VWAP_REVERSION', () => {
  const evaluate = vwapReversion.configure({ entryDeviations: 1, maxDeviations: 3, baseEvidence: 0.1, slope: 0.2 });

  it('expects the price to return, by the formula', () => {
    expect(evaluate(snapshot({ lastPrice: Decimal.of('104') }))).toMatchObject({
      direction: 'SHORT',
      probability: sigmoid(0.1 + 0.2 * (2 - 1)),
      quality: 1,
      indicators: { deviations: 2 },
    });
    expect(evaluate(snapshot({ lastPrice: Decimal.of('98') }))).toMatchObject({
      direction: 'LONG',
      probability: sigmoid(0.1),
      quality: 0.5,
    });
    expect(evaluate(snapshot({ lastPrice: Decimal.of('50') })).probability).toBe(sigmoid(0.1 + 0.2 * 2));
  });

  it('counts the whole top row as inside, like the lowest', () => {
    const qualityAt = (lastPrice: string, profileBinSize: string | null) =>
      evaluate(
        snapshot({
          lastPrice: Decimal.of(lastPrice),
          vwapDeviation: 0.5,
          profileBinSize: profileBinSize === null ? null : Decimal.of(profileBinSize),
        }),
      ).quality;
    expect(['97.99', '98', '102', '102.99', '103'].map((price) => qualityAt(price, '1'))).toEqual([
      1, 0.5, 0.5, 0.5, 1,
    ]);
    // Events of engine versions 1 and 2.
    expect(['97.99', '98', '102', '102.01'].map((price) => qualityAt(price, null))).toEqual([1, 0.5, 0.5, 1]);
    // An upper edge beyond what a decimal holds.
    expect(qualityAt('999999999999999', '999999999999999')).toBe(0.5);
  });

  it('has the same quality for a market and its mirror image', () => {
    const qualityOf = (last: string) => {
      const profile = new VolumeProfile(PriceRows.uniform(Decimal.of('1')));
      const vwap = new Vwap();
      const rows = [
        ['98.5', '1'],
        ['99.5', '10'],
        ['100.5', '30'],
        ['101.5', '10'],
        ['102.5', '1'],
        [last, '0.001'],
      ] as const;
      for (const [price, size] of rows) {
        profile.add(Decimal.of(price), Decimal.of(size));
        vwap.add(Decimal.of(price), Decimal.of(size));
      }
      const { average, deviation } = vwap;
      const area = profile.valueArea(0.7, 'ONE_ROW');
      const measured = { lastPrice: Decimal.of(last), vwap: average!, vwapDeviation: deviation!, ...area };
      return evaluate(snapshot(measured));
    };
    expect(qualityOf('101.9')).toMatchObject({ direction: 'SHORT', quality: 0.5 });
    expect(qualityOf('99.1')).toMatchObject({ direction: 'LONG', quality: 0.5 });
  });

  it('is NEUTRAL near the average or without a deviation', () => {
    expect(evaluate(snapshot({ lastPrice: Decimal.of('101.99') })).direction).toBe('NEUTRAL');
    expect(evaluate(snapshot({ vwapDeviation: 0 }))).toMatchObject({ direction: 'NEUTRAL', quality: 0 });
  });
});

describe('RANGE_BREAKOUT', () => {
  const evaluate = rangeBreakout.configure({ volumeFactor: 1.5, baseEvidence: 0.1, slope: 0.2 });

  it('follows a breakout that volume confirms, by the formula', () => {
    expect(evaluate(snapshot({ lastPrice: Decimal.of('115') }))).toMatchObject({
      direction: 'LONG',
      probability: sigmoid(0.1 + 0.2 * 0.25),
      quality: 1 - 6 / 20,
    });
    expect(evaluate(snapshot({ lastPrice: Decimal.of('60') }))).toMatchObject({
      direction: 'SHORT',
      probability: sigmoid(0.1 + 0.2),
    });
  });

  it('is NEUTRAL within the range, at its edge, without confirmation, or without a range', () => {
    expect(evaluate(snapshot({})).direction).toBe('NEUTRAL');
    expect(evaluate(snapshot({ lastPrice: Decimal.of('110') })).direction).toBe('NEUTRAL');
    expect(evaluate(snapshot({ lastPrice: Decimal.of('115'), barVolume: 6 })).direction).toBe('NEUTRAL');
    const unready = snapshot({ lastPrice: Decimal.of('115'), rangeHigh: null, rangeLow: null, meanBarVolume: null });
    expect(evaluate(unready)).toMatchObject({ direction: 'NEUTRAL', quality: 0 });
  });
});
