import { Decimal } from './decimal.ts';
import type {
  Watermark,
  DeadLetterReason,
  Trade,
  TradeCancelled,
  TradeCorrected,
  TradeGap,
  TradeReleased,
} from './generated/events.ts';
import { refusalOfName } from './instrument-name.ts';

export { isInstrument } from './instrument-name.ts';

/** How far a trade's stamp may be ahead of its receipt: clocks differ, and one capture's collector is 1.27 s behind. */
export const CLOCK_LEAD_US_MAX = 10_000_000;
/** 2009-01-01 and 2100-01-01, microseconds: outside, a stamp is in the wrong unit. */
export const EVENT_TIME_US_MIN = 1_230_768_000_000_000;
export const EVENT_TIME_US_MAX = 4_102_444_800_000_000;
export const TRADE_ID_LENGTH_MAX = 64;
/** The most instruments that one watermark covers: as many as the engine holds for a partition. */
export const WATERMARK_INSTRUMENTS_MAX = 4_096;

const TRADE_ID = /^[\x21-\x7e]{1,64}$/;
/** An id that is a number small enough for a double to count with. */
const NUMBER_ID = /^(?:0|[1-9][0-9]{0,14})$/;

/** Instruments found well-formed, with their venue: the same few repeat from trade to trade. */
const placed = new Map<string, string>();
const PLACED_MAX = 4_096;

export interface Refusal {
  readonly reason: DeadLetterReason;
  /** For people; the same at each replay. */
  readonly detail: string;
}

/**
 * Why a trade is not valid, or undefined when it is well-formed. The same rules hold at the edge, in the engine and in
 * the projectors, so a trade that one of them refuses has no effect in another.
 */
export function refusalOf(trade: Trade): Refusal | undefined {
  const misplaced = refusalOfInstrument(trade.instrument, trade.venue);
  if (misplaced !== undefined) return misplaced;
  if (!TRADE_ID.test(trade.tradeId)) return malformedId('trade id');
  if (!trade.size.isPositive()) return sizeNotPositive(trade.size);
  return refusalOfTimes(trade.eventTime, trade.receivedAt);
}

/** The fields common to records that amend a trade on the tape. */
export type Amendment = TradeCancelled | TradeCorrected | TradeReleased;

/** Why an amendment is not well-formed, or undefined when it is; like {@link refusalOf}. */
export function refusalOfAmendment(amendment: Amendment): Refusal | undefined {
  const misplaced = refusalOfInstrument(amendment.instrument, amendment.venue);
  if (misplaced !== undefined) return misplaced;
  if (!TRADE_ID.test(amendment.tradeId)) return malformedId('trade id');
  if (!amendment.size.isPositive()) return sizeNotPositive(amendment.size);
  if ('correctedSize' in amendment && !amendment.correctedSize.isPositive()) {
    return sizeNotPositive(amendment.correctedSize);
  }
  if (isOutOfBounds(amendment.eventTime)) return outOfBounds('event time', amendment.eventTime);
  const { receivedAt } = amendment;
  return receivedAt !== 0 && isOutOfBounds(receivedAt) ? outOfBounds('receipt', receivedAt) : undefined;
}

/** Why a watermark is not valid, or undefined when it is well-formed; like {@link refusalOf}. */
export function refusalOfWatermark(watermark: Watermark): Refusal | undefined {
  const { instruments, venue } = watermark;
  if (instruments.length === 0 || instruments.length > WATERMARK_INSTRUMENTS_MAX) {
    return {
      reason: 'MALFORMED',
      detail: `the watermark speaks for ${instruments.length} instruments, and 1 to ${WATERMARK_INSTRUMENTS_MAX} are allowed`,
    };
  }
  let previous = '';
  for (const instrument of instruments) {
    const misplaced = refusalOfInstrument(instrument, venue);
    if (misplaced !== undefined) return misplaced;
    if (instrument <= previous) {
      return { reason: 'MALFORMED', detail: `the watermark's instruments are not sorted, each once: ${instrument}` };
    }
    previous = instrument;
  }
  return refusalOfTimes(watermark.eventTime, watermark.receivedAt);
}

