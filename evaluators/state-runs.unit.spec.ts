import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentOf, StatePart } from './state-pages.ts';
import { KnownRuns, partsOf, runsOf } from './state-runs.ts';

const itself = (item: number) => item;
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe('runsOf', () => {
  it('keeps every item, in order, in runs of a bounded length', () => {
    const keys = fc.array(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), { maxLength: 3_000 });
    fc.assert(
      fc.property(keys, (items) => {
        const runs = runsOf(items, itself);
        expect(runs.flat()).toEqual(items);
        for (const run of runs) {
          expect(run.length).toBeGreaterThan(0);
          expect(run.length).toBeLessThanOrEqual(1_024);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('moves no border elsewhere, wherever items are added or taken away', () => {
    const items = numbers(0, 20_000).map((index) => 1_742_943_600_000_000 + index * 1_000_000);
    const before = runsOf(items, itself).map((run) => run.join());
    expect(before.length).toBeGreaterThan(40);
    expect(before.length).toBeLessThan(200);
    for (const changed of [
      items.slice(5_000),
      [...items, items.at(-1)! + 1],
      [...items.slice(0, 7_000), ...items.slice(7_001)],
      [...items.slice(0, 9_000), items[9_000]! - 1, ...items.slice(9_000)],
    ]) {
      const known = new Set(before);
      const fresh = runsOf(changed, itself).filter((run) => !known.has(run.join()));
      // The run that was cut, or that begins anew within the bound of a run's length.
      expect(fresh.length).toBeLessThanOrEqual(2);
    }
  });
});

describe('the runs of a state', () => {
  it('are parts, and a short list is not', () => {
    for (const [runs, isPart] of [
      [[numbers(0, 63)], false],
      [[numbers(0, 64)], true],
      [[numbers(0, 3), numbers(3, 130)], true],
      [[], false],
    ] as const) {
      const parts = partsOf(runs, itself);
      for (const part of parts) expect(part instanceof StatePart).toBe(isPart);
      expect(parts.flatMap(contentOf)).toEqual(runs.flat());
    }
  });

  it('are the same parts as before where no item changed', () => {
    interface Item {
      readonly at: number;
    }
    const items: Item[] = numbers(0, 5_000).map((at) => ({ at }));
    const known = new KnownRuns<Item, number>(
      ({ at }) => at,
      ({ at }) => at,
    );
    const first = known.of(items);
    const later = known.of([...items.slice(300), { at: 5_000 }]);
    expect(later.flatMap(contentOf)).toEqual(numbers(300, 5_001));
    const shared = new Set<unknown>(first);
    expect(later.length).toBeGreaterThan(10);
    expect(later.filter((part) => !shared.has(part)).length).toBeLessThanOrEqual(3);
    // A list that was short has become long: its runs are those of a list that always was.
    const grown = new KnownRuns<Item, number>(
      ({ at }) => at,
      ({ at }) => at,
    );
    grown.of(items.slice(0, 60));
    expect(JSON.stringify(grown.of(items))).toBe(JSON.stringify(first));
    expect(grown.of(items).every((part) => part instanceof StatePart)).toBe(true);
    // An item that was replaced by an equal one is another item, whatever its neighbours.
    const place = 2_500;
    const replaced = [...items.slice(300, place), { at: -1 }, ...items.slice(place + 1)];
    expect(known.of(replaced).flatMap(contentOf)[place - 300]).toBe(-1);
  });
});
