import { z } from 'zod';
import { clamp, sigmoid } from '../arithmetic.ts';
import { isInsideValueArea, valueAreaPlaces } from '../indicators/value-area-place.ts';
import { defineStrategy, neutral } from './strategy.ts';

/** There is data, but no signal. */
const QUALITY_WITHOUT_REJECTION = 0.5;

/**
 * Forecasts that a market that tried prices beyond one edge of the value area, and came back, moves on towards the
 * other edge.
 *
 * `x` = how far the range's bars went beyond the edge, as a fraction of the value area's height, at most 1; `d` = how
 * far the last price is back inside it, as such a fraction. SHORT after a try above and LONG after one below, where
 * x > 0 at one edge only and `d ≤ maxReturn` (further inside, the return is already over):
 * `p = σ(baseEvidence + slope · x)`, in log odds. NEUTRAL outside, without a try, and where both edges were tried.
 * Quality `1 − d`: the rejection is fresh at the edge.
 *
 * Steidlmayer & Koy 1986, "Markets and Market Logic"; Dalton, Jones & Dalton 2013, "Mind over Markets", ISBN
 * 978-1-118-53173-0: a price that is not accepted beyond the value area returns into it. Practice, not tested there.
 */
export const valueAreaRejection = defineStrategy({
  name: 'VALUE_AREA_REJECTION',
  isEnabledUnlessNamed: false,
  parameters: z.strictObject({
    maxReturn: z.number().min(0).max(1).default(0.5),
    baseEvidence: z.number().min(0).max(2).default(0.02),
    slope: z.number().min(0).max(2).default(0.1),
  }),
  evaluate(snapshot, { maxReturn, baseEvidence, slope }) {
    const { rangeHigh, rangeLow } = snapshot;
    const lastPrice = snapshot.lastPrice.toNumber();
    const { low, high } = valueAreaPlaces(snapshot);
    const area = { lastPrice, valueAreaLow: low, valueAreaHigh: high };
    if (rangeHigh === null || rangeLow === null) {
      return neutral(0, area, () => 'too few bars are completed to know which prices were tried');
    }
    const height = high - low;
    if (height <= 0) return neutral(0, area, () => 'the value area has no height');
    const above = Math.max(rangeHigh.toNumber() - high, 0) / height;
    const below = Math.max(low - rangeLow.toNumber(), 0) / height;
    const indicators = { ...area, triedAbove: above, triedBelow: below };
    const place = () => `last ${snapshot.lastPrice.toString()} against the value area ${low} to ${high}`;
    const silent = (why: () => string) => neutral(QUALITY_WITHOUT_REJECTION, indicators, () => `${place()}: ${why()}`);
    if (!isInsideValueArea(snapshot)) return silent(() => 'outside');
    if (above > 0 && below > 0) return silent(() => 'both edges were tried');
    if (above === 0 && below === 0) return silent(() => 'no edge was tried');
    const isFromAbove = above > 0;
    const back = clamp((isFromAbove ? high - lastPrice : lastPrice - low) / height, 0, 1);
    if (back > maxReturn)
      return silent(() => `${back.toFixed(6)} of its height back from the edge tried, beyond ${maxReturn}`);
    const tried = Math.min(Math.max(above, below), 1);
    const evidence = baseEvidence + slope * tried;
    return {
      direction: isFromAbove ? 'SHORT' : 'LONG',
      probability: clamp(sigmoid(evidence), 0.5, 1),
      quality: 1 - back,
      indicators,
      reasoning: () =>
        `${place()}, ${back.toFixed(6)} of its height back from a try ${isFromAbove ? 'above' : 'below'}: p = σ(${baseEvidence} + ${slope}·${tried.toFixed(6)}) = σ(${evidence.toFixed(6)})`,
    };
  },
});
