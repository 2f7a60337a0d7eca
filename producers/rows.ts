import { isUtf8 } from 'node:buffer';
import { contentOfPayload, deadLetterOfRow, deadLetterPayloadOf } from '../contracts/dead-letter.ts';
import type { DeadLetter, Trade } from '../contracts/generated/events.ts';
import { TradeIdentities } from '../contracts/trade-identities.ts';
import type { Refusal } from '../contracts/trade-rules.ts';
import { contentIdOf, contentOf } from './content-id.ts';
import { LINE_BYTES_MAX, type FileLine } from './lines.ts';
import { isRefusal, malformed, type FileContext, type FileSource, type LineParser, type ParsedLine } from './source.ts';

/** The reader named in the dead letters of files. */
export const FILE_READER = 'ingest-file';
/** The most distinct refused rows of one file; some 150 bytes each. A file with more is not a file of trades. */
export const REFUSED_ROWS_MAX = 5_000_000;

const BYTE_ORDER_MARK = '\uFEFF';
/** Ordinals of contents that are cached, so that thousands of equal rows are not counted from 0 each time. */
const ORDINALS_MAX = 65_536;

/** How a file is read. */
export interface Reading {
  readonly format: FileSource;
  readonly parser: LineParser;
  /** Number of the first line that may be a row: those before it are comments and the header. */
  readonly firstRow: number;
  readonly context: FileContext;
  /** Instruments that may be read; undefined allows all. */
  readonly allowed: ReadonlySet<string> | undefined;
}

/**
 * The result of one line of a file. The last two are neither kept nor errors: another message, or a header or empty
 * line.
 */
export type FileRow =
  | { readonly kind: 'trade'; readonly line: number; readonly trade: Trade }
  | { readonly kind: 'dead-letter'; readonly line: number; readonly deadLetter: DeadLetter }
  | { readonly kind: 'not-a-trade' | 'nothing'; readonly line: number };

/** A row that is a trade, with its line. */
export type TradeRow = Extract<FileRow, { readonly kind: 'trade' }>;

/** The text of a line without byte order mark and carriage return; undefined where it is not UTF-8. */
export function textOfLine(line: FileLine): string | undefined {
  if (!isUtf8(line.bytes)) return undefined;
  let text = line.bytes.toString('utf8');
  if (line.number === 1 && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

/**
 * Turns the lines of one file, from first to last, into rows. It remembers earlier lines, because a row without an id,
 * or a dead letter, is identified by its content and its ordinal among equal ones: a longer version of the same file,
 * packed or not, gives the same ids.
 */
export class FileRows {
  private readonly reading: Reading;
  /** By instrument: rows whose ids were derived from their content. */
  private readonly made = new Map<string, TradeIdentities>();
  private readonly nextOrdinals = new Map<string, number>();
  private readonly refused = new Map<string, number>();

  constructor(reading: Reading) {
    this.reading = reading;
  }

  /**
   * The result of one line: a trade only where every rule holds.
   *
   * @throws RangeError beyond {@link REFUSED_ROWS_MAX}
   */
  rowOf(line: FileLine): FileRow {
    const { parser, firstRow, context } = this.reading;
    if (line.number < firstRow) return { kind: 'nothing', line: line.number };
    if (line.overlong !== undefined) {
      const detail = `the line has ${line.overlong.length} bytes, more than ${LINE_BYTES_MAX}`;
      return this.deadRow(line, malformed(detail));
    }
    const text = textOfLine(line);
    if (text === undefined) return this.deadRow(line, malformed('the line is not UTF-8'));
    if (text.trim() === '') return { kind: 'nothing', line: line.number };
    const parsed = this.permitted(parser.parseLine(text, context));
    if (parsed === 'not-a-trade') return { kind: 'not-a-trade', line: line.number };
    if (!isRefusal(parsed)) return { kind: 'trade', line: line.number, trade: this.named(parsed) };
    // Concatenated files repeat it.
    if (text.trim() === parser.header?.trim()) return { kind: 'nothing', line: line.number };
    return this.deadRow(line, parsed);
  }

  private permitted(parsed: ParsedLine): ParsedLine {
    const { allowed } = this.reading;
    if (parsed === 'not-a-trade' || isRefusal(parsed)) return parsed;
    if (allowed === undefined || allowed.has(parsed.instrument)) return parsed;
    const detail = `the instrument ${parsed.instrument} is not among those allowed`;
    return { reason: 'INSTRUMENT_NOT_ALLOWED', detail };
  }

  /** The trade with an id: its own, or one derived from time, price, size and its ordinal among equals. */
  private named(trade: Trade): Trade {
    if (trade.tradeId !== '') return trade;
    const { instrument, eventTime } = trade;
    let made = this.made.get(instrument);
    if (made === undefined) this.made.set(instrument, (made = new TradeIdentities()));
    const content = contentOf(trade);
    const key = `${content} ${instrument}`;
    let ordinal = this.nextOrdinals.get(key) ?? 0;
    while (!made.add(contentIdOf(content, ordinal), eventTime)) ordinal += 1;
    if (this.nextOrdinals.size >= ORDINALS_MAX) this.nextOrdinals.clear();
    this.nextOrdinals.set(key, ordinal + 1);
    return { ...trade, tradeId: contentIdOf(content, ordinal) };
  }

  private deadRow(line: FileLine, refusal: Refusal): FileRow {
    const payload = deadLetterPayloadOf(line.bytes, line.overlong);
    const content = contentOfPayload(payload);
    const ordinal = this.refused.get(content) ?? 0;
    if (ordinal === 0 && this.refused.size >= REFUSED_ROWS_MAX) {
      throw new RangeError(`more than ${REFUSED_ROWS_MAX} different rows are refused`);
    }
    this.refused.set(content, ordinal + 1);
    const place = { file: this.reading.context.source, line: line.number, ordinal };
    const deadLetter = deadLetterOfRow(FILE_READER, place, payload, refusal);
    return { kind: 'dead-letter', line: line.number, deadLetter };
  }
}
