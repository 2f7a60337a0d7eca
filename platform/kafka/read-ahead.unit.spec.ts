import { describe, expect, it } from 'vitest';
import { readAhead } from './read-ahead.ts';

/** Counts up, notes what was requested, and fails at a number. */
function counter(failsAt = Number.POSITIVE_INFINITY) {
  const seen = { requested: 0, isClosed: false };
  async function* source(): AsyncGenerator<number, void, undefined> {
    try {
      while (seen.requested < 5) {
        await Promise.resolve();
        seen.requested += 1;
        if (seen.requested === failsAt) throw new Error('no answer');
        yield seen.requested;
      }
    } finally {
      seen.isClosed = true;
    }
  }
  return { seen, items: readAhead(source()) };
}

describe('readAhead', () => {
  it('gives every item, one of them requested ahead', async () => {
    const { seen, items } = counter();
    const all: number[] = [];
    for await (const item of items) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(seen.requested).toBe(Math.min(item + 1, 5));
      all.push(item);
    }
    expect(all).toEqual([1, 2, 3, 4, 5]);
  });

  it('gives the items before an error, and then the error', async () => {
    const { items } = counter(2);
    expect((await items.next()).value).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    await expect(items.next()).rejects.toThrow('no answer');
  });

  it('closes its source when it is left', async () => {
    const { seen, items } = counter();
    for await (const item of items) if (item === 2) break;
    expect(seen.isClosed).toBe(true);
  });
});
