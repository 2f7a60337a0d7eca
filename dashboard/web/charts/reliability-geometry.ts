import type { ReliabilityBin } from '../../contract/scores.ts';

/** The common bounds of both axes of a reliability diagram, so that its diagonal is at 45°. */
export interface ReliabilityBounds {
  readonly low: number;
  readonly high: number;
}

/** The least span of an axis, and the margin around what is drawn, in probability. */
const SPAN_MIN = 0.1;
const MARGIN = 0.02;
/** A bin with less than this share of the effective n does not stretch the axes: its band is drawn up to their ends. */
const WEIGHTY_SHARE = 0.05;
/** A bin of less than one horizon's worth of outcomes does not stretch them either, not even by its point. */
const EFFECTIVE_N_MIN = 1;

/** Bounds that show every bin of weight with its band, and the point of every other one. */
export function reliabilityBounds(bins: readonly ReliabilityBin[]): ReliabilityBounds {
  const all = bins.reduce((sum, { effectiveN }) => sum + effectiveN, 0);
  const values = bins.flatMap(({ effectiveN, meanProbability, hitRate, band }) => [
    ...(effectiveN >= EFFECTIVE_N_MIN ? [meanProbability, hitRate] : []),
    ...(effectiveN >= WEIGHTY_SHARE * all ? [band.low, band.high] : []),
  ]);
  if (values.length === 0) return { low: 0, high: 1 };
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const short = Math.max(SPAN_MIN - (most - least), 0) / 2;
  return { low: Math.max(least - short - MARGIN, 0), high: Math.min(most + short + MARGIN, 1) };
}

/** Round values inside bounds, at most `most` of them, for the marks of an axis. */
export function axisTicks({ low, high }: ReliabilityBounds, most = 6): number[] {
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5];
  const step = steps.find((each) => (high - low) / each <= most - 1) ?? 0.5;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, index) => (first + index) * step);
}
