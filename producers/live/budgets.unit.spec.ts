import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, RETRY_AFTER_MS_MAX, retryAfterMs } from './backoff.ts';
import { ConnectionBudget } from './connection-budget.ts';
import { DEAD_LETTERS_PER_SECOND_MAX, deadLetterOf, RateBound } from './dead-letters.ts';
import { RequestBudget } from './request-budget.ts';

const LIMIT = { weight: 6_000, windowMs: 60_000 };
const WEIGHT = 25;

describe('the budget of requests', () => {
  it('stays below the limit in every window, however much is wanted', () => {
    const budget = new RequestBudget(LIMIT);
    const sentAtMs: number[] = [];
    for (let nowMs = 0; nowMs < 5 * LIMIT.windowMs; nowMs += 10) {
      if (budget.waitMs(WEIGHT, nowMs) > 0) continue;
      budget.spend(WEIGHT, nowMs);
      sentAtMs.push(nowMs);
    }
    for (const [index, fromMs] of sentAtMs.entries()) {
      const within = sentAtMs.slice(index).filter((atMs) => atMs < fromMs + LIMIT.windowMs);
      expect(within.length * WEIGHT).toBeLessThan(LIMIT.weight * 0.85);
    }
    expect(sentAtMs.length * WEIGHT).toBeGreaterThan(2 * LIMIT.weight);
  });

  it('waits as long as the venue demands', () => {
    const budget = new RequestBudget(LIMIT);
    budget.blockFor(7_000, 100);
    budget.blockFor(1_000, 200);
    expect(budget.waitMs(WEIGHT, 200)).toBe(6_900);
    expect(budget.waitMs(WEIGHT, 7_100)).toBe(0);
  });

  it('waits for the next window when the venue counts more than ours', () => {
    const budget = new RequestBudget(LIMIT);
    budget.used(5_000, 9_000, 0);
    expect(budget.waitMs(WEIGHT, 0)).toBe(0);
    budget.used(5_500, 9_000, 0);
    expect(budget.waitMs(WEIGHT, 0)).toBe(9_000);
  });
});

describe('the budget of connections', () => {
  it('stays well below the limit in every window', () => {
    const limit = { count: 300, windowMs: 300_000 };
    const budget = new ConnectionBudget(limit);
    let count = 0;
    for (let nowMs = 0; nowMs < limit.windowMs; nowMs += 100) {
      if (budget.waitMs(nowMs) > 0) continue;
      budget.spend(nowMs);
      count += 1;
    }
    expect(count).toBe(120);
    expect(budget.waitMs(limit.windowMs - 1)).toBe(1);
    expect(budget.waitMs(limit.windowMs)).toBe(0);
  });

  it('waits as long as the venue demands', () => {
    const budget = new ConnectionBudget({ count: 300, windowMs: 300_000 });
    budget.blockFor(5_000, 0);
    expect(budget.waitMs(1_000)).toBe(4_000);
  });
});

describe('the delay before another attempt', () => {
  it('is between the minimum and a bound that doubles up to the maximum', () => {
    expect([1, 2, 3, 8, 60].map((attempt) => backoffMs(attempt, 500, 30_000, 0))).toEqual([500, 500, 500, 500, 500]);
    expect([1, 2, 3].map((attempt) => backoffMs(attempt, 500, 30_000, 1))).toEqual([1_000, 2_000, 4_000]);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, random) => {
          const delayMs = backoffMs(attempt, 500, 30_000, random);
          expect(delayMs).toBeGreaterThanOrEqual(500);
          expect(delayMs).toBeLessThanOrEqual(30_000);
        },
      ),
    );
  });

  it.each([
    ['7', 7_000],
    ['0', 0],
    [' 3 ', 3_000],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 60_000],
    ['Wed, 21 Oct 2015 07:26:00 GMT', 0],
    ['9999999', RETRY_AFTER_MS_MAX],
    ['999999999999999999999', RETRY_AFTER_MS_MAX],
    ['Thu, 01 Jan 2099 00:00:00 GMT', RETRY_AFTER_MS_MAX],
    ['', undefined],
    ['soon', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    [undefined, undefined],
    [null, undefined],
  ])('reads Retry-After %j', (header, expected) => {
    expect(retryAfterMs(header, Date.UTC(2015, 9, 21, 7, 27, 0))).toBe(expected);
  });
});

describe('the dead letters of a stream', () => {
  it('contain the whole refused text, up to their bound', () => {
    const text = 'x'.repeat(100_000);
    const deadLetter = deadLetterOf('binance', text, { reason: 'MALFORMED', detail: 'why' }, 42);
    expect(deadLetter).toMatchObject({ reader: 'ingest-live', reason: 'MALFORMED', payloadBytes: 100_000 });
    expect(deadLetter.payload.length).toBe(65_536);
    expect(deadLetter.deadLetterId).toBe(`dead-ingest-live-binance-42-${deadLetter.payloadHash.slice(0, 16)}`);
  });

  it('are bounded in each second', () => {
    const bound = new RateBound(DEAD_LETTERS_PER_SECOND_MAX);
    const allowed = (nowMs: number): number =>
      Array.from({ length: 100 }, () => {
        const allows = bound.allows(nowMs);
        bound.spend(nowMs);
        return allows;
      }).filter(Boolean).length;
    expect(allowed(0)).toBe(DEAD_LETTERS_PER_SECOND_MAX);
    expect(allowed(999)).toBe(0);
    expect(allowed(1_000)).toBe(DEAD_LETTERS_PER_SECOND_MAX);
  });
});
