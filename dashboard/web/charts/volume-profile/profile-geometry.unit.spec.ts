import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { profileBars, rowAtHeight, type ProfileSpace, type VolumeProfileRow } from './profile-geometry.ts';

const row = (low: number, volume: number, high = low + 1): VolumeProfileRow => ({
  ...{ low, high, volume, isInValueArea: false, isPointOfControl: false },
});
/** Ten pixels for each unit of price, 0 at the bottom of a pane of 100. */
const SPACE: ProfileSpace = {
  ...{ paneWidth: 300, paneHeight: 100, longestBar: 60, side: 'right', gap: 1 },
  yOf: (price) => 100 - 10 * price,
};

describe('the bars of a volume profile', () => {
  it('stand on the edge, as long as their share of the greatest volume', () => {
    const bars = profileBars([row(0, 5), row(1, 10), row(2, 0)], SPACE);
    expect(bars.map(({ x, y, width, height }) => [x, y, width, height])).toEqual([
      [270, 90, 30, 9],
      [240, 80, 60, 9],
    ]);
    expect(profileBars([row(1, 10)], { ...SPACE, side: 'left' })[0]?.x).toBe(0);
  });

  it('are drawn on an inverted scale, and left out beyond the pane or without a scale', () => {
    const inverted = { ...SPACE, yOf: (price: number) => 10 * price };
    expect(profileBars([row(1, 1)], inverted).map(({ y, height }) => [y, height])).toEqual([[10, 9]]);
    expect(profileBars([row(-5, 1), row(40, 1)], SPACE)).toEqual([]);
    expect(profileBars([row(1, 1)], { ...SPACE, yOf: () => null })).toEqual([]);
    expect(profileBars([], SPACE)).toEqual([]);
    expect(profileBars([row(1, 0)], SPACE)).toEqual([]);
  });

  it('are seen however little their volume, and give up the gap where they are low', () => {
    const fine = { ...SPACE, yOf: (price: number) => 100 - 2 * price };
    const bars = profileBars([row(0, 1), row(1, 1_000_000)], fine);
    expect(bars.map(({ width, height }) => [width, height])).toEqual([
      [1, 2],
      [60, 2],
    ]);
  });

  it('never overlap, whatever the height of a price', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 40, noNaN: true }),
        fc.array(fc.double({ min: 0.001, max: 1e9, noNaN: true }), { minLength: 2, maxLength: 40 }),
        (pixelsPerUnit, volumes) => {
          const rows = volumes.map((volume, index) => row(index, volume));
          const height = Math.ceil(pixelsPerUnit * rows.length);
          const bars = profileBars(rows, {
            ...{ ...SPACE, paneHeight: height, gap: 0 },
            yOf: (price) => height - pixelsPerUnit * price,
          });
          expect(bars).toHaveLength(rows.length);
          for (const [index, { y, width }] of bars.entries()) {
            const above = bars[index + 1];
            if (above !== undefined && pixelsPerUnit >= 1) expect(above.y + above.height).toBeLessThanOrEqual(y);
            expect(width).toBeLessThanOrEqual(SPACE.longestBar);
          }
        },
      ),
    );
  });

  it('names the row at a height, beside its bar too', () => {
    const rows = [row(0, 5), row(1, 10)];
    expect(rowAtHeight(rows, 95, SPACE.yOf)).toBe(rows[0]);
    expect(rowAtHeight(rows, 80, SPACE.yOf)).toBe(rows[1]);
    expect(rowAtHeight(rows, 79, SPACE.yOf)).toBeUndefined();
    expect(rowAtHeight(rows, 95, () => null)).toBeUndefined();
  });
});
