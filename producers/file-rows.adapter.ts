import { createHash, type Hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { TapeproofError } from '../platform/errors.ts';
import { namedInstrument } from '../platform/named-instrument.ts';
import { NAMED_COLUMNS, openColumns, parseColumns } from './columns.ts';
import { containerOf, contentOf, fileNameIn, type Container, type StoredRead } from './containers.adapter.ts';
import { LineSplitter, type FileLine } from './lines.ts';
import { unknownTable } from './nearest.ts';
import { parquetLines } from './parquet.adapter.ts';
import { detectFileSource, DETECTION_LINES, fileSourceNamed, FILE_SOURCE_NAMES, type Detected } from './catalogue.ts';
import { FileRows, textOfLine, type FileRow, type Reading } from './rows.ts';
import { quoted, type FileHead, type FileSource, type LineParser } from './source.ts';

const FILE_HASH_DIGITS = 16;
/** The lines that may precede a table: a comment, or the address of its origin. */
const COMMENT = /^\s*"?(?:#|https?:\/\/|www\.)/i;
/** A symbol's venue alone, for files whose rows name symbols. */
const VENUE_ALONE = /^@[a-z0-9][a-z0-9._-]{0,31}$/;
const DELIMITER_NAMES: ReadonlyMap<string, string> = new Map([
  ['tab', '\t'],
  ['\\t', '\t'],
]);

export interface FileOptions {
  readonly path: string;
  /** Name of the format; detected from the first lines if omitted. */
  readonly format?: string | undefined;
  /** Instrument of the rows, for files whose rows name none; `@venue` where they name symbols without a venue. */
  readonly instrument?: string | undefined;
  /** Columns of a table in an unknown format: `time=ts:ms,price=px,size=qty`. */
  readonly columns?: string | undefined;
  /** The delimiter, one character or `tab`; detected from the first line if omitted. */
  readonly delimiter?: string | undefined;
  /** Instruments that may be read; a row of another one is a dead letter. All if omitted. */
  readonly allowed?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A file that was read once to its end, for its hash, and whose format is known. */
export interface OpenedFile {
  readonly path: string;
  /** Stored size, bytes. */
  readonly bytes: number;
  readonly container: Container;
  /** SHA-256 (hex) of the content, unpacked where it is packed: the identity of the file. For Parquet, of its bytes. */
  readonly sha256: string;
  readonly reading: Reading;
}

/** Called for each piece read: stored bytes so far, and stored bytes of the whole file. */
export type BytesRead = (bytesDone: number, bytesTotal: number) => void;

/**
 * Reads the whole file once for its identity and determines its format.
 *
 * @throws TapeproofError USAGE where the file cannot be read, is in no known format or an option does not fit it.
 */
export async function openFile(options: FileOptions, onBytes: BytesRead = () => undefined): Promise<OpenedFile> {
  const { path } = options;
  return await readable(path, async () => {
    const { size } = await stat(path);
    const container = await containerOf(path);
    const sha256 = await hashOf(path, container, options.signal, (bytesDone) => {
      onBytes(bytesDone, size);
    });
    const source = `file:${sha256.slice(0, FILE_HASH_DIGITS)}`;
    return { path, bytes: size, container, sha256, reading: await readingOf(options, container, source) };
  });
}

/**
 * How to read the rows of a file, by its first lines and the options given.
 *
 * @throws TapeproofError USAGE like {@link openFile}
 */
export async function readingOf(options: FileOptions, container: Container, source: string): Promise<Reading> {
  const { path } = options;
  const first = await readFirstLines(path, container);
  const delimiter = container === 'parquet' ? undefined : delimiterIn(options);
  const fileName = await fileNameIn(path, container);
  const head = { lines: first.texts, delimiter, instrument: options.instrument, fileName, isNamed: false };
  const { format, parser } = formatOf(options, head, first);
  return {
    format,
    parser,
    firstRow: parser.header === undefined ? first.begins : first.begins + 1,
    context: { source, instrument: instrumentIn(options, format.name, parser) },
    allowed: allowedIn(options),
  };
}

/**
 * The rows of an opened file in order, in one group per read. Ends early, without an error, when the signal is given.
 * Memory is bounded by one read and one line.
 *
 * @throws TapeproofError USAGE where the file cannot be read to its end or is no longer the file that was opened.
 */
export async function* readRows(
  file: OpenedFile,
  signal?: AbortSignal,
  onBytes: BytesRead = () => undefined,
): AsyncGenerator<readonly FileRow[]> {
  const hash = createHash('sha256');
  const rows = new FileRows(file.reading);
  const onStored = (bytesDone: number): void => {
    onBytes(bytesDone, file.bytes);
  };
  const groups = readLines(file.path, file.container, onStored, hash);
  try {
    while (true) {
      const group = await readable(file.path, async () => await groups.next());
      if (signal?.aborted === true) return;
      if (group.done === true) break;
      if (group.value.length > 0) yield rowsOf(group.value, rows, file.path);
    }
  } finally {
    await groups.return(undefined);
  }
  if (hash.digest('hex') !== file.sha256) {
    throw new TapeproofError('USAGE', `The file ${file.path} changed while it was being read: give a complete file.`);
  }
}

function rowsOf(lines: readonly FileLine[], rows: FileRows, path: string): FileRow[] {
  try {
    return lines.map((line) => rows.rowOf(line));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TapeproofError('USAGE', `The file ${path} is not a file of trades: ${error.message}.`, { cause: error });
  }
}

async function hashOf(
  path: string,
  container: Container,
  signal: AbortSignal | undefined,
  onStored: StoredRead,
): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of contentOf(path, container, onStored)) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/** @param hash is fed the bytes of the file's identity on the way */
export async function* readLines(
  path: string,
  container: Container,
  onStored: StoredRead,
  hash?: Hash,
): AsyncGenerator<FileLine[]> {
  if (container === 'parquet') yield* parquetLines(path);
  const splitter = new LineSplitter();
  // Parquet's columns do not follow the order of its bytes: these are read for the identity alone.
  if (container !== 'parquet' || hash !== undefined) {
    for await (const chunk of contentOf(path, container, onStored)) {
      hash?.update(chunk);
      if (container !== 'parquet') yield splitter.push(chunk);
    }
  }
  yield splitter.end();
}

interface FirstLines {
  /** The lines that are not empty, as text, without comments before the first of them. */
  readonly texts: readonly string[];
  /** Number of the first of them. */
  readonly begins: number;
  /** How many of the lines are not text. */
  readonly unreadable: number;
}

async function readFirstLines(path: string, container: Container): Promise<FirstLines> {
  const texts: string[] = [];
  let [begins, unreadable] = [1, 0];
  for await (const lines of readLines(path, container, () => undefined)) {
    for (const line of lines) {
      const text = line.overlong === undefined ? textOfLine(line) : undefined;
      if (text === undefined) unreadable += 1;
      else if (text.trim() !== '' && (texts.length > 0 || !COMMENT.test(text))) {
        if (texts.length === 0) begins = line.number;
        texts.push(text);
      }
      if (line.number >= DETECTION_LINES) return { texts, begins, unreadable };
    }
  }
  return { texts, begins, unreadable };
}

function formatOf(options: FileOptions, head: FileHead, { unreadable }: FirstLines): Detected {
  const { path, columns, format } = options;
  if (columns !== undefined && format !== undefined) {
    throw new TapeproofError('USAGE', `Give --format ${format} or --columns, not both.`);
  }
  const mapping = columns === undefined ? undefined : parseColumns(columns);
  if (mapping !== undefined && 'problem' in mapping) {
    throw new TapeproofError('USAGE', `The columns cannot be read: ${mapping.problem}.`);
  }
  const named = format === undefined ? undefined : fileSourceNamed(format);
  if (format !== undefined && named === undefined) {
    throw new TapeproofError(
      'USAGE',
      `${quoted(format)} is not a known file format: use one of ${FILE_SOURCE_NAMES.join(', ')}.`,
    );
  }
  if (head.lines.length === 0) {
    const what = unreadable > 0 ? 'does not begin with lines of text' : 'is empty';
    throw new TapeproofError('USAGE', `The file ${path} ${what}: give a file with trades, compressed or not.`);
  }
  if (mapping !== undefined) {
    const parser = openColumns(mapping, head);
    if (!('problem' in parser)) return { format: NAMED_COLUMNS, parser };
    throw new TapeproofError('USAGE', `The columns do not fit the file ${path}: ${parser.problem}.`);
  }
  if (named !== undefined) {
    const parser = named.open({ ...head, isNamed: true });
    if (parser !== undefined) return { format: named, parser };
    const [example = ''] = named.example;
    if (named.exampleName !== undefined) throw notByName(named, named.exampleName, head, path);
    throw new TapeproofError(
      'USAGE',
      `The file ${path} is not ${named.name}: its first line must be like ${JSON.stringify(example)}, not ${quoted(head.lines[0] ?? '')}.`,
    );
  }
  const detected = detectFileSource(head);
  if (detected !== undefined) return detected;
  throw new TapeproofError('USAGE', `The file ${path} is in no known format: ${unknownTable(head)}.`);
}

function notByName({ name, example }: FileSource, exampleName: string, head: FileHead, path: string): TapeproofError {
  const named = `its name must be like ${exampleName}, not ${quoted(head.fileName ?? '')}`;
  const lines = `its lines like ${JSON.stringify(example[0] ?? '')}, not ${quoted(head.lines[0] ?? '')}`;
  return new TapeproofError('USAGE', `The file ${path} is not ${name}: ${named}, and ${lines}.`);
}

function delimiterIn({ delimiter }: FileOptions): string | undefined {
  if (delimiter === undefined) return undefined;
  const character = DELIMITER_NAMES.get(delimiter.toLowerCase()) ?? delimiter;
  if (/^[^\w"\r\n]$/.test(character)) return character;
  throw new TapeproofError('USAGE', `${quoted(delimiter)} is not a valid delimiter: give one character, or tab.`);
}

function instrumentIn({ path, instrument }: FileOptions, format: string, { instruments }: LineParser): string {
  if (instruments === 'IN_ROWS') {
    if (instrument === undefined) return '';
    throw new TapeproofError(
      'USAGE',
      `The rows of ${format} name their own instruments: leave out --instrument ${instrument}.`,
    );
  }
  const isSymbol = instruments === 'SYMBOL_IN_ROWS';
  if (instrument === undefined) {
    const what = isSymbol ? 'name a symbol without its venue' : 'do not name their instrument';
    const venue = isSymbol ? ' or, for their symbols at one venue, --instrument @binance' : '';
    throw new TapeproofError(
      'USAGE',
      `The rows of ${path} (${format}) ${what}: give it, such as --instrument BTC-USDT@binance${venue}.`,
    );
  }
  return isSymbol && VENUE_ALONE.test(instrument) ? instrument : namedInstrument(instrument);
}

function allowedIn({ allowed }: FileOptions): ReadonlySet<string> | undefined {
  return allowed && new Set(allowed.map(namedInstrument));
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  EISDIR: 'it is a folder',
  EACCES: 'reading it is not permitted',
  Z_BUF_ERROR: 'its compressed data ends too early: download it again',
  Z_DATA_ERROR: 'its gzip data is damaged: download it again',
};
const ZSTD_FAILURE = /^ZSTD_/;

/** The operating system's error for a file, as a sentence. */
export async function readable<Result>(path: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TapeproofError || !(error instanceof Error) || !('code' in error)) throw error;
    const code = String(error.code);
    if (code === 'ABORT_ERR') throw error;
    const known = Object.hasOwn(READ_FAILURES, code) ? READ_FAILURES[code] : undefined;
    const reason = ZSTD_FAILURE.test(code)
      ? `its zstd data cannot be unpacked (${error.message}): download it again`
      : (known ?? error.message);
    throw new TapeproofError('USAGE', `The file ${path} cannot be read: ${reason}.`, { cause: error });
  }
}
