import type { LatestDecision } from '../../contract/instruments.ts';
import { scaleOf } from './polyline.ts';
import type { ScaleBounds } from './scale-bounds.ts';

const [WIDTH, HEIGHT] = [160, 24];
const [LEFT, RIGHT, MIDDLE] = [6, WIDTH - 6, HEIGHT / 2];
/** Of the raw and the published probability. */
const [RAW_RADIUS, PUBLISHED_RADIUS] = [3.5, 5];
const REFERENCE_HALF_PX = 8;

/** A probability on a line between these bounds: the reference rate as a stroke, raw as a ring, published as a disc. */
export function ProbabilityScale({
  decision,
  bounds,
}: {
  readonly decision: LatestDecision;
  readonly bounds: ScaleBounds;
}) {
  const along = scaleOf(bounds.low, bounds.high, LEFT, RIGHT);
  const { probability, rawProbability, referenceRate } = decision;
  return (
    <svg class="scale" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <line class="track" x1={LEFT} x2={RIGHT} y1={MIDDLE} y2={MIDDLE} />
      {referenceRate === null ? null : (
        <>
          <line class="reach" x1={along(referenceRate)} x2={along(probability)} y1={MIDDLE} y2={MIDDLE} />
          <line
            class="reference"
            x1={along(referenceRate)}
            x2={along(referenceRate)}
            y1={MIDDLE - REFERENCE_HALF_PX}
            y2={MIDDLE + REFERENCE_HALF_PX}
          />
        </>
      )}
      <circle class="calibrated" cx={along(probability)} cy={MIDDLE} r={PUBLISHED_RADIUS} />
      {rawProbability === null ? null : <circle class="raw" cx={along(rawProbability)} cy={MIDDLE} r={RAW_RADIUS} />}
    </svg>
  );
}
