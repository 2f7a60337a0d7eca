import type { DerivedRecord } from '../evaluators/advance.ts';
import { rowsOf, type SurveyedFile } from '../producers/survey-file.adapter.ts';
import type { Backtest, BacktestFile } from './backtest.ts';

/** The progress of a backtest. */
export interface BacktestProgress {
  /** Stored bytes of all files. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly trades: number;
}

export interface BacktestFilesOptions {
  /** Ends the run early, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** True when the rows of each file are taken in the order of their times. */
  readonly sort?: boolean | undefined;
  /** True when the events are wanted; otherwise none are yielded. */
  readonly withEvents?: boolean;
  readonly onProgress?: (progress: BacktestProgress) => void;
}

/**
 * Runs a backtest over files, one after another as they would be ingested. Yields the events that the first
 * configuration derived from a trade, and returns a summary of each file read.
 *
 * @throws TapeproofError USAGE when a file cannot be read to its end, or a strategy from a file does something wrong
 */
export async function* backtestFiles(
  backtest: Backtest,
  files: readonly SurveyedFile[],
  { signal, sort, withEvents = false, onProgress }: BacktestFilesOptions = {},
): AsyncGenerator<readonly DerivedRecord[], readonly BacktestFile[]> {
  const bytesTotal = files.reduce((sum, { opened }) => sum + opened.bytes, 0);
  const read: BacktestFile[] = [];
  let bytesBefore = 0;
  for (const file of files) {
    if (signal?.aborted === true) break;
    const { path, bytes, sha256, reading } = file.opened;
    const tradesBefore = backtest.trades;
    let otherMessages = 0;
    let bytesRead = 0;
    const onBytes = (bytesDone: number) => {
      bytesRead = bytesDone;
    };
    for await (const rows of rowsOf(file, { path, sort, signal }, onBytes)) {
      for (const row of rows) {
        if (row.kind === 'not-a-trade') otherMessages += 1;
        if (row.kind === 'dead-letter') {
          backtest.refusedRows.add(row.deadLetter.reason, { path, line: row.line }, row.deadLetter.detail);
        }
        if (row.kind !== 'trade') continue;
        const [derived] = backtest.step(row, path);
        if (withEvents && derived !== undefined && derived.length > 0) yield derived;
      }
      // Stored bytes are read ahead of the rows in them: the end is not reached before the last row.
      const bytesDone = Math.min(bytesBefore + bytesRead, bytesTotal - 1);
      onProgress?.({ bytesDone, bytesTotal, trades: backtest.trades });
    }
    bytesBefore += bytes;
    const { format, context } = reading;
    const trades = backtest.trades - tradesBefore;
    read.push({ path, format: format.name, source: context.source, sha256, trades, otherMessages });
  }
  if (signal?.aborted !== true) onProgress?.({ bytesDone: bytesTotal, bytesTotal, trades: backtest.trades });
  return read;
}
