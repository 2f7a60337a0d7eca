import { z } from 'zod';
import { clamp, sigmoid } from '../arithmetic.ts';
import { isInsideValueArea, valueAreaPlaces } from '../indicators/value-area-place.ts';
import { defineStrategy, neutral } from './strategy.ts';

/** There is data, but no signal. */
const QUALITY_WITHOUT_PULL = 0.5;

/**
 * Forecasts that a price inside the value area moves to the point of control, where most was traded.
 *
 * `x` = distance from the middle of the point of control's row, as a fraction of the distance from there to the value
 * area's edge on that side, at most 1. SHORT above and LONG below it from `entryDistance` on: `p = σ(baseEvidence +
 * slope · (x − entryDistance))`, in log odds. NEUTRAL nearer, and outside the value area: there the market may be
 * looking for another value. Quality ½ + ½ · (1 − x): the move begins at the area's edge.
 *
 * Steidlmayer & Koy 1986, "Markets and Market Logic"; Dalton, Jones & Dalton 2013, "Mind over Markets", ISBN
 * 978-1-118-53173-0: the point of control is the price to which a balanced market returns. Practice, not tested there.
 */
export const pointOfControlMagnet = defineStrategy({
  name: 'POINT_OF_CONTROL_MAGNET',
  isEnabledUnlessNamed: false,
  parameters: z.strictObject({
    entryDistance: z.number().min(0).max(1).default(0.25),
    baseEvidence: z.number().min(0).max(2).default(0.02),
    slope: z.number().min(0).max(2).default(0.08),
  }),
  evaluate(snapshot, { entryDistance, baseEvidence, slope }) {
    const lastPrice = snapshot.lastPrice.toNumber();
    const { low, pointOfControl, high } = valueAreaPlaces(snapshot);
    const area = { lastPrice, valueAreaLow: low, pointOfControl, valueAreaHigh: high };
    const place = () => `last ${snapshot.lastPrice.toString()} against the point of control ${pointOfControl}`;
    if (!isInsideValueArea(snapshot))
      return neutral(QUALITY_WITHOUT_PULL, area, () => `${place()}: outside the value area`);
    const isAbove = lastPrice > pointOfControl;
    const reach = isAbove ? high - pointOfControl : pointOfControl - low;
    if (reach <= 0) return neutral(0, area, () => `${place()}: the value area ends there`);
    const distance = clamp(Math.abs(lastPrice - pointOfControl) / reach, 0, 1);
    const indicators = { ...area, distance };
    const way = () => `${distance.toFixed(6)} of the way to the value area's edge`;
    if (distance < entryDistance || lastPrice === pointOfControl) {
      return neutral(QUALITY_WITHOUT_PULL, indicators, () => `${place()}: ${way()}, nearer than ${entryDistance}`);
    }
    const evidence = baseEvidence + slope * (distance - entryDistance);
    return {
      direction: isAbove ? 'SHORT' : 'LONG',
      probability: clamp(sigmoid(evidence), 0.5, 1),
      quality: 0.5 + 0.5 * (1 - distance),
      indicators,
      reasoning: () =>
        `${place()}: ${way()}: p = σ(${baseEvidence} + ${slope}·(x − ${entryDistance})) = σ(${evidence.toFixed(6)})`,
    };
  },
});
