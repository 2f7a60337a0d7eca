import { z } from 'zod';
import { clamp, sigmoid } from '../arithmetic.ts';
import { defineStrategy, neutral } from './strategy.ts';

/** There is data, but no signal. */
const QUALITY_WITHOUT_MOMENTUM = 0.5;

/**
 * Forecasts that a price that moved far over the range's bars, with enough volume, moves on.
 *
 * `m = (lastPrice − rangeFirstPrice) / (high − low)`, high and low of the range's bars and the last price: −1 to 1, the
 * part of the way between the extremes that was kept. NEUTRAL when |m| < `entryMomentum`, and when the current bar's
 * volume so far is below `volumeFactor · meanBarVolume`; else LONG for m above 0 and SHORT below, with
 * `p = σ(baseEvidence + slope · (|m| − entryMomentum))`, in log odds. The current bar is not over, so its volume is a lower
 * bound. Quality `1 − threshold / (2 · barVolume)`: ½ at the threshold, near 1 on a surge.
 *
 * Moskowitz, Ooi & Pedersen 2012, "Time series momentum", doi 10.1016/j.jfineco.2011.11.003; that volume distinguishes
 * lasting moves from others: Lee & Swaminathan 2000, "Price momentum and trading volume", doi 10.1111/0022-1082.00280.
 * Both are about months; nothing shows that it holds for minutes.
 */
export const volumeMomentum = defineStrategy({
  name: 'VOLUME_MOMENTUM',
  isEnabledUnlessNamed: false,
  parameters: z.strictObject({
    entryMomentum: z.number().min(0).max(1).default(0.5),
    volumeFactor: z.number().min(0).max(100).default(0.5),
    baseEvidence: z.number().min(0).max(2).default(0.02),
    slope: z.number().min(0).max(2).default(0.1),
  }),
  evaluate(snapshot, { entryMomentum, volumeFactor, baseEvidence, slope }) {
    const { rangeHigh, rangeLow, rangeFirstPrice, barVolume, meanBarVolume } = snapshot;
    const lastPrice = snapshot.lastPrice.toNumber();
    if (rangeHigh === null || rangeLow === null || meanBarVolume === null) {
      return neutral(0, { lastPrice, barVolume }, () => 'too few bars are completed for a momentum');
    }
    if (rangeFirstPrice === null) {
      return neutral(0, { lastPrice, barVolume }, () => 'the first price of the bars is not known');
    }
    const firstPrice = rangeFirstPrice.toNumber();
    const width = Math.max(rangeHigh.toNumber(), lastPrice) - Math.min(rangeLow.toNumber(), lastPrice);
    if (width === 0)
      return neutral(0, { lastPrice, firstPrice, barVolume }, () => 'the bars have one price: no momentum');
    const momentum = clamp((lastPrice - firstPrice) / width, -1, 1);
    const strength = Math.abs(momentum);
    const indicators = { lastPrice, firstPrice, momentum, barVolume, meanBarVolume };
    const place = () =>
      `${snapshot.lastPrice.toString()} after ${rangeFirstPrice.toString()}, momentum ${momentum.toFixed(6)}`;
    if (strength < entryMomentum || momentum === 0) {
      return neutral(QUALITY_WITHOUT_MOMENTUM, indicators, () => `${place()}: less than ${entryMomentum}`);
    }
    const threshold = volumeFactor * meanBarVolume;
    const volume = () =>
      `bar volume ${barVolume.toFixed(6)} against ${volumeFactor} × mean ${meanBarVolume.toFixed(6)}`;
    if (barVolume < threshold || barVolume <= 0) {
      return neutral(QUALITY_WITHOUT_MOMENTUM, indicators, () => `${place()}, but ${volume()} does not confirm it`);
    }
    const evidence = baseEvidence + slope * (strength - entryMomentum);
    return {
      direction: momentum > 0 ? 'LONG' : 'SHORT',
      probability: clamp(sigmoid(evidence), 0.5, 1),
      quality: 1 - threshold / (2 * barVolume),
      indicators,
      reasoning: () =>
        `${place()}, ${volume()} confirms it: p = σ(${baseEvidence} + ${slope}·(|m| − ${entryMomentum})) = σ(${evidence.toFixed(6)})`,
    };
  },
});
