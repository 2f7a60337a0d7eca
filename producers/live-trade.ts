import type { Trade } from '../contracts/generated/events.ts';
import type { Refusal } from '../contracts/trade-rules.ts';
import type { SideReader } from './sides.ts';
import { isRefusal, malformed, quoted, sideUnknown, tradeOf } from './source.ts';
import { liveSourceOf, type RefusedTrade } from './venue.ts';

const WHOLE = /^(?:0|[1-9]\d{0,15})$/;

/** A trade as an exchange's message has it; undefined for a part that cannot be read. */
export interface LiveTradeFields {
  readonly venue: string;
  readonly instrument: string | undefined;
  readonly tradeId: string | undefined;
  /** Microseconds since 1970. */
  readonly eventTime: number | undefined;
  /** Text, as the exchange writes it: a price never passes through a double. */
  readonly price: unknown;
  readonly size: unknown;
  readonly side: unknown;
  readonly sideOf: SideReader;
  readonly receivedAt: number;
  readonly conditions?: readonly string[];
  /** False where the venue names no sides; omitted where it does. */
  readonly hasSides?: false;
  /** The trade in the venue's own text, for its dead letter. */
  readonly text: string;
}

/** The trade, or its refusal with what is known of it. For markets whose prices are above 0. */
export function liveTrade(fields: LiveTradeFields): Trade | RefusedTrade {
  const trade = read(fields);
  if (!isRefusal(trade)) return trade;
  const { instrument, tradeId, text } = fields;
  return { refusal: trade, instrument, tradeId, text };
}

/** A whole number of 0 or more as text, from a number or its text; undefined for anything else or beyond 2^53. */
export function wholeId(value: unknown): string | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const text = String(value);
  return WHOLE.test(text) && Number.isSafeInteger(Number(text)) ? text : undefined;
}

function read(fields: LiveTradeFields): Trade | Refusal {
  const { venue, instrument, tradeId, eventTime, price, size, sideOf, receivedAt } = fields;
  if (instrument === undefined) return malformed('the trade has no symbol that can be read');
  if (tradeId === undefined) return malformed('the trade has no id that can be read');
  if (typeof price !== 'string' || typeof size !== 'string') return malformed('price or size is not text');
  if (eventTime === undefined) return malformed('the trade has no time that can be read');
  const side = typeof fields.side === 'string' ? sideOf(fields.side) : undefined;
  if (side === undefined || (side === 'UNKNOWN' && fields.hasSides !== false)) return sideUnknown(String(fields.side));
  const source = liveSourceOf(venue);
  const conditions = fields.conditions ?? [];
  const known = { venue, instrument, tradeId, eventTime, side, receivedAt, source };
  const trade = tradeOf({ ...known, price, size, suspicious: false, conditions: [...conditions] });
  if (isRefusal(trade) || trade.price.isPositive()) return trade;
  const detail = `the price ${quoted(price)} is not above 0, which ${venue} never has`;
  return { reason: 'NOT_POSITIVE', detail };
}
