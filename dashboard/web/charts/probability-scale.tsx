import type { LatestDecision } from '../../contract/instruments.ts';

const [WIDTH, HEIGHT] = [160, 24];
const [LEFT, RIGHT, MIDDLE] = [6, WIDTH - 6, HEIGHT / 2];
/** Of the raw and the published probability. */
const [RAW_RADIUS, PUBLISHED_RADIUS] = [3.5, 5];
const REFERENCE_HALF_PX = 8;

const along = (share: number): number => LEFT + share * (RIGHT - LEFT);

/** A probability from 0 to 1 on a line: the reference rate as a stroke, raw as a ring, published as a disc. */
export function ProbabilityScale({ decision }: { readonly decision: LatestDecision }) {
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
      {rawProbability === null ? null : <circle class="raw" cx={along(rawProbability)} cy={MIDDLE} r={RAW_RADIUS} />}
      <circle class="calibrated" cx={along(probability)} cy={MIDDLE} r={PUBLISHED_RADIUS} />
    </svg>
  );
}
