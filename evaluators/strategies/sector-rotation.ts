import { z } from 'zod';
import { clamp, sigmoid } from '../arithmetic.ts';
import type { Signal } from '../context/signal.ts';
import { defineStrategy, neutral } from './strategy.ts';

/** There is a strength, but no signal. */
const QUALITY_WITHOUT_DIRECTION = 0.5;

/**
 * Forecasts that an instrument moves on with its sector: up when the sector is stronger than the others, down when it is
 * weaker.
 *
 * `s` is the value of the newest SECTOR_ROTATION signal in force about the instrument, −1 to 1: the relative strength of
 * its sector. NEUTRAL when |s| < `entryStrength`; else LONG for s above 0 and SHORT below, with
 * `p = σ(baseEvidence + slope · (|s| − entryStrength))`, in log odds. Quality: the signal's confidence.
 *
 * Moskowitz & Grinblatt 1999, "Do industries explain momentum?", doi 10.1111/0022-1082.00146. That is about months of
 * whole industries; nothing shows that it holds for minutes.
 */
export const sectorRotation = defineStrategy({
  name: 'SECTOR_ROTATION',
  isEnabledUnlessNamed: false,
  isListedUnlessNamed: false,
  parameters: z.strictObject({
    entryStrength: z.number().min(0).max(1).default(0.25),
    baseEvidence: z.number().min(0).max(2).default(0.02),
    slope: z.number().min(0).max(2).default(0.1),
  }),
  evaluate(_snapshot, { entryStrength, baseEvidence, slope }, given) {
    const newest = newestOf(given);
    if (newest === undefined)
      return neutral(0, { signals: 0 }, () => "no strength of the instrument's sector is in force");
    const { value: relativeStrength, confidence } = newest;
    const strength = Math.abs(relativeStrength);
    const indicators = { relativeStrength, confidence };
    const signals = [newest];
    const place = () => `its sector's relative strength is ${relativeStrength.toFixed(6)}`;
    if (strength < entryStrength || relativeStrength === 0) {
      const why = () => `${place()}: less than ${entryStrength}`;
      return { ...neutral(QUALITY_WITHOUT_DIRECTION, indicators, why), signals };
    }
    const evidence = baseEvidence + slope * (strength - entryStrength);
    return {
      direction: relativeStrength > 0 ? 'LONG' : 'SHORT',
      probability: clamp(sigmoid(evidence), 0.5, 1),
      quality: confidence,
      indicators,
      signals,
      reasoning: () =>
        `${place()}: p = σ(${baseEvidence} + ${slope}·(|s| − ${entryStrength})) = σ(${evidence.toFixed(6)})`,
    };
  },
});

/** The one that came into force last, of several the last in their order. */
function newestOf(given: readonly Signal[]): Signal | undefined {
  let newest: Signal | undefined;
  for (const signal of given) {
    if (signal.kind !== 'SECTOR_ROTATION' || signal.instrument === null) continue;
    if (newest === undefined || signal.validFrom >= newest.validFrom) newest = signal;
  }
  return newest;
}
