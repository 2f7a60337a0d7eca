import { useState } from 'preact/hooks';
import type { ScoreSpan, ScoreSpansResponse } from '../../../contract/scores.ts';
import { useResource } from '../../api/resource.ts';
import { linePoints, pathThrough, scaleOf } from '../../charts/polyline.ts';
import { countText, percentText, signedText } from '../../format/numbers.ts';
import { dayText } from '../../format/times.ts';
import { Answered, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { ForecastSelect } from './forecast-select.tsx';
import type { Comparison } from './score-view.ts';

const BOX = { width: 340, height: 130, margin: 8 };

/** One group: another rule, configuration or engine is another experiment. */
function spansPath({ instrument, rows, configHash, engineVersion, horizonMs }: Comparison, forecast: string): string {
  const { hitRuleKind = 'MOVE', leastMove = '' } = rows[0]?.group ?? {};
  const group = { forecast, hitRuleKind, horizonMs: String(horizonMs), leastMove, configHash, engineVersion };
  return `/instruments/${encodeURIComponent(instrument)}/score-spans?${new URLSearchParams(group).toString()}`;
}

/** Skill and regret as they were at each time, of all outcomes until then. */
export function SpansCard({ comparison }: { readonly comparison: Comparison }) {
  const [forecast, setForecast] = useState('DECISION');
  const resource = useResource<ScoreSpansResponse>(spansPath(comparison, forecast));
  return (
    <section class="card" aria-label="Skill and regret over time">
      <div class="card-head">
        <h2>Skill and regret over time</h2>
        <ForecastSelect label="Skill and regret of" rows={comparison.rows} chosen={forecast} choose={setForecast} />
      </div>
      <Answered resource={resource}>
        {({ spans }) =>
          spans.length === 0 ? (
            <Empty title="There are no outcomes of it yet" />
          ) : (
            <>
              <OverTime name="Skill against the reference, of all outcomes so far" spans={spans} of="skillSoFar" />
              <OverTime name="Regret, of all outcomes so far" spans={spans} of="regretSoFar" />
              <SpanTable spans={spans} />
            </>
          )
        }
      </Answered>
    </section>
  );
}

function OverTime({
  name,
  spans,
  of,
}: {
  readonly name: string;
  readonly spans: readonly ScoreSpan[];
  readonly of: 'skillSoFar' | 'regretSoFar';
}) {
  const values = spans.flatMap((span) => (span[of] === null ? [] : [{ time: span.toUs, value: span[of] }]));
  const [first, last] = [values[0], values.at(-1)];
  if (first === undefined || last === undefined)
    return <Empty title={name}>Withheld while there are too few outcomes.</Empty>;
  // Zero is always in the picture: above or below it is the question.
  const levels = [0, ...values.map(({ value }) => value)];
  const y = scaleOf(Math.min(...levels), Math.max(...levels), BOX.height - BOX.margin, BOX.margin);
  const points = linePoints(values, BOX).map(({ x }, index) => ({ x, y: y(values[index]?.value ?? 0) }));
  const end = points.at(-1);
  return (
    <figure class="over-time">
      <figcaption>
        {name}: <strong>{signedText(last.value)}</strong>
      </figcaption>
      <svg viewBox={`0 0 ${BOX.width} ${BOX.height}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="zero" d={`M0 ${y(0)}H${BOX.width}`} />
        <path d={pathThrough(points)} />
        {end === undefined ? null : <path class="end" d={`M${end.x} ${end.y}h0`} />}
      </svg>
      <div class="ends">
        <span>{dayText(first.time / 1_000)}</span>
        <span>dashed: 0</span>
        <span>{dayText(last.time / 1_000)}</span>
      </div>
    </figure>
  );
}

function SpanTable({ spans }: { readonly spans: readonly ScoreSpan[] }) {
  return (
    <details class="data-table">
      <summary>The charts as a table</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="The charts as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">Until</th>
              {['n', 'Came true', 'Skill so far', 'Regret so far'].map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {spans.toReversed().map(({ toUs, n, hitRate, skillSoFar, regretSoFar }) => (
              <tr key={toUs}>
                <th scope="row">
                  <Time us={toUs} />
                </th>
                <td class="number">{countText(n)}</td>
                <td class="number">{percentText(hitRate)}</td>
                <td class="number">{signedText(skillSoFar)}</td>
                <td class="number">{signedText(regretSoFar)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
