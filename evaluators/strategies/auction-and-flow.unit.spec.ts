import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import { sigmoid } from '../arithmetic.ts';
import { snapshot } from '../fixtures/snapshot.ts';
import { orderFlowImbalance } from './order-flow-imbalance.ts';
import { pointOfControlMagnet } from './point-of-control-magnet.ts';
import { valueAreaRejection } from './value-area-rejection.ts';
import { volumeMomentum } from './volume-momentum.ts';

const WITHOUT_BARS = {
  rangeHigh: null,
  rangeLow: null,
  meanBarVolume: null,
  rangeFirstPrice: null,
  takerBuyVolume: null,
  takerSellVolume: null,
  takerUnknownVolume: null,
};
const at = (lastPrice: string, changes = {}) => snapshot({ lastPrice: Decimal.of(lastPrice), ...changes });

describe('VOLUME_MOMENTUM', () => {
  const evaluate = volumeMomentum.configure({ entryMomentum: 0.25, volumeFactor: 0.5, baseEvidence: 0.1, slope: 0.2 });

  it('follows the move from the first price, as a fraction of the width, by the formula', () => {
    expect(evaluate(at('110'))).toMatchObject({
      direction: 'LONG',
      probability: sigmoid(0.1 + 0.2 * (0.5 - 0.25)),
      quality: 1 - 2 / 20,
      indicators: { momentum: 0.5 },
    });
    expect(evaluate(at('95'))).toMatchObject({ direction: 'SHORT', probability: sigmoid(0.1) });
    // Beyond the range, the last price is the extreme: (130 − 100) / (130 − 90).
    expect(evaluate(at('130'))).toMatchObject({ direction: 'LONG', indicators: { momentum: 0.75 } });
  });

  it('is NEUTRAL for a small move, without volume, without bars, or without a first price, with the reason', () => {
    expect(evaluate(at('104.99'))).toMatchObject({ direction: 'NEUTRAL', quality: 0.5 });
    expect(evaluate(at('110', { barVolume: 1.99 })).reasoning()).toContain('does not confirm it');
    expect(evaluate(at('110', { barVolume: 2 })).direction).toBe('LONG');
    expect(evaluate(at('110', WITHOUT_BARS))).toMatchObject({ direction: 'NEUTRAL', quality: 0 });
    const withoutFirst = evaluate(at('110', { rangeFirstPrice: null }));
    expect(withoutFirst).toMatchObject({ direction: 'NEUTRAL', quality: 0 });
    expect(withoutFirst.reasoning()).toBe('the first price of the bars is not known');
    const flat = { rangeHigh: Decimal.of('100'), rangeLow: Decimal.of('100') };
    expect(evaluate(at('100', flat))).toMatchObject({ direction: 'NEUTRAL', quality: 0 });
    const always = volumeMomentum.configure({ entryMomentum: 0, volumeFactor: 0 });
    expect(always(at('100'))).toMatchObject({ direction: 'NEUTRAL', quality: 0.5 });
    expect(always(at('110', { barVolume: 0 }))).toMatchObject({ direction: 'NEUTRAL', quality: 0.5 });
  });
});

describe('VALUE_AREA_REJECTION', () => {
  const evaluate = valueAreaRejection.configure({ maxReturn: 0.5, baseEvidence: 0.1, slope: 0.2 });
  const above = { rangeHigh: Decimal.of('104'), rangeLow: Decimal.of('99'), profileBinSize: Decimal.of('2') };
  const below = { rangeHigh: Decimal.of('103'), rangeLow: Decimal.of('80'), profileBinSize: Decimal.of('2') };

  it('expects the way back across the area after a try beyond one edge, by the formula', () => {
    // The area is 98 to 104, its top row included: 104 is not beyond it.
    expect(evaluate(at('103', above))).toMatchObject({ direction: 'NEUTRAL', quality: 0.5 });
    const high = { ...above, rangeHigh: Decimal.of('107') };
    expect(evaluate(at('102.5', high))).toMatchObject({
      direction: 'SHORT',
      probability: sigmoid(0.1 + 0.2 * 0.5),
      quality: 0.75,
    });
    // At most one height.
    expect(evaluate(at('98', below))).toMatchObject({ direction: 'LONG', probability: sigmoid(0.1 + 0.2), quality: 1 });
  });

  it('is NEUTRAL outside, after two tries, far from the edge, or without bars or height, with the reason', () => {
    const high = { ...above, rangeHigh: Decimal.of('107') };
    expect(evaluate(at('104', high)).reasoning()).toContain('outside');
    expect(evaluate(at('97.99', below)).reasoning()).toContain('outside');
    expect(evaluate(at('100.99', high)).reasoning()).toContain('beyond 0.5');
    expect(evaluate(at('103', { ...high, rangeLow: Decimal.of('97') })).reasoning()).toContain('both edges were tried');
    expect(evaluate(at('103', WITHOUT_BARS))).toMatchObject({ direction: 'NEUTRAL', quality: 0 });
    const flat = { valueAreaLow: Decimal.of('102'), profileBinSize: null };
    expect(evaluate(at('102', flat))).toMatchObject({ direction: 'NEUTRAL', quality: 0 });
  });
});

