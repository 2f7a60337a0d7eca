import type { LatestDecision } from '../../contract/instruments.ts';

/** The ends of the line on which probabilities are shown, the same for all that are compared. */
export interface ScaleBounds {
  readonly low: number;
  readonly high: number;
}

const WHOLE: ScaleBounds = { low: 0, high: 1 };
/** Most probabilities are near the middle, where differences could not be seen on the whole line. */
const MIDDLE: ScaleBounds = { low: 0.25, high: 0.75 };

/** The middle half where every probability is in it, else the whole. */
export function scaleBounds(decisions: readonly LatestDecision[]): ScaleBounds {
  const isWithin = (share: number | null): boolean => share === null || (share >= MIDDLE.low && share <= MIDDLE.high);
  const isMiddle = decisions.every(({ probability, rawProbability, referenceRate }) =>
    [probability, rawProbability, referenceRate].every(isWithin),
  );
  return isMiddle ? MIDDLE : WHOLE;
}

/** `25 to 75 %`. */
export function boundsText({ low, high }: ScaleBounds): string {
  return `${low * 100} to ${high * 100} %`;
}
