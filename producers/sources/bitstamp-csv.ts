import { csvFields, isCsvHeader } from '../csv.ts';
import {
  isRefusal,
  malformed,
  quoted,
  tradeOf,
  venueOf,
  wholeNumber,
  type FileContext,
  type FileSource,
  type ParsedLine,
} from '../source.ts';

const HEADER = 'timestamp,price,amount';
const COLUMNS = 3;
const MICROSECONDS_PER_SECOND = 1_000_000;

/** Bitstamp's history: whole seconds, no ids, no sides. The ids are made from the file's hash and the row's number. */
export const bitstampCsv: FileSource = {
  name: 'bitstamp-csv',
  description: `CSV with the header ${HEADER}, stamps in whole seconds`,
  header: HEADER,
  defaultInstrument: 'BTC-USD@bitstamp',
  example: '1385337600,800.010000000000,0.100000000000',
  recognises: ([first]) => isCsvHeader(first, HEADER),
  parseLine,
};

function parseLine(line: string, lineNumber: number, context: FileContext): ParsedLine {
  const fields = csvFields(line);
  if (fields === undefined) return malformed('a quote in the row is not closed');
  if (fields.length !== COLUMNS) return malformed(`the row has ${fields.length} columns, not ${COLUMNS}`);
  const [stamp = '', price = '', size = ''] = fields;
  const seconds = wholeNumber(stamp);
  if (seconds === undefined) return malformed(`the timestamp ${quoted(stamp)} is not a whole number of seconds`);
  const eventTime = seconds * MICROSECONDS_PER_SECOND;
  const parsed = tradeOf({
    venue: venueOf(context.instrument),
    instrument: context.instrument,
    // Row 1 stands on line 2, below the header.
    tradeId: `${context.fileHash}-${lineNumber - 1}`,
    eventTime,
    price,
    size,
    side: 'UNKNOWN',
    receivedAt: eventTime,
    source: context.source,
    suspicious: false,
    conditions: [],
  });
  if (!isRefusal(parsed) || parsed.reason !== 'TIME_OUT_OF_BOUNDS') return parsed;
  return { ...parsed, detail: `the timestamp ${stamp} is outside 2009 to 2100: is its unit seconds?` };
}
