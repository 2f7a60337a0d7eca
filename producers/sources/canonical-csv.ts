import { takerSide } from '../sides.ts';
import { tableSource } from '../table-source.ts';

/** Tapeproof's own exchange format. Many trades share a stamp: the order of the rows is the order of the tape. */
export const canonicalCsv = tableSource({
  name: 'canonical-csv',
  description: "Tapeproof's own: times in microseconds, instruments as BTC-USD@venue",
  header: 'trade_id,event_time_us,instrument,price,size,side',
  columns: {
    id: ['trade_id'],
    time: ['event_time_us'],
    instrument: ['instrument'],
    price: ['price'],
    size: ['size'],
    side: ['side'],
    received: ['received_at_us'],
    suspicious: ['suspicious'],
    conditions: ['conditions'],
  },
  optional: ['received', 'suspicious', 'conditions'],
  isCommon: false,
  meaning: { time: { unit: 'us', isUtcWithoutZone: true }, side: takerSide },
  example: [
    'trade_id,event_time_us,instrument,price,size,side',
    '1,1723161255342000,BTC-USDT@binance,61837.63,0.02,SELL',
  ],
});
