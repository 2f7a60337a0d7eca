import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TapeproofError } from '../platform/errors.ts';
import { namedInstrument } from '../platform/named-instrument.ts';
import { isCsvHeader } from './csv.ts';
import { LineSplitter, type FileLine } from './lines.ts';
import { detectFileSource, DETECTION_LINES, fileSourceNamed, FILE_SOURCE_NAMES } from './registry.ts';
import { rowOf, textOfLine, type FileRow, type Reading } from './rows.ts';
import { quoted, type FileSource } from './source.ts';

const READ_BYTES = 256 * 1024;
const FILE_HASH_DIGITS = 16;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

export interface FileOptions {
  readonly path: string;
  /** Name of the format; told from the first lines where it is left out. */
  readonly format?: string | undefined;
  /** Instrument of the rows, for formats whose rows name none. */
  readonly instrument?: string | undefined;
  /** Instruments that may be read; a row of another one is a dead letter. All where it is left out. */
  readonly allowed?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A file that was read once, for its hash and to its end, and whose format is known. */
export interface OpenedFile {
  readonly path: string;
  /** Stored size, bytes. */
  readonly bytes: number;
  /** SHA-256 of the content, unpacked where it is gzip, hex: the identity of the file, packed or not. */
  readonly sha256: string;
  readonly reading: Reading;
}

/** Told of each piece read: stored bytes so far, and of the whole file. */
export type BytesRead = (bytesDone: number, bytesTotal: number) => void;
type StoredRead = (bytesDone: number) => void;

/**
 * Reads the whole file once for its identity and settles its format.
 *
 * @throws TapeproofError USAGE where the file cannot be read, is in no known format or an option does not fit it.
 */
export async function openFile(options: FileOptions, onBytes: BytesRead = () => undefined): Promise<OpenedFile> {
  const { path } = options;
  return await readable(path, async () => {
    const { size } = await stat(path);
    const sha256 = await hashOf(path, options.signal, (bytesDone) => {
      onBytes(bytesDone, size);
    });
    const firstLines = await readFirstLines(path);
    const format = formatOf(options, firstLines);
    const allowed = allowedBy(options);
    const fileHash = sha256.slice(0, FILE_HASH_DIGITS);
    const context = { fileHash, source: `file:${fileHash}`, instrument: instrumentOf(options, format) };
    return { path, bytes: size, sha256, reading: { format, context, allowed } };
  });
}

/**
 * The rows of an opened file in order, in groups of what one read held. Ends early, without an error, when the signal
 * is given. Memory is bounded by one read and one line.
 *
 * @throws TapeproofError USAGE where the file cannot be read to its end or is no longer the one that was opened.
 */
export async function* readRows(
  file: OpenedFile,
  signal?: AbortSignal,
  onBytes: BytesRead = () => undefined,
): AsyncGenerator<readonly FileRow[]> {
  const hash = createHash('sha256');
  const groups = readLines(
    file.path,
    (bytesDone) => {
      onBytes(bytesDone, file.bytes);
    },
    hash,
  );
  try {
    while (true) {
      const group = await readable(file.path, async () => await groups.next());
      if (signal?.aborted === true) return;
      if (group.done === true) break;
      if (group.value.length > 0) yield group.value.map((line) => rowOf(line, file.reading));
    }
  } finally {
    await groups.return(undefined);
  }
  if (hash.digest('hex') !== file.sha256) {
    throw new TapeproofError('USAGE', `The file ${file.path} changed while it was read: give a file that is complete.`);
  }
}

async function hashOf(path: string, signal: AbortSignal | undefined, onStored: StoredRead): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of await contentOf(path, onStored)) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/** @param hash takes the content's bytes on the way */
async function* readLines(path: string, onStored: StoredRead, hash?: Hash): AsyncGenerator<FileLine[]> {
  const splitter = new LineSplitter();
  for await (const chunk of await contentOf(path, onStored)) {
    hash?.update(chunk);
    yield splitter.push(chunk);
  }
  yield splitter.end();
}

