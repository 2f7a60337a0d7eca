import { canonicalJson } from '../contracts/canonical-json.ts';
import { Decimal } from '../contracts/decimal.ts';
import type { EngineConfiguration } from './configuration.ts';
import type { RangeParameters } from './indicators/range.ts';
import type { ValueAreaRule } from './indicators/value-area.ts';
import type { SessionWindow } from './indicators/vwap.ts';
import { ConfidenceScorer } from './probability/confidence-scorer.ts';
import { ProbabilityEngine } from './probability/probability-engine.ts';
import { sessionCalendarOf, type SessionCalendar } from './sessions/session-calendar.ts';
import { isTradingHours, type SessionConfiguration } from './sessions/session-configuration.ts';
import { STRATEGIES } from './strategies/registry.ts';
import type { Evaluate } from './strategies/strategy.ts';

const US_PER_MS = 1_000;
/** A derived bin is this part of the price's power of ten. */
const BINS_PER_DECADE = 10_000n;

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
  /** Instruments without a session of their own share one. */
  calendarOf(instrument: string): SessionCalendar;
  /** An instrument's session with the data of its zone, as one text: it changes when and only when they do. */
  sessionKey(instrument: string): string;
  /** Undefined where the bin is derived from the first price. */
  binSizeOf(instrument: string): Decimal | undefined;
  /** The parameters of an instrument's indicators, one text each: an indicator whose text changed restarts empty. */
  readonly profileKey: string;
  readonly rangeKey: string;
}

export function compileRules(configuration: EngineConfiguration): EngineRules {
  const { cadenceMs, anchorIntervalRecords, range, volumeProfile, hitRule, instruments } = configuration;
  const sessionOf = (instrument: string) => instruments[instrument]?.session ?? configuration.session;
  const compiled = new Map<SessionConfiguration, CompiledSession>();
  const compiledOf = (instrument: string) => {
    const session = sessionOf(instrument);
    const known = compiled.get(session);
    if (known !== undefined) return known;
    const made = compileSession(session, configuration);
    compiled.set(session, made);
    return made;
  };
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
      const session = sessionOf(instrument);
      if (isTradingHours(session)) throw new TypeError(`${instrument} has trading hours: ask for its calendar`);
      return { anchorUs: session.anchorMs * US_PER_MS, lengthUs: session.lengthMs * US_PER_MS };
    },
    calendarOf: (instrument) => compiledOf(instrument).calendar,
    sessionKey: (instrument) => compiledOf(instrument).key,
    binSizeOf(instrument) {
      const text = instruments[instrument]?.binSize;
      return text === undefined ? undefined : Decimal.of(text);
    },
    profileKey: canonicalJson(volumeProfile),
    rangeKey: canonicalJson(range),
  };
}

interface CompiledSession {
  readonly calendar: SessionCalendar;
  readonly key: string;
}

function compileSession(session: SessionConfiguration, { timeZones }: EngineConfiguration): CompiledSession {
  const zone = isTradingHours(session) ? timeZones?.[session.timeZone] : undefined;
  return { calendar: sessionCalendarOf(session, timeZones), key: canonicalJson({ session, zone }) };
}

/**
 * Bin size of an instrument without an entry: the greatest power of ten not above its first price, divided by 10,000,
 * and at least 10^-12. So 61,837 has a bin of 1, 800 of 0.01, and 0.5 of 0.00001.
 */
export function binSizeFrom(firstPrice: Decimal): Decimal {
  const units = firstPrice.toUnits();
  let power = 1n;
  while (power * 10n <= units) power *= 10n;
  const bin = power / BINS_PER_DECADE;
  return Decimal.fromUnits(bin === 0n ? 1n : bin);
}
