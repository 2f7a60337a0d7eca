import { takerSide } from '../sides.ts';
import { tableSource } from '../table-source.ts';

const MICROSECONDS = { unit: 'us', isUtcWithoutZone: true } as const;

/** Tardis' trades: exchange and symbol as the exchange writes them, the taker's side, receive times in microseconds. */
export const tardis = tableSource({
  name: 'tardis',
  description: "Tardis' trades, with receive times",
  header: 'exchange,symbol,timestamp,local_timestamp,id,side,price,amount',
  columns: {
    venue: ['exchange'],
    symbol: ['symbol'],
    time: ['timestamp'],
    received: ['local_timestamp'],
    id: ['id'],
    side: ['side'],
    price: ['price'],
    size: ['amount'],
  },
  optional: [],
  isCommon: false,
  meaning: { time: MICROSECONDS, side: takerSide },
  example: [
    'exchange,symbol,timestamp,local_timestamp,id,side,price,amount',
    'deribit,BTC-PERPETUAL,1735689600000000,1735689600005000,300000000,buy,93500.5,100',
  ],
});
