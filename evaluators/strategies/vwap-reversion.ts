import { z } from 'zod';
import { clamp, sigmoid } from '../arithmetic.ts';
import { isInsideValueArea } from '../indicators/value-area-place.ts';
import { defineStrategy, neutral } from './strategy.ts';

/** A price outside the value area agrees with the deviation; inside it, only half as much. */
const QUALITY_OUTSIDE_VALUE_AREA = 1;
const QUALITY_INSIDE_VALUE_AREA = 0.5;
/** Near the average there is data, but no signal. */
const QUALITY_NEAR_AVERAGE = 0.5;

/**
 * Forecasts that a price far from the session's average returns towards it.
 *
 * `z = (lastPrice − vwap) / vwapDeviation`. NEUTRAL below `entryDeviations`; else SHORT above the average and LONG below,
 * with `p = σ(baseEvidence + slope · (min(|z|, maxDeviations) − entryDeviations))`, in log odds.
 */
export const vwapReversion = defineStrategy({
  name: 'VWAP_REVERSION',
  parameters: z.strictObject({
    entryDeviations: z.number().min(0).max(10).default(1),
    maxDeviations: z.number().min(0).max(20).default(3),
    baseEvidence: z.number().min(0).max(2).default(0.02),
    slope: z.number().min(0).max(2).default(0.06),
  }),
  contradictionIn: ({ entryDeviations, maxDeviations }) =>
    entryDeviations > maxDeviations ? 'entryDeviations must not be above maxDeviations' : undefined,
  evaluate(snapshot, { entryDeviations, maxDeviations, baseEvidence, slope }) {
    const lastPrice = snapshot.lastPrice.toNumber();
    const { vwap, vwapDeviation } = snapshot;
    if (vwapDeviation === 0) {
      return neutral(
        0,
        { lastPrice, vwap, vwapDeviation },
        () => 'the session has one price so far: no deviation from it',
      );
    }
    const deviations = (lastPrice - vwap) / vwapDeviation;
    const distance = Math.abs(deviations);
    const indicators = { deviations, lastPrice, vwap, vwapDeviation };
    const place = () =>
      `last ${snapshot.lastPrice.toString()} is ${deviations.toFixed(3)} deviations from VWAP ${vwap.toFixed(6)}`;
    if (distance < entryDeviations) {
      return neutral(QUALITY_NEAR_AVERAGE, indicators, () => `${place()}: within ${entryDeviations}`);
    }
    const inside = isInsideValueArea(snapshot);
    const evidence = baseEvidence + slope * Math.max(Math.min(distance, maxDeviations) - entryDeviations, 0);
    return {
      direction: deviations > 0 ? 'SHORT' : 'LONG',
      probability: clamp(sigmoid(evidence), 0.5, 1),
      quality: inside ? QUALITY_INSIDE_VALUE_AREA : QUALITY_OUTSIDE_VALUE_AREA,
      indicators,
      reasoning: () =>
        `${place()}, ${inside ? 'inside' : 'outside'} the value area: p = σ(${baseEvidence} + ${slope}·(min(|z|, ${maxDeviations}) − ${entryDeviations})) = σ(${evidence.toFixed(6)})`,
    };
  },
});
