import { sideByBuyerIsMaker } from '../sides.ts';
import { INTEGER, NUMBER, tableSource, TRUE_OR_FALSE } from '../table-source.ts';

/**
 * Binance's public trades, spot and futures: stamps in milliseconds; for spot from 2025 on in microseconds. Spot has
 * no header, futures have one.
 */
export const binanceTrades = tableSource({
  name: 'binance-trades',
  description: "Binance's public trades, spot and futures, also .zip",
  header: 'id,price,qty,quote_qty,time,is_buyer_maker,is_best_match',
  columns: {
    id: ['id', 'trade_id', 'trade id'],
    price: ['price'],
    size: ['qty'],
    time: ['time'],
    side: ['is_buyer_maker', 'isbuyermaker'],
  },
  optional: [],
  isCommon: false,
  bare: [
    {
      columns: [
        { part: 'id', looks: INTEGER },
        { part: 'price', looks: NUMBER },
        { part: 'size', looks: NUMBER },
        { looks: NUMBER },
        { part: 'time', looks: /^\d{13}(?:\d{3})?$/ },
        { part: 'side', looks: TRUE_OR_FALSE },
        { looks: TRUE_OR_FALSE },
      ],
      optional: 1,
    },
  ],
  meaning: { time: { unit: 'digits', isUtcWithoutZone: true }, side: sideByBuyerIsMaker },
  example: ['4359000000,93500.01000000,0.00105000,98.17501050,1735689600000000,False,True'],
});
