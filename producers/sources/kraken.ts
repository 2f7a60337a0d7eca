import { takerSide } from '../sides.ts';
import { INTEGER, NUMBER, tableSource } from '../table-source.ts';

const SECONDS = /^\d{10}(?:\.\d+)?$/;

/**
 * Kraken's time and sales: `timestamp,price,volume` without a header, or the rows of its public trades as a table, price
 * first and with the taker's side. Times in seconds, possibly with a fraction.
 */
export const kraken = tableSource({
  name: 'kraken',
  description: "Kraken's time and sales, and the rows of its public trades as a table",
  header: 'timestamp,price,volume',
  columns: {
    time: ['timestamp', 'time'],
    price: ['price'],
    size: ['volume'],
    side: ['side', 'buy/sell'],
    id: ['trade_id'],
  },
  optional: ['side', 'id'],
  isCommon: true,
  others: ['type', 'ordertype', 'order_type', 'market/limit', 'misc', 'miscellaneous'],
  bare: [
    {
      columns: [
        { part: 'time', looks: SECONDS },
        { part: 'price', looks: NUMBER },
        { part: 'size', looks: NUMBER },
      ],
      optional: 0,
    },
    {
      columns: [
        { part: 'price', looks: NUMBER },
        { part: 'size', looks: NUMBER },
        { part: 'time', looks: SECONDS },
        { part: 'side', looks: /^[bs]$/i },
        { looks: /^[ml]$/i },
        { looks: /^\w*$/ },
        { part: 'id', looks: INTEGER },
      ],
      optional: 2,
    },
  ],
  meaning: { time: { unit: 'digits', isUtcWithoutZone: true }, side: takerSide },
  example: ['1735689600.1234,93500.1,0.01'],
});
