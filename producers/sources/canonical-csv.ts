import { normalisedInstrument } from '../../contracts/instrument-name.ts';
import { csvFields, isCsvHeader } from '../csv.ts';
import {
  canonicalSide,
  malformed,
  quoted,
  sideUnknown,
  tradeOf,
  venueOf,
  wholeNumber,
  type FileContext,
  type FileSource,
  type ParsedLine,
} from '../source.ts';

const HEADER = 'trade_id,event_time_us,instrument,price,size,side';
const COLUMNS = 6;

/** Tapeproof's own exchange format. Many trades share a stamp: the order of the rows is the order of the tape. */
export const canonicalCsv: FileSource = {
  name: 'canonical-csv',
  description: `CSV with the header ${HEADER}`,
  header: HEADER,
  defaultInstrument: undefined,
  example: '1,1723161255342000,BTC-USDT@binance,61837.63,0.02,SELL',
  recognises: ([first]) => isCsvHeader(first, HEADER),
  parseLine,
};

function parseLine(line: string, _lineNumber: number, context: FileContext): ParsedLine {
  const fields = csvFields(line);
  if (fields === undefined) return malformed('a quote in the row is not closed');
  if (fields.length !== COLUMNS) return malformed(`the row has ${fields.length} columns, not ${COLUMNS}`);
  const [tradeId = '', eventTimeText = '', name = '', price = '', size = '', sideText = ''] = fields;
  const eventTime = wholeNumber(eventTimeText);
  if (eventTime === undefined) {
    return malformed(`the event time ${quoted(eventTimeText)} is not a whole number of microseconds`);
  }
  const side = canonicalSide(sideText);
  if (side === undefined) return sideUnknown(sideText);
  const instrument = normalisedInstrument(name);
  if (typeof instrument !== 'string') return { reason: 'INSTRUMENT_MALFORMED', detail: instrument.detail };
  return tradeOf({
    venue: venueOf(instrument),
    instrument,
    tradeId,
    eventTime,
    price,
    size,
    side,
    receivedAt: eventTime,
    source: context.source,
    suspicious: false,
    conditions: [],
  });
}
