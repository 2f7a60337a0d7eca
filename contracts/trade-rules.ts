import { Decimal } from './decimal.ts';
import type { DeadLetterReason, Trade } from './generated/events.ts';

/** How far a trade's stamp may be ahead of its receipt: clocks differ, and one capture's collector is 1.27 s behind. */
export const CLOCK_LEAD_US_MAX = 10_000_000;
/** 2009-01-01 and 2100-01-01, microseconds: outside, a stamp is in the wrong unit. */
export const EVENT_TIME_US_MIN = 1_230_768_000_000_000;
export const EVENT_TIME_US_MAX = 4_102_444_800_000_000;
export const TRADE_ID_LENGTH_MAX = 64;

const INSTRUMENT = /^[A-Z0-9]{1,16}(?:-[A-Z0-9]{1,16})?@[a-z0-9][a-z0-9._-]{0,31}$/;
const TRADE_ID = /^[\x21-\x7e]{1,64}$/;

export interface Refusal {
  readonly reason: DeadLetterReason;
  /** For people; the same at each replay. */
  readonly detail: string;
}

/** True for `BTC-USDT@binance` or `IBM@nyse`: names in capitals, venue in lower case. */
export function isInstrument(text: string): boolean {
  return INSTRUMENT.test(text);
}

/**
 * Why a trade is none, or undefined when it is well-formed. The same rules hold at the edge, in the engine and in the
 * projectors, so what one of them refuses has no effect in another.
 */
export function refusalOf(trade: Trade): Refusal | undefined {
  if (!isInstrument(trade.instrument)) {
    return {
      reason: 'INSTRUMENT_MALFORMED',
      detail: `the instrument ${JSON.stringify(trade.instrument.slice(0, 64))} is not of the form BTC-USDT@binance`,
    };
  }
  if (!trade.instrument.endsWith(`@${trade.venue}`)) {
    return {
      reason: 'INSTRUMENT_MALFORMED',
      detail: `the instrument ${trade.instrument} is not at the venue ${JSON.stringify(trade.venue.slice(0, 64))}`,
    };
  }
  if (!TRADE_ID.test(trade.tradeId)) {
    return {
      reason: 'TRADE_ID_MALFORMED',
      detail: `the trade id must have 1 to ${TRADE_ID_LENGTH_MAX} printable ASCII characters`,
    };
  }
  if (trade.price.isZero()) return { reason: 'NOT_POSITIVE', detail: 'the price is 0' };
  if (trade.size.isZero()) return { reason: 'NOT_POSITIVE', detail: 'the size is 0' };
  if (isOutOfBounds(trade.eventTime)) return outOfBounds('event time', trade.eventTime);
  if (isOutOfBounds(trade.receivedAt)) return outOfBounds('receipt', trade.receivedAt);
  if (trade.eventTime > trade.receivedAt + CLOCK_LEAD_US_MAX) {
    return {
      reason: 'CLOCK_LEAD',
      detail: `the event time ${trade.eventTime} µs is more than ${CLOCK_LEAD_US_MAX} µs after the receipt ${trade.receivedAt} µs`,
    };
  }
  return undefined;
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

/** Reads a price or size, or says why it is none. */
export function parseAmount(name: 'price' | 'size', text: string): Decimal | Refusal {
  const amount = Decimal.parse(text);
  if (amount instanceof Decimal) {
    return amount.isZero() ? { reason: 'NOT_POSITIVE', detail: `the ${name} is 0` } : amount;
  }
  const details = {
    NOT_A_NUMBER: `the ${name} ${JSON.stringify(text.slice(0, 64))} is not a plain decimal number`,
    NOT_POSITIVE: `the ${name} is negative`,
    OUT_OF_BOUNDS: `the ${name} is 10^15 or more`,
    PRECISION: `the ${name} has more than 12 digits after the point`,
  } as const;
  return { reason: amount, detail: details[amount] };
}
