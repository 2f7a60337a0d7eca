import type { TakerSide } from '../../contracts/generated/events.ts';
import type { Refusal } from '../../contracts/trade-rules.ts';
import { plainDecimal } from '../numbers.ts';
import { quoted } from '../source.ts';
import { tableSource } from '../table-source.ts';

const NANOSECONDS = { unit: 'ns', isUtcWithoutZone: true } as const;
/** The aggressor: an ask is a seller, a bid a buyer, N is nobody. */
const SIDES: ReadonlyMap<string, TakerSide> = new Map([
  ['A', 'SELL'],
  ['B', 'BUY'],
  ['N', 'UNKNOWN'],
  ['', 'UNKNOWN'],
]);
/** Prices are decimals, or whole numbers of 10^-9. A whole number this short may be either. */
const AMBIGUOUS_DIGITS_MAX = 7;
const WHOLE = /^-?\d+$/;
/** 2^63 − 1, written where there is no price. */
const NO_PRICE = '9223372036854775807';

/** Databento's trades, alone or among its other records. They have no ids: `sequence` numbers packets. */
export const databento = tableSource({
  name: 'databento',
  description: "Databento's trades; prices as decimals or in units of 10^-9; symbols without their venue",
  header:
    'ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence,symbol',
  columns: {
    received: ['ts_recv'],
    time: ['ts_event'],
    action: ['action'],
    side: ['side'],
    price: ['price'],
    size: ['size'],
    symbol: ['symbol', 'instrument_id'],
  },
  optional: ['received'],
  known: ['publisher_id'],
  isCommon: false,
  meaning: { time: NANOSECONDS, side: (text) => SIDES.get(text.toUpperCase()), price: priceOf, tradeAction: 'T' },
  example: [
    'ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence,symbol',
    '2025-01-02T14:30:00.000412773Z,2025-01-02T14:30:00.000245500Z,0,2,38,T,B,0,588.450000000,100,130,167273,5122,SPY',
  ],
});

function priceOf(text: string): string | Refusal {
  if (!WHOLE.test(text)) return text;
  if (text === NO_PRICE) return { reason: 'NOT_A_NUMBER', detail: 'the row has no price' };
  const digits = text.replace('-', '').length;
  if (digits > AMBIGUOUS_DIGITS_MAX) return plainDecimal(`${text}e-9`) ?? text;
  return {
    reason: 'NOT_A_NUMBER',
    detail: `it is ambiguous whether the price ${quoted(text)} is in units or in units of 10^-9: write it with a point`,
  };
}
