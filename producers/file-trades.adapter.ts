import type { DeadLetter, Trade } from '../contracts/generated/events.ts';
import { openFile, readRows, type FileOptions } from './file-rows.adapter.ts';

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
  for await (const rows of readRows(file, options.signal)) {
    for (const row of rows) {
      if (row.kind === 'trade') yield row.trade;
      else if (row.kind === 'dead-letter') onRefused(row.deadLetter);
    }
  }
}
