import fc from 'fast-check';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { deadRow, START_US, tradeRow } from './fixtures/rows.ts';
import type { FileRow } from './rows.ts';
import { sortedRows, type SortOptions } from './sort.adapter.ts';

async function* groupsOf(rows: readonly FileRow[], size: number) {
  for (let index = 0; index < rows.length; index += size) yield await Promise.resolve(rows.slice(index, index + size));
}

async function sorted(rows: readonly FileRow[], options: SortOptions = {}, size = 3): Promise<FileRow[]> {
  const all: FileRow[] = [];
  for await (const group of sortedRows(groupsOf(rows, size), options)) all.push(...group);
  return all;
}

const timeOf = (row: FileRow): number => (row.kind === 'trade' ? row.trade.eventTime : 0);
const temporary = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('tapeproof-sort-'));

describe('sorting', () => {
  const rows = fc
    .array(fc.option(fc.nat(8), { freq: 8 }), { maxLength: 60 })
    .map((seconds) =>
      seconds.map((second, index) =>
        second === null ? deadRow(index + 2) : tradeRow(index + 2, START_US + second * 1_000_000),
      ),
    );

  it('is stable by time, the same in memory and through any number of temporary files', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 2, max: 5 }),
        async (file, inMemoryMax, runsMax) => {
          const expected = [
            ...file.filter(({ kind }) => kind !== 'trade'),
            ...file.filter(({ kind }) => kind === 'trade').sort((left, right) => timeOf(left) - timeOf(right)),
          ];
          expect(await sorted(file)).toEqual(expected);
          expect(await sorted(file, { inMemoryMax, runsMax })).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('reports its progress, and leaves nothing behind, even if it is left early', async () => {
    const before = temporary();
    const file = Array.from({ length: 2_500 }, (_, index) => tradeRow(index + 2, START_US + ((index * 7) % 100) * 1e6));
    const told: [number, number][] = [];
    await sorted(file, { inMemoryMax: 100, runsMax: 4, onSorted: (...progress) => told.push(progress) }, 50);
    expect(told.at(-1)).toEqual([2_500, 2_500]);
    const begun = sortedRows(groupsOf(file, 50), { inMemoryMax: 100, runsMax: 4 });
    await begun.next();
    expect(temporary()).toEqual(before);
    await begun.return(undefined);
    expect(temporary()).toEqual(before);
  });

  it('ends early when the signal is given', async () => {
    const file = Array.from({ length: 50 }, (_, index) => tradeRow(index + 2, START_US));
    expect(await sorted(file, { signal: AbortSignal.abort() })).toEqual([]);
  });
});
