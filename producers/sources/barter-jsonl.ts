import type { TakerSide } from '../../contracts/generated/events.ts';
import { isJsonObject, parseJsonObject, parseJsonObjectWithRawNumbers, type JsonObject } from '../json.ts';
import {
  linesThatNameAll,
  malformed,
  quoted,
  sideUnknown,
  tradeOf,
  venueOf,
  type FileContext,
  type FileSource,
  type ParsedLine,
} from '../source.ts';
import { calendarMicroseconds } from '../timestamps.ts';

const SIDES: ReadonlyMap<unknown, TakerSide> = new Map([
  ['Buy', 'BUY'],
  ['Sell', 'SELL'],
]);

/**
 * The file names instruments by their index in a list that it does not include: this is the list it was recorded with.
 */
const INSTRUMENTS: ReadonlyMap<string, string> = new Map([
  ['binance_spot 0', 'BTC-USDT@binance'],
  ['binance_spot 1', 'ETH-USDT@binance'],
  ['binance_spot 2', 'SOL-USDT@binance'],
]);

/** Market events of the barter library, one JSON object a line; of several kinds; only `Trade` is used. */
export const barterJsonl: FileSource = {
  name: 'barter-jsonl',
  description: 'market events of the barter library, one JSON object a line',
  columns: [],
  example: [
    '{"Item":{"time_exchange":"2025-03-25T23:07:00.715Z","time_received":"2025-03-25T23:07:00.847021081Z","exchange":"binance_spot","instrument":0,"kind":{"Trade":{"id":"4744868157","price":87232.0,"amount":0.00012,"side":"Sell"}}}}',
  ],
  open: ({ lines }) =>
    lines.some((line) => itemOf(parseJsonObject(line)) !== undefined) ? linesThatNameAll(parseLine) : undefined,
};

function itemOf(event: JsonObject | undefined): JsonObject | undefined {
  const item = event === undefined ? undefined : event['Item'];
  return isJsonObject(item) && isJsonObject(item['kind']) ? item : undefined;
}

function tradeMemberOf(item: JsonObject | undefined): unknown {
  const kind = item === undefined ? undefined : item['kind'];
  return isJsonObject(kind) ? kind['Trade'] : undefined;
}

function parseLine(line: string, context: FileContext): ParsedLine {
  const event = parseJsonObject(line);
  if (event === undefined) return malformed('the line is not a JSON object');
  if (Object.hasOwn(event, 'Reconnecting')) return 'not-a-trade';
  if (itemOf(event) === undefined) return malformed('the line has no "Item" with a "kind"');
  if (tradeMemberOf(itemOf(event)) === undefined) return 'not-a-trade';
  // Parsed again with numbers kept as text, which is slower and needed for trades only.
  const item = itemOf(parseJsonObjectWithRawNumbers(line));
  const trade = tradeMemberOf(item);
  if (item === undefined || !isJsonObject(trade)) return malformed('the "Trade" is not a JSON object');
  return tradeOfItem(item, trade, context);
}

function tradeOfItem(item: JsonObject, trade: JsonObject, context: FileContext): ParsedLine {
  const [exchange, index] = [item['exchange'], item['instrument']].map(textOf);
  const [id, price, size] = [trade['id'], trade['price'], trade['amount']].map(textOf);
  const [eventTime, receivedAt] = [item['time_exchange'], item['time_received']].map((time) =>
    calendarMicroseconds(textOf(time), false),
  );
  if (eventTime === undefined || receivedAt === undefined) {
    return malformed('"time_exchange" or "time_received" is not a time of the form 2025-03-25T23:07:00.715Z');
  }
  const side = SIDES.get(trade['side']);
  if (side === undefined) return sideUnknown(textOf(trade['side']));
  const instrument = INSTRUMENTS.get(`${exchange ?? ''} ${index ?? ''}`);
  if (instrument === undefined) {
    const detail = `instrument ${quoted(index ?? '')} of exchange ${quoted(exchange ?? '')} is not in the list`;
    return { reason: 'INSTRUMENT_MALFORMED', detail };
  }
  return tradeOf({
    venue: venueOf(instrument),
    instrument,
    tradeId: id ?? '',
    eventTime,
    price: price ?? '',
    size: size ?? '',
    side,
    receivedAt,
    source: context.source,
    suspicious: false,
    conditions: [],
  });
}

/** The text of a string or of a number kept as text; '' for anything else. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
