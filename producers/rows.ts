import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import type { DeadLetter, Trade } from '../contracts/generated/events.ts';
import type { Refusal } from '../contracts/trade-rules.ts';
import { LINE_BYTES_MAX, type FileLine } from './lines.ts';
import { isRefusal, malformed, type FileContext, type FileSource, type ParsedLine } from './source.ts';

/** The reader named in the dead letters of files. */
export const FILE_READER = 'ingest-file';
/** A dead letter carries this much of what was refused. */
export const DEAD_LETTER_PAYLOAD_BYTES_MAX = 65_536;

const BYTE_ORDER_MARK = '\uFEFF';

/** How a file is read. */
export interface Reading {
  readonly format: FileSource;
  readonly context: FileContext;
  /** Instruments that may be read; undefined allows all. */
  readonly allowed: ReadonlySet<string> | undefined;
}

/** What a line of a file comes to. The last two are neither kept nor errors: another message, or a header or empty line. */
export type FileRow =
  | { readonly kind: 'trade'; readonly line: number; readonly trade: Trade }
  | { readonly kind: 'dead-letter'; readonly line: number; readonly deadLetter: DeadLetter }
  | { readonly kind: 'not-a-trade' | 'nothing'; readonly line: number };

/** The text of a line without byte order mark and carriage return; undefined where it is not UTF-8. */
export function textOfLine(line: FileLine): string | undefined {
  if (!isUtf8(line.bytes)) return undefined;
  let text = line.bytes.toString('utf8');
  if (line.number === 1 && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

/** What one line comes to: never an exception, and a trade only where every rule holds. */
export function rowOf(line: FileLine, reading: Reading): FileRow {
  if (line.overlong !== undefined) {
    const detail = `the line has ${line.overlong.length} bytes, more than ${LINE_BYTES_MAX}`;
    return deadRow(line, malformed(detail), reading);
  }
  const text = textOfLine(line);
  if (text === undefined) return deadRow(line, malformed('the line is not UTF-8'), reading);
  const isHeader = line.number === 1 && reading.format.header !== undefined;
  if (isHeader || text.trim() === '') return { kind: 'nothing', line: line.number };
  const parsed = permitted(reading.format.parseLine(text, line.number, reading.context), reading);
  if (parsed === 'not-a-trade') return { kind: 'not-a-trade', line: line.number };
  if (isRefusal(parsed)) return deadRow(line, parsed, reading);
  return { kind: 'trade', line: line.number, trade: parsed };
}

function permitted(parsed: ParsedLine, reading: Reading): ParsedLine {
  if (parsed === 'not-a-trade' || isRefusal(parsed)) return parsed;
  if (reading.allowed === undefined || reading.allowed.has(parsed.instrument)) return parsed;
  const detail = `the instrument ${parsed.instrument} is not among those allowed`;
  return { reason: 'INSTRUMENT_NOT_ALLOWED', detail };
}

function deadRow(line: FileLine, refusal: Refusal, reading: Reading): FileRow {
  const { source } = reading.context;
  const deadLetter: DeadLetter = {
    deadLetterId: `dead-${FILE_READER}-${source}-${line.number}`,
    source: { kind: 'FILE', name: source, partition: null, position: line.number },
    reader: FILE_READER,
    reason: refusal.reason,
    detail: refusal.detail,
    payload: line.bytes.subarray(0, DEAD_LETTER_PAYLOAD_BYTES_MAX),
    payloadBytes: line.overlong?.length ?? line.bytes.length,
    payloadHash: line.overlong?.hash ?? createHash('sha256').update(line.bytes).digest('hex'),
  };
  return { kind: 'dead-letter', line: line.number, deadLetter };
}
