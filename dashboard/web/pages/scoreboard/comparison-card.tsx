import type { ScoreRow, SkillResponse, TrialsResponse } from '../../../contract/scores.ts';
import { scaleOf } from '../../charts/polyline.ts';
import { countText, percentBounds, percentText, signedBounds, signedText } from '../../format/numbers.ts';
import { forecastName, shareBounds, skillOf, triesOf, type Comparison } from './score-view.ts';

const [WIDTH, HEIGHT, EDGE, MIDDLE] = [220, 24, 6, 12];

/** The forecasts of one configuration side by side, each against its reference. */
export function ComparisonCard({
  comparison,
  note,
  skills,
  trials,
}: {
  readonly comparison: Comparison;
  readonly note: string;
  /** Undefined until it is known, and where it takes too long. */
  readonly skills: SkillResponse | undefined;
  readonly trials: TrialsResponse | undefined;
}) {
  const { rule, rows, configHash, engineVersion } = comparison;
  const tries = triesOf(configHash, trials?.trials ?? []);
  const bounds = shareBounds(rows);
  return (
    <section class="card" aria-label="Comparison">
      <div class="card-head">
        <h2>Came true, against published and reference</h2>
        <p>
          A forecast is a hit when the price {rule}. Configuration <code>{configHash.slice(0, 12)}</code>, engine{' '}
          {engineVersion}.{' '}
          {tries === undefined
            ? 'No trials of it are on record.'
            : `${countText(tries)} configurations were tried on the same data.`}
        </p>
      </div>
      <Legend />
      <div class="scroll">
        <table class="stacks has-pictures">
          <caption class="visually-hidden">Scores of each forecast</caption>
          <thead>
            <tr>
              <th scope="col">Forecast</th>
              <th scope="col">
                {percentText(bounds.low, 0)} to {percentText(bounds.high, 0)}
              </th>
              {['Came true', 'Published', 'Reference', 'n', 'Skill', 'Regret'].map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.group.forecast} row={row} bounds={bounds} skill={skillOf(row.group, skills)} />
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted small">
        Skill above 0 is better than always publishing the reference; while its interval of 95 % has 0 in it, that may
        be chance. Regret is the loss beyond the best of reference, raw and calibrated probability in hindsight. {note}
      </p>
    </section>
  );
}

function Legend() {
  return (
    <ul class="legend">
      <li>
        <svg viewBox="0 0 22 12" aria-hidden="true">
          <path d="M0 6h22" stroke="var(--accent)" stroke-width="3" opacity="0.45" />
          <circle cx="11" cy="6" r="4" fill="var(--accent)" />
        </svg>
        came true, with its interval of 95 %
      </li>
      <li>
        <svg viewBox="0 0 22 12" aria-hidden="true">
          <circle cx="11" cy="6" r="4" fill="none" stroke="var(--ink)" stroke-width="1.5" />
        </svg>
        mean published probability
      </li>
      <li>
        <svg viewBox="0 0 22 12" aria-hidden="true">
          <path d="M11 0v12" stroke="var(--ink)" stroke-width="1.5" />
        </svg>
        reference
      </li>
    </ul>
  );
}

interface RowProps {
  readonly row: ScoreRow;
  readonly bounds: { readonly low: number; readonly high: number };
}

function Row({ row, bounds, skill }: RowProps & { readonly skill: SkillResponse['rows'][number] | undefined }) {
  const { group, hitRate, hitRateInterval, meanPublished, referenceRate, n, effectiveN, voids, withheld } = row;
  return (
    <tr>
      <th scope="row">{forecastName(group.forecast)}</th>
      {hitRate === null ? (
        <td class="wide muted" colSpan={4}>
          {withheld[0]?.sentence ?? 'withheld'}
        </td>
      ) : (
        <>
          <td class="wide">
            <IntervalPicture row={row} bounds={bounds} />
          </td>
          <td class="number" data-label="Came true">
            <strong>{percentText(hitRate)}</strong>
            <span class="sub">{percentBounds(hitRateInterval)}</span>
          </td>
          <td class="number" data-label="Published">
            {percentText(meanPublished)}
          </td>
          <td class="number" data-label="Reference">
            {percentText(referenceRate)}
          </td>
        </>
      )}
      <td class="number" data-label="n">
        {countText(n)}
        <span class="sub">
          effective {countText(Math.round(effectiveN))}
          {voids === 0 ? '' : `, ${countText(voids)} VOID`}
        </span>
      </td>
      <td class="number" data-label="Skill">
        {signedText(row.skillAgainstReference)}
        {skill?.interval == null ? null : <span class="sub">{signedBounds(skill.interval)}</span>}
      </td>
      <td class="number" data-label="Regret">
        {signedText(row.regret)}
      </td>
    </tr>
  );
}

function IntervalPicture({ row, bounds }: RowProps) {
  const x = scaleOf(bounds.low, bounds.high, EDGE, WIDTH - EDGE);
  const { hitRate, hitRateInterval, meanPublished, referenceRate } = row;
  return (
    <svg class="plot interval-picture" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <line class="axis" x1={EDGE} x2={WIDTH - EDGE} y1={MIDDLE} y2={MIDDLE} />
      {hitRateInterval === null ? null : (
        <line
          class="interval is-wide"
          x1={x(hitRateInterval.low)}
          x2={x(hitRateInterval.high)}
          y1={MIDDLE}
          y2={MIDDLE}
        />
      )}
      {referenceRate === null ? null : (
        <line class="stroke" x1={x(referenceRate)} x2={x(referenceRate)} y1={3} y2={HEIGHT - 3} />
      )}
      {hitRate === null ? null : <circle class="point" cx={x(hitRate)} cy={MIDDLE} r="5" />}
      {meanPublished === null ? null : <circle class="ring" cx={x(meanPublished)} cy={MIDDLE} r="4.5" />}
    </svg>
  );
}
