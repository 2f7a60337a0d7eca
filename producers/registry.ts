import { barterJsonl } from './sources/barter-jsonl.ts';
import { binanceCapture } from './sources/binance-capture.ts';
import { bitstampCsv } from './sources/bitstamp-csv.ts';
import { canonicalCsv } from './sources/canonical-csv.ts';
import type { FileSource } from './source.ts';

/** Every format that trades can be read from. A new one is a file and a line here. */
export const FILE_SOURCES: readonly FileSource[] = [canonicalCsv, bitstampCsv, binanceCapture, barterJsonl];

/** How many lines at the start of a file are looked at to tell its format. */
export const DETECTION_LINES = 20;

/** The formats' names, for messages and help. */
export const FILE_SOURCE_NAMES: readonly string[] = FILE_SOURCES.map((source) => source.name);

/** The format of that name. */
export function fileSourceNamed(name: string): FileSource | undefined {
  return FILE_SOURCES.find((source) => source.name === name);
}

/** The format of a file that begins with these lines (without empty ones). */
export function detectFileSource(firstLines: readonly string[]): FileSource | undefined {
  return FILE_SOURCES.find((source) => source.recognises(firstLines));
}
