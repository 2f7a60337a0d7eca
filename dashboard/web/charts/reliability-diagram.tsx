import type { ReliabilityBin, ReliabilityDiagram as Diagram } from '../../contract/scores.ts';
import { countText, percentBounds, percentText } from '../format/numbers.ts';
import { scaleOf } from './polyline.ts';
import { axisTicks, reliabilityBounds, type ReliabilityBounds } from './reliability-geometry.ts';

const [WIDTH, HEIGHT, LEFT, TOP, PLOT] = [340, 362, 44, 34, 284];
const RADIUS = 4.5;

/** How often forecasts came true, by the probability that was published: each bin with its band and n. */
export function ReliabilityDiagram({ diagram }: { readonly diagram: Diagram }) {
  const { bins } = diagram;
  const bounds = reliabilityBounds(bins);
  const x = scaleOf(bounds.low, bounds.high, LEFT, LEFT + PLOT);
  const y = scaleOf(bounds.low, bounds.high, TOP + PLOT, TOP);
  const within = (value: number): number => Math.min(Math.max(value, bounds.low), bounds.high);
  return (
    <svg
      class="plot is-square"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label="Reliability diagram; the table below has its figures"
    >
      <Axes bounds={bounds} x={x} y={y} />
      <line class="diagonal" x1={LEFT} y1={TOP + PLOT} x2={LEFT + PLOT} y2={TOP} />
      {bins.map((bin, index) => {
        const [middle, rate] = [x(within(bin.meanProbability)), y(within(bin.hitRate))];
        const isInside = within(bin.hitRate) === bin.hitRate && within(bin.meanProbability) === bin.meanProbability;
        return (
          <g key={bin.low}>
            <line class="interval" x1={middle} x2={middle} y1={y(within(bin.band.low))} y2={y(within(bin.band.high))} />
            <circle class={`point ${isInside ? '' : 'is-hollow'}`} cx={middle} cy={rate} r={RADIUS} />
            <text x={middle} y={index % 2 === 0 ? TOP - 6 : TOP - 19} text-anchor="middle">
              {countText(bin.n)}
            </text>
          </g>
        );
      })}
      <text x={LEFT + PLOT / 2} y={HEIGHT - 12} text-anchor="middle">
        published probability, %; on top the n of each bin
      </text>
      <text transform={`translate(11 ${TOP + PLOT / 2}) rotate(-90)`} text-anchor="middle">
        came true, %
      </text>
    </svg>
  );
}

type Scale = (value: number) => number;

function Axes({ bounds, x, y }: { readonly bounds: ReliabilityBounds; readonly x: Scale; readonly y: Scale }) {
  return (
    <>
      {axisTicks(bounds).map((value) => (
        <g key={value}>
          <line class="axis" x1={LEFT} x2={LEFT + PLOT} y1={y(value)} y2={y(value)} />
          <line class="axis" x1={x(value)} x2={x(value)} y1={TOP} y2={TOP + PLOT} />
          <text x={LEFT - 7} y={y(value) + 4} text-anchor="end">
            {Math.round(value * 100)}
          </text>
          <text x={x(value)} y={TOP + PLOT + 16} text-anchor="middle">
            {Math.round(value * 100)}
          </text>
        </g>
      ))}
    </>
  );
}

export function ReliabilityTable({ bins }: { readonly bins: readonly ReliabilityBin[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="The diagram as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Published</th>
            {['n', 'Effective n', 'Mean', 'Came true', '95 % band'].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {bins.map(({ low, high, n, effectiveN, meanProbability, hitRate, band }) => (
            <tr key={low}>
              <th scope="row">
                {percentText(low, 0)} to {percentText(high, 0)}
              </th>
              <td class="number">{countText(n)}</td>
              <td class="number">{effectiveN.toFixed(1)}</td>
              <td class="number">{percentText(meanProbability)}</td>
              <td class="number">{percentText(hitRate)}</td>
              <td class="number">{percentBounds(band)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
