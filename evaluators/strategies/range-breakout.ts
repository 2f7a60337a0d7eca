import { z } from 'zod';
import { clamp, sigmoid } from '../arithmetic.ts';
import { defineStrategy, neutral } from './strategy.ts';

/** Within the range there is data, but no signal. */
const QUALITY_WITHIN_RANGE = 0.5;

/**
 * Forecasts that a price beyond the range of the previous bars, confirmed by volume, moves on.
 *
 * Donchian: up when `lastPrice > rangeHigh`, down when `lastPrice < rangeLow`, and in both cases only when `barVolume >
 * volumeFactor · meanBarVolume`. The current bar is not over, so its volume so far is a lower bound: confirmation comes
 * late rather than early. `x` = distance beyond the range, as a fraction of its width, at most 1;
 * `p = σ(baseEvidence + slope · x)`. Quality `1 − threshold / (2 · barVolume)`: ½ at the threshold, near 1 on a surge.
 */
export const rangeBreakout = defineStrategy({
  name: 'RANGE_BREAKOUT',
  parameters: z.strictObject({
    volumeFactor: z.number().min(0).max(100).default(1.5),
    baseEvidence: z.number().min(0).max(2).default(0.05),
    slope: z.number().min(0).max(2).default(0.1),
  }),
  evaluate(snapshot, { volumeFactor, baseEvidence, slope }) {
    const { rangeHigh, rangeLow, barVolume, meanBarVolume } = snapshot;
    const lastPrice = snapshot.lastPrice.toNumber();
    if (rangeHigh === null || rangeLow === null || meanBarVolume === null) {
      return neutral(0, { lastPrice, barVolume }, () => 'too few bars are completed for a range');
    }
    const high = rangeHigh.toNumber();
    const low = rangeLow.toNumber();
    const indicators = { barVolume, lastPrice, meanBarVolume, rangeHigh: high, rangeLow: low };
    const isAbove = snapshot.lastPrice.compare(rangeHigh) > 0;
    const isBelow = snapshot.lastPrice.compare(rangeLow) < 0;
    const place = () =>
      `last ${snapshot.lastPrice.toString()} against the range ${rangeLow.toString()} to ${rangeHigh.toString()}`;
    if (!isAbove && !isBelow) return neutral(QUALITY_WITHIN_RANGE, indicators, () => `${place()}: within`);
    const threshold = volumeFactor * meanBarVolume;
    const volume = () =>
      `bar volume ${barVolume.toFixed(6)} against ${volumeFactor} × mean ${meanBarVolume.toFixed(6)}`;
    if (barVolume <= threshold) {
      return neutral(QUALITY_WITHIN_RANGE, indicators, () => `${place()}: beyond, but ${volume()} does not confirm it`);
    }
    const width = high - low;
    const excess = isAbove ? lastPrice - high : low - lastPrice;
    const beyond = width > 0 ? Math.min(excess / width, 1) : 1;
    const evidence = baseEvidence + slope * beyond;
    return {
      direction: isAbove ? 'LONG' : 'SHORT',
      probability: clamp(sigmoid(evidence), 0.5, 1),
      quality: 1 - threshold / (2 * barVolume),
      indicators,
      reasoning: () =>
        `${place()}: ${isAbove ? 'above' : 'below'}, ${volume()} confirms it: p = σ(${baseEvidence} + ${slope}·${beyond.toFixed(6)}) = σ(${evidence.toFixed(6)})`,
    };
  },
});
