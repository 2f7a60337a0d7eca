import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INTERVALS_MAX, PREFIXES_MAX, TradeIds, WINDOW_IDS_MAX } from './trade-ids.ts';

describe('TradeIds', () => {
  it('agrees with a set as long as its bounds are kept', () => {
    const number = fc.oneof(
      fc.nat({ max: 300 }),
      fc.nat({ max: 300 }).map((n) => 10 ** 15 - 150 + n),
    );
    const id = fc.oneof(
      number.map(String),
      number.map((n) => `0011223344556677-${n}`),
      number.map((n) => `90071992547409${String(n).padStart(6, '0')}`),
      number.map((n) => String(n).padStart(5, '0')),
      fc.uuid(),
      fc.constantFrom('a', '-', '0', '00', 'x0', 'x00'),
    );
    fc.assert(
      fc.property(fc.array(id, { maxLength: 300 }), fc.nat(), (sequence, cut) => {
        let ids = new TradeIds();
        const seen = new Set<string>();
        sequence.forEach((tradeId, index) => {
          if (index === cut % sequence.length) ids = TradeIds.fromState(ids.toState());
          expect(ids.add(tradeId)).toBe(!seen.has(tradeId));
          seen.add(tradeId);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('takes in ids beyond 2^53 one by one', () => {
    const ids = new TradeIds();
    // Equal as doubles.
    expect(ids.add('9007199254740993')).toBe(true);
    expect(ids.add('9007199254740992')).toBe(true);
    expect(ids.add('9007199254740993')).toBe(false);
  });

  it('counts a gap that is filled late, once', () => {
    const ids = new TradeIds();
    for (let id = 1; id <= 100; id += 1) if (id < 40 || id > 60) ids.add(String(id));
    for (let id = 40; id <= 60; id += 1) expect(ids.add(String(id))).toBe(true);
    for (let id = 1; id <= 100; id += 1) expect(ids.add(String(id))).toBe(false);
    expect(ids.toState().prefixes).toEqual([['', 100, 21, false, [1, 100]]]);
  });

  it('closes the lowest hole where ids grow with too many holes', () => {
    const ids = new TradeIds();
    for (let id = 0; id <= 2 * INTERVALS_MAX; id += 2) ids.add(String(id));
    expect(ids.toState().prefixes[0]?.[4].length).toBe(2 * INTERVALS_MAX);
    expect(ids.add('1')).toBe(false);
    expect(ids.add('3')).toBe(true);
  });

  it('remembers the last ids where they do not grow', () => {
    const ids = new TradeIds();
    const scattered = (index: number) => String((index * 7_919_999) % 1_000_003);
    const count = INTERVALS_MAX + WINDOW_IDS_MAX;
    for (let index = 0; index < count; index += 1) expect(ids.add(scattered(index))).toBe(true);
    for (let index = count - WINDOW_IDS_MAX; index < count; index += 1) expect(ids.add(scattered(index))).toBe(false);
    const { window, prefixes } = ids.toState();
    expect(window.length).toBeLessThanOrEqual(WINDOW_IDS_MAX);
    expect(prefixes[0]?.[3]).toBe(true);
  });

  it('bounds the number of prefixes', () => {
    const ids = new TradeIds();
    for (let index = 0; index < PREFIXES_MAX + WINDOW_IDS_MAX + 10; index += 1) ids.add(`p${index}-1`);
    const { window, prefixes } = ids.toState();
    expect([prefixes.length, window.length]).toEqual([PREFIXES_MAX, WINDOW_IDS_MAX]);
  });
});
