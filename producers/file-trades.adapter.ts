import type { DeadLetter, Trade } from '../contracts/generated/events.ts';
import { openFile, readRows, type BytesRead, type FileOptions, type OpenedFile } from './file-rows.adapter.ts';
import type { FileRow } from './rows.ts';

/** A row that is a trade, with its line. */
export type TradeRow = Extract<FileRow, { readonly kind: 'trade' }>;
/** Any other row: refused, another message, or nothing. */
export type OtherRow = Exclude<FileRow, TradeRow>;

/** What is told while the trades of a file are read. */
export interface TradeRowsOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onOther?: (row: OtherRow) => void;
  readonly onBytes?: BytesRead;
}

/**
 * The trades of a file in its order, without any service; what `derive` runs the engine over.
 *
 * @param onRefused told of each row that is no trade and should be one
 * @throws TapeproofError USAGE as `openFile` and `readRows`
 */
export async function* fileTrades(
  options: FileOptions,
  onRefused: (deadLetter: DeadLetter) => void = () => undefined,
): AsyncGenerator<Trade> {
  const file = await openFile(options);
  const onOther = (row: OtherRow) => {
    if (row.kind === 'dead-letter') onRefused(row.deadLetter);
  };
  for await (const rows of tradeRows(file, { signal: options.signal, onOther })) {
    for (const { trade } of rows) yield trade;
  }
}

/**
 * The trades of an opened file in its order, in groups of what one read held. Ends early, without an error, when the
 * signal is given.
 *
 * @throws TapeproofError USAGE as `readRows`
 */
export async function* tradeRows(
  file: OpenedFile,
  { signal, onOther, onBytes }: TradeRowsOptions = {},
): AsyncGenerator<readonly TradeRow[]> {
  for await (const rows of readRows(file, signal, onBytes)) {
    const trades: TradeRow[] = [];
    for (const row of rows) {
      if (row.kind === 'trade') trades.push(row);
      else onOther?.(row);
    }
    yield trades;
  }
}
