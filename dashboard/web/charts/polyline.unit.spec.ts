import { describe, expect, it } from 'vitest';
import { linePoints, pathThrough, scaleOf } from './polyline.ts';

const BOX = { width: 100, height: 40, margin: 2 };

describe('a line', () => {
  it('fills its box, the greatest value on top', () => {
    const points = linePoints(
      [
        { time: 0, value: 10 },
        { time: 10, value: 30 },
        { time: 40, value: 20 },
      ],
      BOX,
    );
    expect(points).toEqual([
      { x: 2, y: 38 },
      { x: 26, y: 2 },
      { x: 98, y: 20 },
    ]);
    expect(pathThrough(points)).toBe('M2.0 38.0L26.0 2.0L98.0 20.0');
  });

  it('is in the middle where nothing changes', () => {
    expect(linePoints([{ time: 5, value: 7 }], BOX)).toEqual([{ x: 50, y: 20 }]);
    expect(scaleOf(3, 3, 0, 10)(3)).toBe(5);
    expect(pathThrough([])).toBe('');
  });
});