/** The file's bytes, unpacked where it is gzip by its first bytes, whatever its name. */
async function contentOf(path: string, onStored: StoredRead): Promise<AsyncIterable<Buffer>> {
  const isPacked = await isGzip(path);
  const stored = createReadStream(path, { highWaterMark: READ_BYTES });
  let bytesDone = 0;
  stored.on('data', (chunk) => {
    bytesDone += chunk.length;
    onStored(bytesDone);
  });
  stored.pause();
  if (!isPacked) return stored;
  // `pipeline` hands an error of either stream to the one that is read; there is nothing to add to it here.
  return pipeline(stored, createGunzip({ chunkSize: READ_BYTES }), () => undefined);
}

async function isGzip(path: string): Promise<boolean> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(GZIP_MAGIC.length), 0, GZIP_MAGIC.length, 0);
    return bytesRead === GZIP_MAGIC.length && buffer.equals(GZIP_MAGIC);
  } finally {
    await handle?.close();
  }
}

interface FirstLines {
  /** Those that hold something, as text. */
  readonly texts: readonly string[];
  /** How many are no text. */
  readonly unreadable: number;
}

async function readFirstLines(path: string): Promise<FirstLines> {
  const texts: string[] = [];
  let unreadable = 0;
  for await (const lines of readLines(path, () => undefined)) {
    for (const line of lines) {
      const text = line.overlong === undefined ? textOfLine(line) : undefined;
      if (text === undefined) unreadable += 1;
      else if (text.trim() !== '') texts.push(text);
      if (line.number >= DETECTION_LINES) return { texts, unreadable };
    }
  }
  return { texts, unreadable };
}

function formatOf(options: FileOptions, { texts: firstLines, unreadable }: FirstLines): FileSource {
  const { path } = options;
  if (options.format === undefined) {
    if (firstLines.length === 0) {
      const what = unreadable > 0 ? 'does not begin with lines of text' : 'is empty';
      throw new TapeproofError('USAGE', `The file ${path} ${what}: give a file with trades, gzipped or not.`);
    }
    const detected = detectFileSource(firstLines);
    if (detected !== undefined) return detected;
    throw new TapeproofError(
      'USAGE',
      `The file ${path} is in no known format: it begins ${quoted(firstLines[0] ?? '')}; name one with --format (${FILE_SOURCE_NAMES.join(', ')}).`,
    );
  }
  const named = fileSourceNamed(options.format);
  if (named === undefined) {
    throw new TapeproofError(
      'USAGE',
      `There is no file format ${quoted(options.format)}: use one of ${FILE_SOURCE_NAMES.join(', ')}.`,
    );
  }
  if (named.header !== undefined && !isCsvHeader(firstLines[0], named.header)) {
    throw new TapeproofError(
      'USAGE',
      `The file ${path} is not ${named.name}: its first line must be "${named.header}", not ${quoted(firstLines[0] ?? '')}.`,
    );
  }
  return named;
}

function instrumentOf(options: FileOptions, format: FileSource): string {
  if (options.instrument === undefined) return format.defaultInstrument ?? '';
  if (format.defaultInstrument === undefined) {
    throw new TapeproofError(
      'USAGE',
      `The rows of ${format.name} name their own instruments: leave out --instrument ${options.instrument}.`,
    );
  }
  return namedInstrument(options.instrument);
}

function allowedBy({ allowed }: FileOptions): ReadonlySet<string> | undefined {
  return allowed && new Set(allowed.map(namedInstrument));
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'reading it is not permitted',
  Z_BUF_ERROR: 'its gzip data ends too early: fetch it again',
  Z_DATA_ERROR: 'its gzip data is damaged: fetch it again',
};

/** What the operating system says of a file, as a sentence. */
async function readable<Result>(path: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TapeproofError || !(error instanceof Error) || !('code' in error)) throw error;
    const code = String(error.code);
    if (code === 'ABORT_ERR') throw error;
    const reason = Object.hasOwn(READ_FAILURES, code) ? READ_FAILURES[code] : error.message;
    throw new TapeproofError('USAGE', `The file ${path} cannot be read: ${reason ?? code}.`, { cause: error });
  }
}
