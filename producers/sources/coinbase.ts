import { sideAgainstMaker } from '../sides.ts';
import { tableSource } from '../table-source.ts';

const VENUE = /@(?:coinbase|gdax)/;

/**
 * Coinbase's public trades as a table. Its side is the maker's: `buy` took liquidity from a buyer, so the taker sold.
 * Its columns have common names, so a table is treated as Coinbase's only where it names a product, where the
 * instrument given is at Coinbase, or where the format is named.
 */
export const coinbase = tableSource({
  name: 'coinbase',
  description: "Coinbase's public trades; its side is the maker's, so the taker's is the other",
  header: 'trade_id,side,size,price,time',
  columns: {
    id: ['trade_id'],
    side: ['side'],
    size: ['size'],
    price: ['price'],
    time: ['time'],
    symbol: ['product_id'],
  },
  optional: ['symbol'],
  isCommon: true,
  others: ['bid', 'ask'],
  isKind: ({ instrument }, at) => at.symbol !== undefined || VENUE.test(instrument ?? ''),
  meaning: { time: { unit: 'digits', isUtcWithoutZone: true }, side: sideAgainstMaker, venue: 'coinbase' },
  example: [
    'trade_id,product_id,side,size,price,time',
    '751000001,BTC-USD,sell,0.00100000,93500.01,2025-01-01T00:00:00.123456Z',
  ],
});
