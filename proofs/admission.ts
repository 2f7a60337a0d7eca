import type { Trade } from '../contracts/generated/events.ts';
import { TradeIdentities } from '../contracts/trade-identities.ts';
import { EVENT_TIME_US_MIN, refusalOf } from '../contracts/trade-rules.ts';
import type { EngineConfiguration } from '../evaluators/configuration.ts';
import type { ClockRules } from '../evaluators/market-clock.ts';
import { compileRules } from '../evaluators/rules.ts';

/** Why a trade on the tape never counts. */
export type Inadmissible = 'refused' | 'suspicious' | 'outside';

/**
 * The first engine version that identifies a trade by id and time, adds up exactly and checks time stamps against a
 * clock.
 */
const FIRST_EXACT_VERSION = 3;

/** Which trades of an instrument count, by the configuration and the engine version that an event names. */
export interface Admission {
  readonly instrument: string;
  /** Engine versions 1 and 2 kept running sums in doubles. */
  readonly addsUpExactly: boolean;
  /** How a clock may step; undefined for engine versions 1 and 2, in which every time stamp moved it. */
  readonly clock: ClockRules | undefined;
  /** Undefined when the trade counts, unless it is a repeat. Called only for trades of the instrument. */
  inadmissible(trade: Trade): Inadmissible | undefined;
  /** Number of a time's session; undefined outside trading hours. */
  readonly sessionOf: (timeUs: number) => number | undefined;
  /** The trades known, by this version's identity: id and event time, or the id alone. */
  identities(): Identities;
}

/** Like `TradeIdentities`, for the identity that an engine version uses. */
export type Identities = Pick<TradeIdentities, 'add' | 'has'>;

const US_PER_MS = 1_000;

export function admissionOf(
  configuration: EngineConfiguration,
  { instrument, engineVersion }: { readonly instrument: string; readonly engineVersion: string },
): Admission {
  const { suspiciousPrints, instruments, clock } = configuration;
  const countsSuspicious = suspiciousPrints === 'COUNT';
  const allowsNegativePrices = instruments[instrument]?.negativePrices === true;
  const isFormer = Number(engineVersion) < FIRST_EXACT_VERSION;
  const sessionOf = sessionsOf(configuration, instrument);
  return {
    instrument,
    addsUpExactly: !isFormer,
    clock: isFormer ? undefined : { maxStepUs: clock.maxStepMs * US_PER_MS, confirmingTrades: clock.confirmingTrades },
    inadmissible(trade) {
      if (refusalOf(trade) !== undefined) return 'refused';
      if (trade.suspicious && !countsSuspicious) return 'suspicious';
      if (sessionOf(trade.eventTime) === undefined) return 'outside';
      return trade.price.isPositive() || allowsNegativePrices ? undefined : 'refused';
    },
    sessionOf,
    identities: isFormer ? idsAlone : () => new TradeIdentities(),
  };
}

/** The sessions of an instrument: from a time to its session's number. */
function sessionsOf(configuration: EngineConfiguration, instrument: string): Admission['sessionOf'] {
  const { calendar } = compileRules(configuration).of(instrument);
  return (timeUs) => calendar.sessionAt(timeUs)?.index;
}

/** In engine versions 1 and 2, a trade's id was its identity, whatever its time. */
function idsAlone(): Identities {
  const known = new TradeIdentities();
  return {
    add: (tradeId) => known.add(tradeId, EVENT_TIME_US_MIN),
    has: (tradeId) => known.has(tradeId, EVENT_TIME_US_MIN),
  };
}
