import type { FileHead, FileSource, LineParser } from './source.ts';
import { barterJsonl } from './sources/barter-jsonl.ts';
import { binanceAggTrades } from './sources/binance-agg-trades.ts';
import { binanceCapture } from './sources/binance-capture.ts';
import { binanceTrades } from './sources/binance-trades.ts';
import { bitmex, bybit } from './sources/bitmex.ts';
import { bitstampCsv } from './sources/bitstamp-csv.ts';
import { canonicalCsv } from './sources/canonical-csv.ts';
import { coinbase } from './sources/coinbase.ts';
import { cryptoDataDownload } from './sources/cryptodatadownload.ts';
import { databento } from './sources/databento.ts';
import { kraken } from './sources/kraken.ts';
import { lean } from './sources/lean.ts';
import { tardis } from './sources/tardis.ts';

/** Every format that trades can be read from. A new format is a file and a line here. */
export const FILE_SOURCES: readonly FileSource[] = [
  canonicalCsv,
  binanceTrades,
  binanceAggTrades,
  kraken,
  coinbase,
  bitmex,
  bybit,
  tardis,
  databento,
  lean,
  cryptoDataDownload,
  bitstampCsv,
  binanceCapture,
  barterJsonl,
];

/** How many lines at the start of a file are inspected to detect its format. */
export const DETECTION_LINES = 20;

/** The formats' names, for messages and help. */
export const FILE_SOURCE_NAMES: readonly string[] = FILE_SOURCES.map((source) => source.name);

/** A format, and the parser for one file of it. */
export interface Detected {
  readonly format: FileSource;
  readonly parser: LineParser;
}

/** The format with this name. */
export function fileSourceNamed(name: string): FileSource | undefined {
  return FILE_SOURCES.find((source) => source.name === name);
}

/** The format of a file that begins like this. */
export function detectFileSource(head: FileHead): Detected | undefined {
  for (const format of FILE_SOURCES) {
    const parser = format.open(head);
    if (parser !== undefined) return { format, parser };
  }
  return undefined;
}
