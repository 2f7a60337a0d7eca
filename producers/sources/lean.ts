import { instrumentNameOf } from '../../contracts/instrument-name.ts';
import { csvFields } from '../csv.ts';
import { newYorkMidnightUs } from '../new-york.ts';
import { plainDecimal } from '../numbers.ts';
import {
  malformed,
  quoted,
  tradeWithOrWithoutIdOf,
  venueOf,
  type FileHead,
  type FileSource,
  type LineParser,
} from '../source.ts';
import { microsecondsOf } from '../timestamps.ts';
import { LEAN_CONDITIONS, LEAN_SET_ASIDE } from './lean-conditions.ts';

/** `20131008_aig_Trade_Tick.csv`: the rows name neither their day nor their stock. */
const NAME = /(?:^|[/\\])(\d{4})(\d\d)(\d\d)_([a-z]{1,6}(?:\.[a-z]{1,3})?)_trade_tick\.csv$/i;
/** Milliseconds since midnight, price × 10⁴, shares, exchange, conditions as a hexadecimal mask, suspicious. */
const ROW = /^\d+(?:\.\d+)?,\d+,\d+,[^,]*,[0-9a-f]{0,8},[01]$/i;
const WIDTH = 6;
const MASK = /^[0-9a-f]{1,8}$/i;
const MILLISECONDS = { unit: 'ms', isUtcWithoutZone: false } as const;
const DAY_US = 86_400_000_000;

/** What a file's name says. */
interface Named {
  readonly midnightUs: number;
  readonly symbol: string;
}

/**
 * LEAN's tick files of US stocks, one stock and one day each. Times count from midnight in New York; the clock changes
 * on Sundays, when the market is closed. They have neither ids nor sides; the exchange's letter is not kept.
 */
export const lean: FileSource = {
  name: 'lean',
  description: "LEAN's trades of US stocks, by tick; the day and the stock are in the file's name",
  columns: [],
  example: ['34200023,1791500,100,P,20,0', '34200024,1791600,200,D,20000020,0'],
  exampleName: '20131008_ibm_Trade_Tick.csv',
  open,
};

function open({ lines, fileName }: FileHead): LineParser | undefined {
  const named = namedIn(fileName ?? '');
  const rows = lines.filter((line) => ROW.test(line.trim()));
  if (named === undefined || lines.length === 0 || rows.length * 2 < lines.length) return undefined;
  return {
    header: undefined,
    delimiter: ',',
    times: "milliseconds since midnight in New York, on the day in the file's name",
    instruments: 'SYMBOL_IN_ROWS',
    parseLine: (line, { instrument, source }) => {
      const name = instrument.startsWith('@') ? instrumentNameOf(named.symbol, venueOf(instrument)) : instrument;
      return tradeIn(line, named, { instrument: name, source });
    },
  };
}

function namedIn(fileName: string): Named | undefined {
  const [, year, month, day, symbol = ''] = NAME.exec(fileName) ?? [];
  const midnightUs = newYorkMidnightUs(Number(year), Number(month), Number(day));
  return midnightUs === undefined ? undefined : { midnightUs, symbol: symbol.toUpperCase() };
}

function tradeIn(line: string, { midnightUs }: Named, place: { readonly instrument: string; readonly source: string }) {
  const fields = csvFields(line, ',')?.map((field) => field.trim());
  if (fields?.length !== WIDTH) return malformed(`the row has ${fields?.length ?? 'unclosed'} columns, not ${WIDTH}`);
  const [time = '', price = '', size = '', , mask = '', mark = ''] = fields;
  const sinceMidnightUs = microsecondsOf(time, MILLISECONDS);
  if (sinceMidnightUs === undefined || sinceMidnightUs >= DAY_US) {
    return malformed(`the time ${quoted(time)} is not a number of milliseconds since midnight`);
  }
  if (!/^\d+$/.test(price)) return malformed(`the price ${quoted(price)} is not a whole number of 1/10000 dollar`);
  const conditions = conditionsOf(mask);
  if (conditions === undefined) return malformed(`the conditions ${quoted(mask)} are not a hexadecimal mask`);
  if (mark !== '0' && mark !== '1') return malformed(`the mark ${quoted(mark)} is neither 0 nor 1`);
  return tradeWithOrWithoutIdOf({
    ...{ ...place, venue: venueOf(place.instrument), tradeId: '', eventTime: midnightUs + sinceMidnightUs },
    ...{ price: plainDecimal(`${price}e-4`) ?? price, size, side: 'UNKNOWN', receivedAt: 0 },
    suspicious: mark === '1' || conditions.some((condition) => LEAN_SET_ASIDE.has(condition)),
    conditions,
  });
}

function conditionsOf(mask: string): string[] | undefined {
  if (mask === '') return [];
  if (!MASK.test(mask)) return undefined;
  const bits = Number.parseInt(mask, 16);
  return LEAN_CONDITIONS.filter((_, bit) => ((bits >>> bit) & 1) === 1);
}