describe('POINT_OF_CONTROL_MAGNET', () => {
  const evaluate = pointOfControlMagnet.configure({ entryDistance: 0.25, baseEvidence: 0.1, slope: 0.2 });
  // Rows of 2: the area is 98 to 104, the middle of the point of control's row 101.
  const rows = { profileBinSize: Decimal.of('2') };

  it('is drawn to the middle of the row, by the formula, alike from above and below', () => {
    expect(evaluate(at('102.5', rows))).toMatchObject({
      direction: 'SHORT',
      probability: sigmoid(0.1 + 0.2 * 0.25),
      quality: 0.75,
    });
    expect(evaluate(at('99.5', rows))).toMatchObject({
      direction: 'LONG',
      probability: sigmoid(0.1 + 0.2 * 0.25),
      quality: 0.75,
    });
  });

  it('is NEUTRAL near it, outside the area, or where the area ends at it, with the reason', () => {
    expect(evaluate(at('101.5', rows))).toMatchObject({ direction: 'NEUTRAL', quality: 0.5 });
    expect(evaluate(at('104', rows)).reasoning()).toContain('outside the value area');
    const edge = { pointOfControl: Decimal.of('98'), valueAreaHigh: Decimal.of('98'), profileBinSize: null };
    expect(evaluate(at('98', edge))).toMatchObject({ direction: 'NEUTRAL', quality: 0 });
    const always = pointOfControlMagnet.configure({ entryDistance: 0 });
    expect(always(at('101', rows)).direction).toBe('NEUTRAL');
  });
});

describe('ORDER_FLOW_IMBALANCE', () => {
  const evaluate = orderFlowImbalance.configure({
    ...{ minKnownShare: 0.9, entryImbalance: 0.2, baseEvidence: 0.1, slope: 0.2 },
  });
  const flow = (takerBuyVolume: number, takerSellVolume: number, takerUnknownVolume = 0) =>
    evaluate(snapshot({ takerBuyVolume, takerSellVolume, takerUnknownVolume }));

  it('follows the takers, by the formula', () => {
    expect(flow(75, 25)).toMatchObject({
      direction: 'LONG',
      probability: sigmoid(0.1 + 0.2 * (0.5 - 0.2)),
      quality: 1,
    });
    expect(flow(18, 72, 10)).toMatchObject({
      direction: 'SHORT',
      probability: sigmoid(0.1 + 0.2 * (0.6 - 0.2)),
      quality: 0.9,
    });
  });

  it('is NEUTRAL in balance, or without bars, with the reason', () => {
    expect(flow(59, 41)).toMatchObject({ direction: 'NEUTRAL', quality: 0.5 });
    expect(evaluate(snapshot(WITHOUT_BARS))).toMatchObject({ direction: 'NEUTRAL', quality: 0 });
    const always = orderFlowImbalance.configure({ entryImbalance: 0 });
    expect(always(snapshot({}))).toMatchObject({ direction: 'NEUTRAL', quality: 0.5 });
  });

  it("is NEUTRAL when the taker's side is not known, without a guess, with the reason", () => {
    const tooFew = flow(75, 14, 11);
    expect(tooFew).toMatchObject({ direction: 'NEUTRAL', quality: 0 });
    expect(tooFew.reasoning()).toBe("the taker's side is known of 0.890000 of the volume: less than 0.9");
    const whatever = orderFlowImbalance.configure({ minKnownShare: 0, entryImbalance: 0 });
    const unknown = snapshot({ takerBuyVolume: 0, takerSellVolume: 0, takerUnknownVolume: 100 });
    for (const opinionOf of [evaluate, whatever]) {
      expect(opinionOf(unknown)).toMatchObject({ direction: 'NEUTRAL', quality: 0 });
      expect(opinionOf(unknown).reasoning()).toBe("the taker's side is known of no trade in these bars");
    }
  });
});
