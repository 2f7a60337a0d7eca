import type { DerivedRecord } from '../evaluators/partition-task.ts';
import type { OpenedFile } from '../producers/file-rows.adapter.ts';
import { tradeRows, type OtherRow } from '../producers/file-trades.adapter.ts';
import type { Backtest, BacktestFile } from './backtest.ts';

/** How far a backtest is. */
export interface BacktestProgress {
  /** Stored bytes of all files. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly trades: number;
}

export interface BacktestFilesOptions {
  /** Ends the run early, without an error. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: BacktestProgress) => void;
}

/**
 * Runs a backtest over files, one after another as they would be ingested. Yields what the first configuration derived,
 * some at a time, and returns what was read of each file.
 *
 * @throws TapeproofError USAGE where a file cannot be read to its end, or a strategy of one's own does something wrong
 */
export async function* backtestFiles(
  backtest: Backtest,
  files: readonly OpenedFile[],
  { signal, onProgress }: BacktestFilesOptions = {},
): AsyncGenerator<readonly DerivedRecord[], readonly BacktestFile[]> {
  const bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const read: BacktestFile[] = [];
  let bytesBefore = 0;
  for (const file of files) {
    if (signal?.aborted === true) break;
    const { path, bytes, sha256, reading } = file;
    const tradesBefore = backtest.trades;
    let otherMessages = 0;
    const onOther = (row: OtherRow) => {
      if (row.kind === 'not-a-trade') otherMessages += 1;
      else if (row.kind === 'dead-letter') {
        backtest.refusedRows.add(row.deadLetter.reason, { path, line: row.line }, row.deadLetter.detail);
      }
    };
    let bytesRead = 0;
    const onBytes = (bytesDone: number) => {
      bytesRead = bytesDone;
    };
    for await (const rows of tradeRows(file, { signal, onOther, onBytes })) {
      const derived = rows.flatMap((row) => backtest.step(row, path)[0] ?? []);
      onProgress?.({ bytesDone: bytesBefore + bytesRead, bytesTotal, trades: backtest.trades });
      if (derived.length > 0) yield derived;
    }
    bytesBefore += bytes;
    const { format, context } = reading;
    const trades = backtest.trades - tradesBefore;
    read.push({ path, format: format.name, source: context.source, sha256, trades, otherMessages });
  }
  return read;
}
