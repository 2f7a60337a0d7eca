import type { IndicatorSnapshot, Trade } from '../../contracts/generated/events.ts';
import type { EngineRules } from '../rules.ts';
import type { Range } from './range.ts';
import type { Session } from './session.ts';

/** The part of an `IndicatorSnapshot` that comes from the indicators. */
export type Measured = Pick<
  IndicatorSnapshot,
  | 'lastPrice'
  | 'vwap'
  | 'vwapDeviation'
  | 'pointOfControl'
  | 'valueAreaLow'
  | 'valueAreaHigh'
  | 'profileBinSize'
  | 'rangeHigh'
  | 'rangeLow'
  | 'barVolume'
  | 'meanBarVolume'
  | 'sessionVolume'
  | 'tradeCount'
  | 'firstOffset'
  | 'lastOffset'
  | 'rangeFirstPrice'
  | 'takerBuyVolume'
  | 'takerSellVolume'
  | 'takerUnknownVolume'
>;

/**
 * The indicators at an on-time trade that was just counted.
 *
 * @throws Error when no trade was counted.
 */
export function measure(
  session: Session | undefined,
  range: Range,
  { valueAreaShare, valueAreaRule }: Pick<EngineRules, 'valueAreaShare' | 'valueAreaRule'>,
  trade: Trade,
  offset: number,
): Measured {
  const area = session?.profile?.valueArea(valueAreaShare, valueAreaRule);
  const vwap = session?.vwap.average;
  const deviation = session?.vwap.deviation;
  if (session === undefined || area === undefined || vwap === undefined || deviation === undefined) {
    throw new Error(`no trade was counted before the snapshot of ${trade.instrument} at offset ${offset}`);
  }
  const { bounds, takerVolumes } = range;
  return {
    lastPrice: trade.price,
    vwap,
    vwapDeviation: deviation,
    ...area,
    rangeHigh: bounds?.high ?? null,
    rangeLow: bounds?.low ?? null,
    barVolume: range.barVolume,
    meanBarVolume: bounds?.meanVolume ?? null,
    sessionVolume: session.vwap.totalVolume,
    tradeCount: session.vwap.tradeCount,
    firstOffset: Math.min(session.firstOffset, range.firstOffset ?? offset),
    lastOffset: offset,
    rangeFirstPrice: range.firstPrice ?? null,
    takerBuyVolume: takerVolumes?.buy ?? null,
    takerSellVolume: takerVolumes?.sell ?? null,
    takerUnknownVolume: takerVolumes?.unknown ?? null,
  };
}
