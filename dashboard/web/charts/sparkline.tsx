import type { SparklinePoint } from '../../contract/instruments.ts';
import { linePoints, pathThrough } from './polyline.ts';

const BOX = { width: 120, height: 32, margin: 3 };

/** The latest prices of an instrument, without scales; its figures are in the table around it. */
export function Sparkline({ points }: { readonly points: readonly SparklinePoint[] }) {
  if (points.length < 2) return <span class="muted small">not enough prices yet</span>;
  const line = linePoints(
    points.map(({ timeUs, price }) => ({ time: timeUs, value: Number(price) })),
    BOX,
  );
  const last = line.at(-1);
  return (
    <svg class="sparkline" viewBox={`0 0 ${BOX.width} ${BOX.height}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={pathThrough(line)} />
      {last === undefined ? null : <circle cx={last.x} cy={last.y} r="2.2" />}
    </svg>
  );
}
