import { sideByBuyerIsMaker } from '../sides.ts';
import { INTEGER, NUMBER, tableSource, TRUE_OR_FALSE } from '../table-source.ts';

/**
 * Binance's public aggregate trades: one row for the trades of one taker's order at one price. They are marked as
 * such, so that they are not mistaken for the trades that they aggregate.
 */
export const binanceAggTrades = tableSource({
  name: 'binance-agg-trades',
  description: "Binance's public aggregate trades, spot and futures, also .zip; ids agg-…, condition AGGREGATE",
  header: 'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker,is_best_match',
  columns: {
    id: ['agg_trade_id', 'aggregate tradeid'],
    price: ['price'],
    size: ['quantity', 'qty'],
    time: ['transact_time', 'timestamp', 'time'],
    side: ['is_buyer_maker', 'was the buyer the maker'],
  },
  optional: [],
  isCommon: false,
  bare: [
    {
      columns: [
        { part: 'id', looks: INTEGER },
        { part: 'price', looks: NUMBER },
        { part: 'size', looks: NUMBER },
        { looks: INTEGER },
        { looks: INTEGER },
        { part: 'time', looks: /^\d{13}(?:\d{3})?$/ },
        { part: 'side', looks: TRUE_OR_FALSE },
        { looks: TRUE_OR_FALSE },
      ],
      optional: 1,
    },
  ],
  meaning: {
    time: { unit: 'digits', isUtcWithoutZone: true },
    side: sideByBuyerIsMaker,
    tradeId: (text) => (text === '' ? '' : `agg-${text}`),
    conditions: ['AGGREGATE'],
  },
  example: ['340000000,93500.01000000,0.00105000,4359000000,4359000001,1735689600000000,True,True'],
});
