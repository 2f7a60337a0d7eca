/** Values along an axis, scaled into a box of pixels. */
export interface Box {
  readonly width: number;
  readonly height: number;
  /** Free space inside the edges. */
  readonly margin: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Points of a line through these values, the greatest one on top; a constant line is in the middle. Times are scaled, so
 * that a gap in time is a gap in the picture.
 */
export function linePoints(values: readonly { readonly time: number; readonly value: number }[], box: Box): Point[] {
  const [times, levels] = [values.map(({ time }) => time), values.map(({ value }) => value)];
  const x = scaleOf(Math.min(...times), Math.max(...times), box.margin, box.width - box.margin);
  const y = scaleOf(Math.min(...levels), Math.max(...levels), box.height - box.margin, box.margin);
  return values.map(({ time, value }) => ({ x: x(time), y: y(value) }));
}

/** The attribute `d` of a path through these points. */
export function pathThrough(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

/** From one interval to another; the middle where the first one is a single value. */
export function scaleOf(from: number, to: number, first: number, last: number): (value: number) => number {
  if (to === from) return () => (first + last) / 2;
  return (value) => first + ((value - from) / (to - from)) * (last - first);
}
