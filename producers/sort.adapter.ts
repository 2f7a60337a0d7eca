import type { FileRow } from './rows.ts';
import { RunFile, type SortableTrade } from './sort-runs.adapter.ts';
import { byTime, merged } from './sort.ts';

/** The most trades sorted in memory, some 100 MB; more are sorted through temporary files. */
export const SORTED_IN_MEMORY_MAX = 250_000;
/** Files merged at once, each with 256 KiB of memory; more are merged in steps. */
export const RUNS_MERGED_MAX = 64;

export interface SortOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called, once all are read, with the number of trades passed on and of all trades. */
  readonly onSorted?: (done: number, total: number) => void;
  readonly inMemoryMax?: number;
  readonly runsMax?: number;
}

/**
 * The rows, with the trades by event time, those of the same time in file order. Rows that are not trades come first,
 * in file order. Memory is bounded by {@link SORTED_IN_MEMORY_MAX} trades, whatever their number. Ends early, without
 * an error, when the signal is given.
 *
 * @throws TapeproofError USAGE where temporary files cannot be written
 */
export async function* sortedRows(
  groups: AsyncIterable<readonly FileRow[]>,
  options: SortOptions = {},
): AsyncGenerator<readonly FileRow[]> {
  const { signal, onSorted = () => undefined } = options;
  const sorter = new Sorter(options);
  try {
    for await (const group of groups) {
      const others: FileRow[] = [];
      for (const row of group) {
        if (row.kind !== 'trade') others.push(row);
        else if (sorter.add(row.line, row.trade)) await sorter.spill();
      }
      if (others.length > 0) yield others;
    }
    let done = 0;
    for await (const group of sorter.sorted()) {
      if (signal?.aborted === true) return;
      yield group.map(({ line, trade }) => ({ kind: 'trade', line, trade }));
      done += group.length;
      onSorted(done, sorter.count);
    }
  } finally {
    await sorter.close();
  }
}

class Sorter {
  private readonly inMemoryMax: number;
  private readonly runsMax: number;
  private rows: SortableTrade[] = [];
  private runs: RunFile[] = [];
  count = 0;

  constructor({ inMemoryMax = SORTED_IN_MEMORY_MAX, runsMax = RUNS_MERGED_MAX }: SortOptions) {
    this.inMemoryMax = inMemoryMax;
    this.runsMax = runsMax;
  }

  /** Takes a trade; when it returns true, memory is full: await `spill` before the next. */
  add(line: number, trade: SortableTrade['trade']): boolean {
    this.rows.push({ eventTimeUs: trade.eventTime, ordinal: this.count, line, trade });
    this.count += 1;
    return this.rows.length >= this.inMemoryMax;
  }

  /** Moves the trades in memory to a temporary file, and merges the files when there are many. */
  async spill(): Promise<void> {
    const run = await RunFile.write([this.rows.sort(byTime)]);
    this.rows = [];
    this.runs.push(run);
    if (this.runs.length < this.runsMax) return;
    const whole = await RunFile.write(merged(this.runs.map((each) => each.rows())));
    await this.close();
    this.runs = [whole];
  }

  async *sorted(): AsyncGenerator<readonly SortableTrade[]> {
    const rows = this.rows.sort(byTime).values();
    const inMemory = { next: (): SortableTrade | undefined => rows.next().value };
    yield* merged([...this.runs.map((run) => run.rows()), inMemory]);
  }

  async close(): Promise<void> {
    const runs = this.runs;
    this.runs = [];
    await Promise.all(runs.map((run) => run.close()));
  }
}
