import { instrumentNameOf, normalisedInstrument } from '../contracts/instrument-name.ts';
import type { Refusal } from '../contracts/trade-rules.ts';
import { csvFields } from './csv.ts';
import { trueOrFalse, type SideReader } from './sides.ts';
import {
  isRefusal,
  malformed,
  quoted,
  sideUnknown,
  tradeWithOrWithoutIdOf,
  venueOf,
  type FileContext,
  type InstrumentNaming,
  type LineParser,
  type ParsedLine,
} from './source.ts';
import { microsecondsOf, timeFormText, type TimeForm } from './timestamps.ts';

/** The parts of a trade that a column may hold. */
export type Part =
  | 'time'
  | 'price'
  | 'size'
  | 'side'
  | 'id'
  | 'instrument'
  | 'symbol'
  | 'venue'
  | 'received'
  | 'suspicious'
  | 'conditions'
  | 'action';

/** How the columns of a kind of table are read. */
export interface TableMeaning {
  readonly time: TimeForm;
  /** Form of the receive times; like `time` if omitted. */
  readonly received?: TimeForm;
  readonly side: SideReader;
  /** Extracts the trade's id from the column's text; the text itself if omitted, '' for none. */
  readonly tradeId?: (text: string) => string;
  /** Converts the column's text to a decimal price, where it is not one already. */
  readonly price?: (text: string) => string | Refusal;
  /** Extracts the venue's symbol from the column's text, where it is not the text itself. */
  readonly symbol?: (text: string) => string;
  /** The venue of all rows that name only a symbol. */
  readonly venue?: string;
  /** Conditions of every trade, besides those in a column. */
  readonly conditions?: readonly string[];
  /** The value of `action` that marks a trade; rows with another value are not trades. */
  readonly tradeAction?: string;
}

/** The layout of the table in one file. */
export interface TableLayout {
  readonly delimiter: string;
  readonly header: string | undefined;
  /** The number of columns that a row must have; one empty column after them is ignored. */
  readonly width: number;
  /** Index of each part's column. */
  readonly at: Readonly<Partial<Record<Part, number>>>;
  readonly meaning: TableMeaning;
  /** Fields of the first rows: where rows name only a symbol, all must name the one that most of these do. */
  readonly firstRows: readonly (readonly string[])[];
}

/** Limits for the number and the length of a trade's conditions. */
const CONDITIONS_MAX = 16;
const CONDITION_LENGTH_MAX = 32;
const CONDITION_SEPARATOR = /[\s;|]+/;
const NO_CONDITIONS: readonly string[] = [];
const NOWHERE: Readonly<Record<Part, number>> = {
  time: -1,
  price: -1,
  size: -1,
  side: -1,
  id: -1,
  instrument: -1,
  symbol: -1,
  venue: -1,
  received: -1,
  suspicious: -1,
  conditions: -1,
  action: -1,
};
/** Cached instrument names by venue and symbol: the same few repeat from row to row. */
const NAMES_MAX = 4_096;

/** Reads the rows of one table, each independently. */
export class TableParser implements LineParser {
  readonly header: string | undefined;
  readonly delimiter: string;
  readonly times: string;
  readonly instruments: InstrumentNaming;
  private readonly layout: TableLayout;
  /** Index of each part's column, -1 where there is none. */
  private readonly at: Readonly<Record<Part, number>>;
  private readonly onlySymbol: string | undefined;
  private readonly names = new Map<string, string>();

  constructor(layout: TableLayout) {
    this.layout = layout;
    this.at = { ...NOWHERE, ...layout.at };
    this.header = layout.header;
    this.delimiter = layout.delimiter;
    this.times = timeFormText(layout.meaning.time);
    this.instruments = instrumentNamingOf(layout);
    this.onlySymbol = mostFrequent(layout.firstRows.map((fields) => this.field(fields, this.at.symbol)));
  }

  parseLine(line: string, context: FileContext): ParsedLine {
    const { at } = this;
    const { width, meaning } = this.layout;
    const fields = csvFields(line, this.delimiter);
    if (fields === undefined) return malformed('a quote in the row is not closed');
    const isWhole = fields.length === width || (fields.length === width + 1 && fields[width]?.trim() === '');
    if (!isWhole) return malformed(`the row has ${fields.length} columns, not ${width}`);
    if (meaning.tradeAction !== undefined && this.field(fields, at.action).toUpperCase() !== meaning.tradeAction) {
      return 'not-a-trade';
    }
    const instrument = this.instrumentOf(fields, context);
    if (typeof instrument !== 'string') return instrument;
    return this.tradeIn(fields, instrument, context.source);
  }

