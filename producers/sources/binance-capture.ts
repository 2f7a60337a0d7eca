import { binanceTrade } from '../binance-trade.ts';
import { isJsonObject, parseJsonObject } from '../json.ts';
import {
  linesThatNameAll,
  malformed,
  wholeNumber,
  type FileContext,
  type FileSource,
  type ParsedLine,
} from '../source.ts';

const NANOSECONDS_PER_MICROSECOND_DIGITS = 3;
const LINE = /^(\d{19}) (\{.*\})$/s;

/**
 * A recording of Binance's combined stream: a message's time of receipt (local clock, nanoseconds), a space, the
 * message.
 */
export const binanceCapture: FileSource = {
  name: 'binance-capture',
  description: 'recorded Binance stream, each line <receive time ns> <combined-stream JSON>',
  columns: [],
  example: [
    '1723161254087896568 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}',
  ],
  open: ({ lines }) => (lines.some((line) => LINE.test(line)) ? linesThatNameAll(parseLine) : undefined),
};

function parseLine(line: string, context: FileContext): ParsedLine {
  const match = LINE.exec(line);
  if (match === null) return malformed('the line is not a receive time in nanoseconds, a space and a JSON object');
  const [, receivedNs = '', text = ''] = match;
  // 19 digits are beyond 2^53: the text is truncated to microseconds.
  const receivedAt = wholeNumber(receivedNs.slice(0, -NANOSECONDS_PER_MICROSECOND_DIGITS));
  const message = parseJsonObject(text);
  if (receivedAt === undefined || message === undefined) return malformed('the message is not a JSON object');
  const stream = message['stream'];
  // Replies and snapshots of the order book have no stream name in the capture.
  if (typeof stream !== 'string' || !stream.endsWith('@trade')) return 'not-a-trade';
  const data = message['data'];
  if (!isJsonObject(data)) return malformed(`the message of a trade stream has no "data"`);
  return binanceTrade(data, receivedAt, context.source);
}
