import { canonicalJson } from '../contracts/canonical-json.ts';
import { Decimal } from '../contracts/decimal.ts';
import type { EngineConfiguration } from './configuration.ts';
import { DECISIONS, type CalibrationRules } from './calibration/rule-calibration.ts';
import type { RangeParameters } from './indicators/range.ts';
import { sessionCalendarOf, type SessionCalendar } from './sessions/session-calendar.ts';
import { isTradingHours, type SessionConfiguration } from './sessions/session-configuration.ts';
import type { ValueAreaRule } from './indicators/value-area.ts';
import type { ClockRules } from './market-clock.ts';
import { hitRuleTerms, type HitRuleTerms } from './outcomes/hit-rule.ts';
import { ConfidenceScorer } from './probability/confidence-scorer.ts';
import { ProbabilityEngine } from './probability/probability-engine.ts';
import { STRATEGIES } from './strategies/catalogue.ts';
import type { Evaluate, Strategy } from './strategies/strategy.ts';

const US_PER_MS = 1_000;
/** A derived bin size is this fraction of the price's power of ten. */
const BINS_PER_DECADE = 10_000n;
/** Stands in for a price of 0, which has no power of ten: 1, in units of 10^-12. */
const PRICE_WITHOUT_MAGNITUDE = 1_000_000_000_000n;

export interface EnabledStrategy {
  readonly name: string;
  readonly weight: number;
  readonly evaluate: Evaluate;
}

/** The part of the configuration about one instrument. */
export interface InstrumentRules {
  readonly calendar: SessionCalendar;
  /** The session's parameters as one text. */
  readonly sessionKey: string;
  /** Undefined when the bin size is derived from each session's first price. */
  readonly binSize: Decimal | undefined;
  readonly allowsNegativePrices: boolean;
  /** In the order of the configuration; each leads to separate forecasts. */
  readonly hitRules: readonly HitRuleTerms[];
}

/** A configuration prepared for the hot path: times in microseconds, strategies with their parameters. */
export interface EngineRules {
  readonly cadenceUs: number;
  readonly anchorIntervalRecords: number;
  readonly range: RangeParameters;
  readonly valueAreaShare: number;
  readonly valueAreaRule: ValueAreaRule;
  readonly strategies: readonly EnabledStrategy[];
  readonly scorer: ConfidenceScorer;
  readonly probabilityEngine: ProbabilityEngine;
  readonly calibration: CalibrationRules;
  readonly clock: ClockRules;
  /** Whether prints that their source marks as suspect are counted nevertheless. */
  readonly countsSuspicious: boolean;
  /** The rules of one instrument; the same object at each call. */
  of(instrument: string): InstrumentRules;
  /** The parameters of an instrument's indicators, one text each: an indicator whose text changed restarts empty. */
  readonly profileKey: string;
  readonly rangeKey: string;
}

/** @param known - the strategies against which the configuration was checked. */
export function compileRules(configuration: EngineConfiguration, known: readonly Strategy[] = STRATEGIES): EngineRules {
  const { cadenceMs, anchorIntervalRecords, range, volumeProfile, clock } = configuration;
  const compiled = new Map<string, InstrumentRules>();
  // Instruments without their own session share one.
  const calendars = new Map<SessionConfiguration, SessionCalendar>();
  return {
    cadenceUs: cadenceMs * US_PER_MS,
    anchorIntervalRecords,
    range: { barUs: range.barMs * US_PER_MS, bars: range.bars },
    ...volumeProfile,
    strategies: known.flatMap(({ name, configure }) => {
      const settings = configuration.strategies[name];
      if (settings?.enabled !== true) return [];
      return [{ name, weight: settings.weight, evaluate: configure(settings.parameters) }];
    }),
    scorer: new ConfidenceScorer(configuration.confidence),
    probabilityEngine: new ProbabilityEngine(configuration.pooling),
    calibration: calibrationRules(configuration),
    clock: { maxStepUs: clock.maxStepMs * US_PER_MS, confirmingTrades: clock.confirmingTrades },
    countsSuspicious: configuration.suspiciousPrints === 'COUNT',
    of(instrument) {
      let own = compiled.get(instrument);
      if (own === undefined) compiled.set(instrument, (own = instrumentRules(configuration, instrument, calendars)));
      return own;
    },
    profileKey: canonicalJson(volumeProfile),
    rangeKey: canonicalJson(range),
  };
}

function instrumentRules(
  configuration: EngineConfiguration,
  instrument: string,
  calendars: Map<SessionConfiguration, SessionCalendar>,
): InstrumentRules {
  const own = configuration.instruments[instrument];
  const session = own?.session ?? configuration.session;
  const calendar = calendars.get(session) ?? sessionCalendarOf(session, configuration.timeZones);
  calendars.set(session, calendar);
  return {
    calendar,
    sessionKey: sessionKeyOf(session, configuration),
    binSize: own?.binSize === undefined ? undefined : Decimal.of(own.binSize),
    allowsNegativePrices: own?.negativePrices === true,
    hitRules: configuration.hitRules.map((rule) => {
      const minMovePoints = own?.minMovePoints === undefined ? null : Decimal.of(own.minMovePoints);
      return hitRuleTerms({ ...rule, minMovePoints });
    }),
  };
}

/**
 * What defines a forecast's evidence: a strategy's own parameters; for decisions, all enabled strategies, how they are
 * pooled, and how confident they are. When it changes, earlier outcomes say nothing about it any more.
 */
function calibrationRules({
  strategies,
  pooling,
  confidence,
  calibration,
  reference,
}: EngineConfiguration): CalibrationRules {
  const enabled = Object.entries(strategies).filter(([, { enabled: isEnabled }]) => isEnabled);
  return {
    reference,
    calibration: { ...calibration, epsilon: pooling.epsilon },
    key: canonicalJson({ reference, calibration, epsilon: pooling.epsilon }),
    seriesKeys: new Map([
      [DECISIONS, canonicalJson({ strategies: Object.fromEntries(enabled), pooling, confidence })],
      ...enabled.map(([name, { parameters }]) => [name, canonicalJson(parameters)] as const),
    ]),
  };
}

/** A session with the data of its zone, as one text: it changes if and only if they do. */
function sessionKeyOf(session: SessionConfiguration, { timeZones }: EngineConfiguration): string {
  return canonicalJson({ session, zone: isTradingHours(session) ? timeZones?.[session.timeZone] : undefined });
}

/**
 * Bin size when none is configured: the greatest power of ten not above a first price's magnitude, divided by 10,000,
 * and at least 10^-12. So 61,837 has a bin size of 1, −37.6 has 0.001, and 0.5 has 0.00001; a price of 0 has the bin
 * size of 1.
 */
export function binSizeFrom(firstPrice: Decimal): Decimal {
  const signed = firstPrice.isZero() ? PRICE_WITHOUT_MAGNITUDE : firstPrice.toUnits();
  const units = signed < 0n ? -signed : signed;
  let power = 1n;
  while (power * 10n <= units) power *= 10n;
  const bin = power / BINS_PER_DECADE;
  return Decimal.fromUnits(bin === 0n ? 1n : bin);
}