/** Why a gap is not valid, or undefined when it is well-formed; like {@link refusalOf}. */
export function refusalOfGap(gap: TradeGap): Refusal | undefined {
  const { firstTradeId, lastTradeId, missingTrades } = gap;
  const misplaced = refusalOfInstrument(gap.instrument, gap.venue);
  if (misplaced !== undefined) return misplaced;
  if (!TRADE_ID.test(firstTradeId) || !TRADE_ID.test(lastTradeId)) return malformedId("gap's ids");
  const range = idRangeOf(gap);
  if (missingTrades < 1 || (range !== undefined && missingTrades !== range.last - range.first + 1)) {
    return {
      reason: 'MALFORMED',
      detail: `the gap says that ${missingTrades} trades are missing from ${firstTradeId} to ${lastTradeId}`,
    };
  }
  if (gap.fromTime !== null && isOutOfBounds(gap.fromTime)) return outOfBounds('event time', gap.fromTime);
  return refusalOfTimes(gap.toTime, gap.receivedAt);
}

/** A gap's ids where they are numbers small enough to count with; undefined otherwise. */
export function idRangeOf(
  gap: Pick<TradeGap, 'firstTradeId' | 'lastTradeId'>,
): { readonly first: number; readonly last: number } | undefined {
  if (!NUMBER_ID.test(gap.firstTradeId) || !NUMBER_ID.test(gap.lastTradeId)) return undefined;
  return { first: Number(gap.firstTradeId), last: Number(gap.lastTradeId) };
}

/** Why an instrument is not well-formed, or not at its venue. */
export function refusalOfInstrument(instrument: string, venue: string): Refusal | undefined {
  if (placed.get(instrument) === venue) return undefined;
  const malformed = refusalOfName(instrument);
  if (malformed !== undefined) return { reason: 'INSTRUMENT_MALFORMED', detail: malformed.detail };
  if (instrument.endsWith(`@${venue}`)) {
    if (placed.size >= PLACED_MAX) placed.clear();
    placed.set(instrument, venue);
    return undefined;
  }
  return {
    reason: 'INSTRUMENT_MALFORMED',
    detail: `the instrument ${instrument} is not at the venue ${JSON.stringify(venue.slice(0, 64))}`,
  };
}

function sizeNotPositive(size: Decimal): Refusal {
  return { reason: 'NOT_POSITIVE', detail: size.isZero() ? 'the size is 0' : 'the size is negative' };
}

function malformedId(name: string): Refusal {
  return {
    reason: 'TRADE_ID_MALFORMED',
    detail: `the ${name} must have 1 to ${TRADE_ID_LENGTH_MAX} printable ASCII characters`,
  };
}

/** Why the times of a record are not credible, microseconds; 0 for an unknown time of receipt. */
export function refusalOfTimes(eventTime: number, receivedAt: number): Refusal | undefined {
  if (isOutOfBounds(eventTime)) return outOfBounds('event time', eventTime);
  // An unknown time of receipt proves nothing.
  if (receivedAt === 0) return undefined;
  if (isOutOfBounds(receivedAt)) return outOfBounds('receipt', receivedAt);
  if (eventTime <= receivedAt + CLOCK_LEAD_US_MAX) return undefined;
  return {
    reason: 'CLOCK_LEAD',
    detail: `the event time ${eventTime} µs is more than ${CLOCK_LEAD_US_MAX} µs after the receipt ${receivedAt} µs`,
  };
}

function isOutOfBounds(time: number): boolean {
  return time < EVENT_TIME_US_MIN || time >= EVENT_TIME_US_MAX;
}

function outOfBounds(name: 'event time' | 'receipt', time: number): Refusal {
  return {
    reason: 'TIME_OUT_OF_BOUNDS',
    detail: `the ${name} ${time} µs is outside 2009 to 2100: is its unit microseconds?`,
  };
}

/** Reads a price or size, or returns why it is not valid. */
export function parseAmount(name: 'price' | 'size', text: string): Decimal | Refusal {
  const amount = Decimal.parse(text);
  // A price may be 0 or below: the engine's configuration decides by instrument whether it counts.
  if (amount instanceof Decimal) return name === 'price' || amount.isPositive() ? amount : sizeNotPositive(amount);
  const details = {
    NOT_A_NUMBER: `the ${name} ${JSON.stringify(text.slice(0, 64))} is not a plain decimal number`,
    OUT_OF_BOUNDS: `the ${name} is 10^15 or more`,
    PRECISION: `the ${name} has more than 12 digits after the point`,
  } as const;
  return { reason: amount, detail: details[amount] };
}
