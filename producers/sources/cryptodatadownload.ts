import { takerSide } from '../sides.ts';
import { tableSource } from '../table-source.ts';

/** CryptoDataDownload's trades: a line with its address, then a header. Rows name a pair, `BTC/USD`, but not the venue. */
export const cryptoDataDownload = tableSource({
  name: 'cryptodatadownload',
  description: "CryptoDataDownload's trades, below a line with its address; pairs without their venue",
  header: 'unix,date,symbol,side,price,amount',
  columns: {
    time: ['unix', 'unix timestamp', 'timestamp', 'date'],
    symbol: ['symbol'],
    side: ['side', 'type'],
    price: ['price'],
    size: ['amount', 'volume', 'size'],
    id: ['id', 'tid', 'trade_id', 'tradeid'],
  },
  optional: ['side', 'id'],
  known: ['date'],
  isCommon: true,
  meaning: {
    time: { unit: 'digits', isUtcWithoutZone: true },
    side: takerSide,
    symbol: (pair) => pair.replace('/', '-'),
  },
  example: ['unix,date,symbol,side,price,amount', '1735689600,2025-01-01 00:00:00,BTC/USD,buy,93500.01,0.001'],
});
