import type { Decision } from '../../../contract/decisions.ts';
import type { ProfileResponse, SeriesPoint } from '../../../contract/series.ts';
import type { DecisionMark } from '../../charts/decision-markers/marker-places.ts';
import type { VolumeProfileRow } from '../../charts/volume-profile/profile-geometry.ts';

/** One point of the chart; prices as doubles, because that is what a canvas draws. */
export interface ChartPoint {
  /** Seconds since 1970, with a fraction. */
  readonly time: number;
  readonly price: number;
  readonly vwap: number;
  readonly vwapDeviation: number;
  readonly valueAreaLow: number;
  /** Upper edge. */
  readonly valueAreaHigh: number;
  readonly rangeLow: number | null;
  readonly rangeHigh: number | null;
}

/**
 * The points of a chart, times rising strictly: of several at one time the last one counts.
 *
 * @param binSize of the profile: the value area ends that much above the lower edge of its highest bin
 */
export function chartPoints(points: readonly SeriesPoint[], binSize: string | null): ChartPoint[] {
  const bin = Number(binSize ?? 0);
  const byTime = new Map(
    points.map((point) => [
      point.timeUs,
      {
        time: point.timeUs / 1_000_000,
        price: Number(point.price),
        vwap: point.vwap,
        vwapDeviation: point.vwapDeviation,
        valueAreaLow: Number(point.valueAreaLow),
        valueAreaHigh: Number(point.valueAreaHigh) + bin,
        rangeLow: point.rangeLow === null ? null : Number(point.rangeLow),
        rangeHigh: point.rangeHigh === null ? null : Number(point.rangeHigh),
      },
    ]),
  );
  return [...byTime.values()].sort((left, right) => left.time - right.time);
}

/**
 * The marks of decisions, oldest first, each at the last point at or before it: a chart has no place between points.
 * A decision before the first point is left out.
 *
 * @param decisions newest first, as the server lists them: those of one snapshot keep that order
 */
export function decisionMarks(decisions: readonly Decision[], points: readonly ChartPoint[]): DecisionMark[] {
  return decisions
    .toReversed()
    .toSorted((left, right) => left.timeUs - right.timeUs)
    .flatMap(({ decisionId, timeUs, direction, status, referencePrice }) => {
      const point = lastAtOrBefore(points, timeUs / 1_000_000);
      return point === undefined
        ? []
        : [{ decisionId, time: point.time, price: Number(referencePrice), direction, status }];
    });
}

export function profileRows({ rows }: ProfileResponse): VolumeProfileRow[] {
  return (rows ?? []).map(({ low, high, ...row }) => ({ ...row, low: Number(low), high: Number(high) }));
}

function lastAtOrBefore(points: readonly ChartPoint[], time: number): ChartPoint | undefined {
  let [from, to] = [0, points.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const point = points[middle];
    if (point !== undefined && point.time <= time) from = middle + 1;
    else to = middle;
  }
  return points[from - 1];
}
