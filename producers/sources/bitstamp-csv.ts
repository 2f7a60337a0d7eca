import { takerSide } from '../sides.ts';
import { tableSource } from '../table-source.ts';

/** Bitstamp's history: whole seconds, no ids, no sides, and nothing that names the instrument. */
export const bitstampCsv = tableSource({
  name: 'bitstamp-csv',
  description: "Bitstamp's history, and others' with the same header",
  header: 'timestamp,price,amount',
  columns: { time: ['timestamp'], price: ['price'], size: ['amount'] },
  optional: [],
  isCommon: true,
  meaning: { time: { unit: 'digits', isUtcWithoutZone: true }, side: takerSide },
  example: ['timestamp,price,amount', '1385337600,800.010000000000,0.100000000000'],
});
