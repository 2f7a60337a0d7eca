import { takerSide } from '../sides.ts';
import { tableSource } from '../table-source.ts';

const NO_ID = /^[0-]+$/;
const CALENDAR = /^\s*\d{4}-/;
const SECONDS = /^\s*\d{10}(?:\.\d+)?\s*$/;
const HEADER = 'timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional';

const COLUMNS = {
  time: ['timestamp'],
  symbol: ['symbol'],
  side: ['side'],
  size: ['size'],
  price: ['price'],
  id: ['trdmatchid'],
} as const;

/**
 * BitMEX's daily dumps: UTC with a `D` before the hour, ids that are UUIDs; the all-zero one of old rows is not an id.
 */
export const bitmex = tableSource({
  name: 'bitmex',
  description: "BitMEX's daily dumps",
  header: HEADER,
  columns: COLUMNS,
  optional: [],
  known: ['tickdirection'],
  isCommon: false,
  isKind: (_head, { time }, rows) => rows.length === 0 || rows.some((row) => CALENDAR.test(row[time ?? -1] ?? '')),
  meaning: {
    time: { unit: 'ns', isUtcWithoutZone: true },
    side: takerSide,
    tradeId: (text) => (NO_ID.test(text) ? '' : text),
    venue: 'bitmex',
  },
  example: [
    HEADER,
    '2025-01-01D00:00:00.123456000,XBTUSD,Buy,100,93500.5,PlusTick,5bc8fbbc-bde5-4099-8164-d8399f767c45,106951,0.00106951,100',
  ],
});

/** Bybit's daily dumps of derivatives have BitMEX's header but stamps in seconds, which tells them apart. */
export const bybit = tableSource({
  name: 'bybit',
  description: "Bybit's daily dumps of derivatives: BitMEX's header, stamps in seconds",
  header: HEADER,
  columns: COLUMNS,
  optional: [],
  known: ['tickdirection'],
  isCommon: false,
  isKind: (_head, { time }, rows) => rows.some((row) => SECONDS.test(row[time ?? -1] ?? '')),
  meaning: { time: { unit: 's', isUtcWithoutZone: true }, side: takerSide, venue: 'bybit' },
  example: [
    HEADER,
    '1735689600.0974,BTCUSDT,Buy,0.001,93500.50,PlusTick,48a44029-7c2e-5d43-9a55-0f5e1f0f2b11,9.35005e+09,0.001,93.5005',
  ],
});
