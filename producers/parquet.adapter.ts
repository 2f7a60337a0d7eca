import { open, type FileHandle } from 'node:fs/promises';
import {
  parquetMetadataAsync,
  parquetRead,
  type AsyncBuffer,
  type FileMetaData,
  type RowGroup,
  type SchemaElement,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { TapeproofError } from '../platform/errors.ts';
import type { FileLine } from './lines.ts';
import { parquetTextOf, type ParquetType } from './parquet-text.ts';

/** A row group is read whole: a larger one is refused, so that memory stays bounded. */
const ROW_GROUP_BYTES_MAX = 1024 * 1024 * 1024;
const LINES_PER_GROUP = 4_096;
const DELIMITER = ',';
const NEEDS_QUOTES = /[",\r\n]/;

interface Column {
  readonly name: string;
  readonly textOf: (value: unknown) => string;
}

/**
 * The rows of a Parquet file as lines of CSV, below a line with the names of its columns: from there on it is a table
 * like any other. Row groups are held one at a time.
 *
 * @throws TapeproofError USAGE where a column is nested or of a type that trades never have, or the file is damaged.
 */
export async function* parquetLines(path: string): AsyncGenerator<FileLine[]> {
  const handle = await open(path);
  try {
    const file = await bufferOf(handle);
    const metadata = await readable(path, parquetMetadataAsync(file));
    const columns = columnsOf(path, metadata);
    yield [lineOf(1, columns.map(({ name }) => quotedField(name)).join(DELIMITER))];
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      const rows = await rowsOf(path, file, metadata, group, rowStart, rowEnd);
      for (let begin = 0; begin < rows.length; begin += LINES_PER_GROUP) {
        yield rows.slice(begin, begin + LINES_PER_GROUP).map((row, index) => {
          const text = columns.map(({ textOf }, column) => quotedField(textOf(row[column]))).join(DELIMITER);
          return lineOf(rowStart + begin + index + 2, text);
        });
      }
      rowStart = rowEnd;
    }
  } finally {
    await handle.close();
  }
}

async function rowsOf(
  path: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
  group: RowGroup,
  rowStart: number,
  rowEnd: number,
): Promise<readonly unknown[][]> {
  if (group.total_byte_size > ROW_GROUP_BYTES_MAX) {
    throw refused(path, `a row group of ${group.total_byte_size} bytes is too large: write it with smaller ones`);
  }
  let rows: readonly unknown[][] = [];
  const options = {
    file,
    metadata: withoutLogicalTypes(metadata),
    compressors,
    rowStart,
    rowEnd,
    // The bytes are converted to text here, by the exact type: otherwise a decimal would pass through a double.
    utf8: false,
    parsers: { timestampFromNanoseconds: (nanoseconds: bigint) => nanoseconds },
    onComplete: (all: unknown[][]) => {
      rows = all;
    },
  };
  await readable(path, parquetRead(options));
  return rows;
}

function columnsOf(path: string, { schema }: FileMetaData): Column[] {
  const [root, ...elements] = schema;
  const nested = elements.find((element) => isNested(element));
  if (root === undefined || nested !== undefined) {
    throw refused(path, `its column ${JSON.stringify(nested?.name ?? '')} is nested: write a flat table`);
  }
  return elements.map((element) => {
    const textOf = parquetTextOf(typeOf(element));
    if (textOf !== undefined) return { name: element.name, textOf };
    const type = element.logical_type?.type ?? element.converted_type ?? element.type ?? 'unknown';
    throw refused(path, `its column ${JSON.stringify(element.name)} is of the type ${type}: write it without`);
  });
}

function isNested({ num_children: children, repetition_type: repetition }: SchemaElement): boolean {
  return (children ?? 0) > 0 || repetition === 'REPEATED';
}

const SECOND_DIGITS = { MILLIS: 3, MICROS: 6, NANOS: 9 } as const;

function typeOf(element: SchemaElement): ParquetType {
  const { logical_type: logical, converted_type: converted } = element;
  const isOldStamp = converted === 'TIMESTAMP_MILLIS' || converted === 'TIMESTAMP_MICROS';
  const type = {
    physical: element.type,
    scale: logical?.type === 'DECIMAL' ? logical.scale : (element.scale ?? 0),
    secondDigits: converted === 'TIMESTAMP_MILLIS' ? SECOND_DIGITS.MILLIS : SECOND_DIGITS.MICROS,
    isInstant: true,
    isUnsigned: converted?.startsWith('UINT') === true,
  };
  if (logical?.type === 'TIMESTAMP') {
    const secondDigits = SECOND_DIGITS[logical.unit];
    return { ...type, logical: 'TIMESTAMP', secondDigits, isInstant: logical.isAdjustedToUTC };
  }
  if (isOldStamp) return { ...type, logical: 'TIMESTAMP' };
  if (logical?.type === 'INTEGER') return { ...type, logical: 'INTEGER', isUnsigned: !logical.isSigned };
  return { ...type, logical: plainLogicalOf(element) };
}

function plainLogicalOf({ logical_type: logical, converted_type: converted }: SchemaElement): ParquetType['logical'] {
  const name = logical?.type ?? converted;
  if (name === undefined || name === 'NULL') return undefined;
  if (name === 'DECIMAL' || name === 'DATE' || name === 'UUID') return name;
  if (name === 'STRING' || name === 'UTF8' || name === 'ENUM' || name === 'JSON') return 'STRING';
  return /^U?INT_\d+$/.test(name) ? 'INTEGER' : 'OTHER';
}

/** The same file, but with its values as stored. */
function withoutLogicalTypes(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element) => {
    const stored = { ...element };
    delete stored.logical_type;
    delete stored.converted_type;
    return stored;
  });
  return { ...metadata, schema };
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    slice: async (start, end = size) => {
      const length = Math.max(0, Math.min(end, size) - start);
      const bytes = new Uint8Array(length);
      await handle.read(bytes, 0, length, start);
      return bytes.buffer;
    },
  };
}

async function readable<Result>(path: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw refused(path, `its Parquet data is damaged or truncated (${(error as Error).message}): download it again`);
  }
}

function refused(path: string, why: string): TapeproofError {
  return new TapeproofError('USAGE', `The file ${path} cannot be read: ${why}.`);
}

function lineOf(number: number, text: string): FileLine {
  return { number, bytes: Buffer.from(text), overlong: undefined };
}

function quotedField(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
