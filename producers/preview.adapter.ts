import type { Trade } from '../contracts/generated/events.ts';
import type { Refusal } from '../contracts/trade-rules.ts';
import { containerOf, type Container } from './containers.adapter.ts';
import { readable, readingOf, readLines, type FileOptions } from './file-rows.adapter.ts';
import { FileRows, textOfLine } from './rows.ts';

/** Rows that a preview shows. */
const PREVIEW_ROWS = 10;

/** How a file is understood, before anything is done with it. */
export interface Preview {
  readonly path: string;
  readonly container: Container;
  readonly format: string;
  /** The delimiter; null where the file is not a table. */
  readonly delimiter: string | null;
  /** The line that names the columns; null where there is no header. */
  readonly header: string | null;
  /** How stamps are read, for people. */
  readonly times: string;
  readonly rows: readonly PreviewedRow[];
}

export interface PreviewedRow {
  /** Number of the line, from 1. */
  readonly line: number;
  /** The line as in the file; for Parquet the row as CSV. */
  readonly raw: string;
  /** Null where the row is refused or is legitimately not a trade. */
  readonly trade: Trade | null;
  readonly refusal: Refusal | null;
}

/**
 * The first ten rows of a file as understood. The rest of the file is not read.
 *
 * @throws TapeproofError USAGE like `openFile`
 */
export async function preview(options: FileOptions): Promise<Preview> {
  const { path } = options;
  return await readable(path, async () => {
    const container = await containerOf(path);
    const reading = await readingOf(options, container, 'file:preview');
    const { format, parser } = reading;
    const rows = new FileRows(reading);
    const shown: PreviewedRow[] = [];
    const about = {
      path,
      container,
      format: format.name,
      delimiter: parser.delimiter ?? null,
      header: parser.header ?? null,
      times: parser.times,
    };
    for await (const lines of readLines(path, container, () => undefined)) {
      for (const line of lines) {
        const row = rows.rowOf(line);
        if (row.kind === 'nothing') continue;
        const raw = textOfLine(line) ?? line.bytes.toString('latin1');
        const refusal = row.kind === 'dead-letter' ? refusalIn(row.deadLetter) : null;
        shown.push({ line: row.line, raw, trade: row.kind === 'trade' ? row.trade : null, refusal });
        if (shown.length >= PREVIEW_ROWS) return { ...about, rows: shown };
      }
    }
    return { ...about, rows: shown };
  });
}

function refusalIn({ reason, detail }: Refusal): Refusal {
  return { reason, detail };
}