  private tradeIn(fields: readonly string[], instrument: string, source: string): ParsedLine {
    const { at } = this;
    const { meaning } = this.layout;
    const timeText = this.field(fields, at.time);
    const eventTime = microsecondsOf(timeText, meaning.time);
    if (eventTime === undefined) return notATime('time', timeText, meaning.time);
    const receivedText = this.field(fields, at.received);
    const receivedForm = meaning.received ?? meaning.time;
    const receivedAt = receivedText === '' ? 0 : microsecondsOf(receivedText, receivedForm);
    if (receivedAt === undefined) return notATime('receive time', receivedText, receivedForm);
    const sideText = this.field(fields, at.side);
    const side = meaning.side(sideText);
    if (side === undefined) return sideUnknown(sideText);
    const suspicious = this.isSuspicious(fields);
    if (typeof suspicious !== 'boolean') return suspicious;
    const conditions = this.conditionsOf(fields);
    if ('reason' in conditions) return conditions;
    const priceText = this.field(fields, at.price);
    const price = meaning.price === undefined ? priceText : meaning.price(priceText);
    if (typeof price !== 'string') return price;
    const idText = this.field(fields, at.id);
    const parsed = tradeWithOrWithoutIdOf({
      venue: venueOf(instrument),
      instrument,
      tradeId: meaning.tradeId === undefined ? idText : meaning.tradeId(idText),
      eventTime,
      price,
      size: this.field(fields, at.size),
      side,
      receivedAt,
      source,
      suspicious,
      conditions,
    });
    if (!isRefusal(parsed) || parsed.reason !== 'TIME_OUT_OF_BOUNDS') return parsed;
    const units = timeFormText(meaning.time);
    return { ...parsed, detail: `the time ${quoted(timeText)} is outside 2009 to 2100: is its unit ${units}?` };
  }

  /** The text of a part's column, trimmed; '' where the table has none. */
  private field(fields: readonly string[], index: number): string {
    return index < 0 ? '' : (fields[index]?.trim() ?? '');
  }

  private instrumentOf(fields: readonly string[], context: FileContext): string | Refusal {
    const { at } = this;
    const { meaning } = this.layout;
    if (at.instrument >= 0) return this.writtenOf(this.field(fields, at.instrument));
    if (at.symbol < 0) return context.instrument;
    const written = this.field(fields, at.symbol);
    const symbol = meaning.symbol === undefined ? written : meaning.symbol(written);
    if (at.venue >= 0 || meaning.venue !== undefined) {
      return this.nameOf(symbol, meaning.venue ?? this.field(fields, at.venue));
    }
    if (context.instrument.startsWith('@')) return this.nameOf(symbol, venueOf(context.instrument));
    if (written === this.onlySymbol) return context.instrument;
    return {
      reason: 'INSTRUMENT_NOT_ALLOWED',
      detail: `the row is of ${quoted(written)} and others of ${quoted(this.onlySymbol ?? '')}: it is ambiguous which of them is ${context.instrument}`,
    };
  }

  /** A full instrument name as in the row: letters of other alphabets are escaped, ambiguous names are refused. */
  private writtenOf(name: string): string | Refusal {
    const known = this.names.get(name);
    if (known !== undefined) return known;
    const written = normalisedInstrument(name);
    if (typeof written !== 'string') return { reason: 'INSTRUMENT_MALFORMED', detail: written.detail };
    if (this.names.size >= NAMES_MAX) this.names.clear();
    this.names.set(name, written);
    return written;
  }

  private nameOf(symbol: string, venue: string): string {
    const key = `${venue} ${symbol}`;
    let name = this.names.get(key);
    if (name === undefined) {
      if (this.names.size >= NAMES_MAX) this.names.clear();
      this.names.set(key, (name = instrumentNameOf(symbol, venue)));
    }
    return name;
  }

  private isSuspicious(fields: readonly string[]): boolean | Refusal {
    const text = this.field(fields, this.at.suspicious);
    return text === '' ? false : (trueOrFalse(text) ?? malformed(`the mark ${quoted(text)} is neither true nor false`));
  }

  private conditionsOf(fields: readonly string[]): readonly string[] | Refusal {
    const always = this.layout.meaning.conditions ?? NO_CONDITIONS;
    const text = this.field(fields, this.at.conditions);
    if (text === '') return always;
    const conditions = [...always, ...text.split(CONDITION_SEPARATOR)];
    const isBounded =
      conditions.length <= CONDITIONS_MAX && conditions.every(({ length }) => length <= CONDITION_LENGTH_MAX);
    return isBounded ? conditions : malformed(`the conditions ${quoted(text)} are too many or too long`);
  }
}

/** The most frequent value; of several, the first. */
function mostFrequent(texts: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const most = Math.max(0, ...counts.values());
  return texts.find((text) => counts.get(text) === most);
}

function instrumentNamingOf({ at, meaning }: TableLayout): InstrumentNaming {
  if (at.instrument !== undefined) return 'IN_ROWS';
  if (at.symbol === undefined) return 'NOT_IN_ROWS';
  return at.venue === undefined && meaning.venue === undefined ? 'SYMBOL_IN_ROWS' : 'IN_ROWS';
}

function notATime(name: string, text: string, { unit, isUtcWithoutZone }: TimeForm): Refusal {
  if (!isUtcWithoutZone && microsecondsOf(text, { unit, isUtcWithoutZone: true }) !== undefined) {
    return malformed(`the ${name} ${quoted(text)} does not name its zone`);
  }
  const units = timeFormText({ unit, isUtcWithoutZone });
  return malformed(`the ${name} ${quoted(text)} is neither a number of ${units} nor of the form 2025-01-01T00:00:00Z`);
}
