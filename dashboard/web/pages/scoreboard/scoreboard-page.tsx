import { useState } from 'preact/hooks';
import type { ReliabilityResponse, ScoresResponse, SkillResponse, TrialsResponse } from '../../../contract/scores.ts';
import { useRefresh, useResource } from '../../api/resource.ts';
import { ReliabilityDiagram, ReliabilityTable } from '../../charts/reliability-diagram.tsx';
import { countText } from '../../format/numbers.ts';
import { Answered, Empty, Failure, PageHead } from '../../parts/states.tsx';
import { ComparisonCard } from './comparison-card.tsx';
import { ForecastSelect } from './forecast-select.tsx';
import { comparisonKey, comparisons, type Comparison } from './score-view.ts';
import { SpansCard } from './spans-card.tsx';
import { TrialsCard } from './trials-card.tsx';

const REFRESH_MS = 30_000;
const TRIALS_MAX = 200;

/** How good the published probabilities were, and what was tried beside them. */
export function ScoreboardPage() {
  const version = useRefresh(REFRESH_MS);
  const scores = useResource<ScoresResponse>('/scores', version);
  const trials = useResource<TrialsResponse>(`/trials?limit=${TRIALS_MAX}`, version);
  return (
    <div class="stack">
      <PageHead title="Scoreboard">
        What was published, against what happened. A figure stands with its n and an interval, and is withheld where
        there are too few outcomes.
      </PageHead>
      <Answered resource={scores}>
        {({ rows, note, total }) =>
          rows.length === 0 ? (
            <div class="card">
              <Empty title="There are no outcomes yet">
                They come when forecasts reach their horizon, and the projector <code>scores</code> counts them.
              </Empty>
            </div>
          ) : (
            <Board all={comparisons(rows)} note={note} unshown={total - rows.length} trials={trials.value} />
          )
        }
      </Answered>
      {trials.failure === undefined ? null : <Failure failure={trials.failure} shownSinceMs={trials.arrivedMs} />}
      {trials.value === undefined ? null : <TrialsCard trials={trials.value} />}
    </div>
  );
}

function Board({
  all,
  note,
  unshown,
  trials,
}: {
  readonly all: readonly Comparison[];
  readonly note: string;
  readonly unshown: number;
  readonly trials: TrialsResponse | undefined;
}) {
  const [key, setKey] = useState('');
  const chosen = all.find((comparison) => comparison.key === key) ?? all[0];
  const version = useRefresh(REFRESH_MS);
  const skills = useResource<SkillResponse>(
    chosen === undefined
      ? undefined
      : `/instruments/${encodeURIComponent(chosen.instrument)}/skill?configHash=${chosen.configHash}`,
    version,
  );
  if (chosen === undefined) return null;
  return (
    <>
      <div class="toolbar">
        <div>
          <label for="comparison">Instrument, rule and configuration</label>
          <select
            id="comparison"
            value={chosen.key}
            onChange={(event) => {
              setKey(event.currentTarget.value);
            }}
          >
            {all.map(({ key: each, instrument, rule, configHash }) => (
              <option key={each} value={each}>
                {instrument}, {rule}, configuration {configHash.slice(0, 8)}
              </option>
            ))}
          </select>
        </div>
        {unshown === 0 ? null : <p class="muted small">{countText(unshown)} more are not listed.</p>}
      </div>
      <ComparisonCard comparison={chosen} note={note} skills={skills.value} trials={trials} />
      <div class="columns">
        <ReliabilityCard comparison={chosen} />
        <SpansCard key={chosen.key} comparison={chosen} />
      </div>
    </>
  );
}

function ReliabilityCard({ comparison }: { readonly comparison: Comparison }) {
  const version = useRefresh(REFRESH_MS);
  const resource = useResource<ReliabilityResponse>(
    `/reliability?instrument=${encodeURIComponent(comparison.instrument)}`,
    version,
  );
  const [forecast, setForecast] = useState('DECISION');
  return (
    <section class="card" aria-label="Reliability">
      <div class="card-head">
        <h2>Reliability</h2>
        <ForecastSelect label="Forecasts of" rows={comparison.rows} chosen={forecast} choose={setForecast} />
      </div>
      <Answered resource={resource}>
        {({ diagrams }) => {
          const diagram = diagrams.find(
            ({ group }) => group.forecast === forecast && comparisonKey(group) === comparison.key,
          );
          if (diagram === undefined || diagram.bins.length === 0) {
            return (
              <Empty title="Withheld">{diagram?.withheld[0]?.sentence ?? 'There are no outcomes of it yet.'}</Empty>
            );
          }
          return (
            <>
              <ReliabilityDiagram diagram={diagram} />
              <p class="muted small">
                On the dashed line, what was given 60 % came true in 60 of 100. Bands are of 95 %, from the effective n.
              </p>
              <details class="data-table">
                <summary>The diagram as a table</summary>
                <ReliabilityTable bins={diagram.bins} />
              </details>
            </>
          );
        }}
      </Answered>
    </section>
  );
}
