import { canonicalJson } from '../contracts/canonical-json.ts';
import { Decimal } from '../contracts/decimal.ts';
import type { EngineConfiguration } from './configuration.ts';
import type { RangeParameters } from './indicators/range.ts';
import type { ValueAreaRule } from './indicators/value-area.ts';
import type { SessionWindow } from './indicators/vwap.ts';
import { ConfidenceScorer } from './probability/confidence-scorer.ts';
import { ProbabilityEngine } from './probability/probability-engine.ts';
import { STRATEGIES } from './strategies/registry.ts';
import type { Evaluate } from './strategies/strategy.ts';

const US_PER_MS = 1_000;
/** A derived bin is this part of the price's power of ten. */
const BINS_PER_DECADE = 10_000n;
/** What a price of 0 is taken for, which has no power of ten: 1, in units of 10^-12. */
const PRICE_WITHOUT_MAGNITUDE = 1_000_000_000_000n;

export interface EnabledStrategy {
  readonly name: string;
  readonly weight: number;
  readonly evaluate: Evaluate;
}

/** A configuration made ready for the hot path: times in microseconds, strategies with their parameters. */
export interface EngineRules {
  readonly cadenceUs: number;
  readonly anchorIntervalRecords: number;
  readonly range: RangeParameters;
  readonly valueAreaShare: number;
  readonly valueAreaRule: ValueAreaRule;
  readonly strategies: readonly EnabledStrategy[];
  readonly scorer: ConfidenceScorer;
  readonly probabilityEngine: ProbabilityEngine;
  readonly horizonMs: number;
  readonly horizonUs: number;
  readonly graceUs: number;
  readonly minMoveBps: number;
  sessionOf(instrument: string): SessionWindow;
  /** Undefined where the bin is derived from the first price. */
  binSizeOf(instrument: string): Decimal | undefined;
  /** The parameters of an instrument's indicators, one text each: an indicator whose text changed restarts empty. */
  readonly profileKey: string;
  readonly rangeKey: string;
}

export function compileRules(configuration: EngineConfiguration): EngineRules {
  const { cadenceMs, anchorIntervalRecords, range, volumeProfile, hitRule, instruments } = configuration;
  return {
    cadenceUs: cadenceMs * US_PER_MS,
    anchorIntervalRecords,
    range: { barUs: range.barMs * US_PER_MS, bars: range.bars },
    ...volumeProfile,
    strategies: STRATEGIES.flatMap(({ name, configure }) => {
      const settings = configuration.strategies[name];
      if (settings?.enabled !== true) return [];
      return [{ name, weight: settings.weight, evaluate: configure(settings.parameters) }];
    }),
    scorer: new ConfidenceScorer(configuration.confidence),
    probabilityEngine: new ProbabilityEngine(configuration.pooling),
    horizonMs: hitRule.horizonMs,
    horizonUs: hitRule.horizonMs * US_PER_MS,
    graceUs: hitRule.graceMs * US_PER_MS,
    minMoveBps: hitRule.minMoveBps,
    sessionOf(instrument) {
      const { anchorMs, lengthMs } = instruments[instrument]?.session ?? configuration.session;
      return { anchorUs: anchorMs * US_PER_MS, lengthUs: lengthMs * US_PER_MS };
    },
    binSizeOf(instrument) {
      const text = instruments[instrument]?.binSize;
      return text === undefined ? undefined : Decimal.of(text);
    },
    profileKey: canonicalJson(volumeProfile),
    rangeKey: canonicalJson(range),
  };
}

/**
 * Bin size where none is configured: the greatest power of ten not above a first price's magnitude, divided by 10,000,
 * and at least 10^-12. So 61,837 has a bin of 1, −37.6 of 0.001, and 0.5 of 0.00001; a price of 0 that of 1.
 */
export function binSizeFrom(firstPrice: Decimal): Decimal {
  const signed = firstPrice.isZero() ? PRICE_WITHOUT_MAGNITUDE : firstPrice.toUnits();
  const units = signed < 0n ? -signed : signed;
  let power = 1n;
  while (power * 10n <= units) power *= 10n;
  const bin = power / BINS_PER_DECADE;
  return Decimal.fromUnits(bin === 0n ? 1n : bin);
}
