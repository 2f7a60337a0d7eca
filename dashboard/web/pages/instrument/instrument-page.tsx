import { useEffect, useState } from 'preact/hooks';
import type { DecisionsResponse } from '../../../contract/decisions.ts';
import type { InstrumentResponse, InstrumentState } from '../../../contract/instruments.ts';
import type { ProfileResponse, SeriesResponse } from '../../../contract/series.ts';
import { useRefresh, useResource } from '../../api/resource.ts';
import { instruments } from '../../api/live.ts';
import { freshnessOf, type LiveInstrument } from '../../api/live-instruments.ts';
import { percentText, priceText } from '../../format/numbers.ts';
import { ageText } from '../../format/times.ts';
import { nowMs } from '../../parts/clock.ts';
import { Answered, Empty, Failure, PageHead } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { DirectionWord, VerdictBadge } from '../../parts/words.tsx';
import { PageLink } from '../../router.tsx';
import { DecisionList } from './decision-list.tsx';
import { PricePanel } from './price-panel.tsx';

const HOUR_US = 3_600_000_000;
const SPANS: readonly { readonly name: string; readonly us: number }[] = [
  { name: '15 minutes', us: HOUR_US / 4 },
  { name: '1 hour', us: HOUR_US },
  { name: '6 hours', us: 6 * HOUR_US },
  { name: '1 day', us: 24 * HOUR_US },
  { name: '7 days', us: 7 * 24 * HOUR_US },
];
const SPAN_DEFAULT_US = 6 * HOUR_US;
/** The chart follows the market at this pace; the figures above it follow each event. */
const REFRESH_MS = 10_000;
const MARKED_DECISIONS_MAX = 500;

/** One instrument: its chart, its latest decision, and all decisions with their outcomes. */
export function InstrumentPage({ instrument }: { readonly instrument: string }) {
  const base = `/instruments/${encodeURIComponent(instrument)}`;
  const overview = useResource<InstrumentResponse>(base);
  const live = instruments.value?.get(instrument) ?? fromAnswer(overview.value, overview.arrivedMs);
  const [spanUs, setSpanUs] = useState(SPAN_DEFAULT_US);
  const [chosenId, setChosenId] = useState<string>();
  const [shownToUs, version] = useShownTo(live?.state.priceTimeUs ?? undefined);
  const from = rangeQuery(shownToUs, spanUs, overview.failure !== undefined);
  const series = useResource<SeriesResponse>(from === undefined ? undefined : `${base}/series?${from}`, version);
  const marked = useResource<DecisionsResponse>(
    from === undefined ? undefined : `${base}/decisions?limit=${MARKED_DECISIONS_MAX}&${from}`,
    version,
  );
  const profile = useResource<ProfileResponse>(from === undefined ? undefined : `${base}/profile`, version);
  return (
    <div class="stack">
      <PageHead title={live?.state.displayName ?? instrument}>
        <PageLink to={{ page: 'live' }}>All instruments</PageLink>
      </PageHead>
      {overview.failure === undefined ? null : <Failure failure={overview.failure} shownSinceMs={overview.arrivedMs} />}
      {live === undefined ? null : <Figures live={live} />}
      <section class="card" aria-label="Chart">
        <div class="card-head">
          <h2>Price and decisions</h2>
          <div class="toolbar">
            <label for="span" class="visually-hidden">
              Time shown
            </label>
            <select
              id="span"
              value={spanUs}
              onChange={(event) => {
                setSpanUs(Number(event.currentTarget.value));
              }}
            >
              {SPANS.map(({ name, us }) => (
                <option key={us} value={us}>
                  the last {name}
                </option>
              ))}
            </select>
          </div>
        </div>
        {profile.failure === undefined ? null : <Failure failure={profile.failure} shownSinceMs={profile.arrivedMs} />}
        {live !== undefined && live.state.priceTimeUs === null ? <Empty title="There is no price yet" /> : null}
        {from === undefined ? null : (
          <Answered resource={series}>
            {(answer) =>
              answer.points.length === 0 ? (
                <Empty title="There are no snapshots in this time">Choose a longer time.</Empty>
              ) : (
                <PricePanel
                  series={answer}
                  decisions={marked.value?.decisions ?? []}
                  profile={profile.value}
                  view={String(spanUs)}
                  chosenId={chosenId}
                />
              )
            }
          </Answered>
        )}
      </section>
      <DecisionList base={base} version={version} onChoose={setChosenId} chosenId={chosenId} />
    </div>
  );
}

/**
 * Up to when the chart is shown, following the market at a pace that spares the server.
 *
 * @returns the time, undefined before the first price; and a version that grows with it
 */
function useShownTo(priceTimeUs: number | undefined): readonly [number | undefined, number] {
  const tick = useRefresh(REFRESH_MS);
  const [shown, setShown] = useState<{ readonly toUs: number | undefined; readonly version: number }>({
    ...{ toUs: undefined, version: 0 },
  });
  useEffect(() => {
    if (priceTimeUs === undefined) return;
    setShown((last) => (last.toUs === priceTimeUs ? last : { toUs: priceTimeUs, version: last.version + 1 }));
  }, [tick, priceTimeUs === undefined]);
  return [shown.toUs, shown.version];
}

/** Without the latest state the server chooses the time: history is of another store, and may be there. */
function rangeQuery(toUs: number | undefined, spanUs: number, isStateMissing: boolean): string | undefined {
  if (toUs !== undefined) return `fromUs=${Math.max(0, toUs - spanUs)}`;
  return isStateMissing ? '' : undefined;
}

function fromAnswer(answer: InstrumentResponse | undefined, arrivedMs: number): LiveInstrument | undefined {
  return answer === undefined ? undefined : { ...answer.instrument, arrivedMs };
}

function Figures({ live }: { readonly live: LiveInstrument }) {
  const { state } = live;
  const { ageMs, isStale } = freshnessOf(live, nowMs.value);
  return (
    <section class={`card ${isStale ? 'is-stale' : ''}`} aria-label="Latest figures">
      <dl class="figures">
        <div>
          <dt>Price</dt>
          <dd>
            <span class="strong">{priceText(state.price)}</span>{' '}
            {isStale ? <span class="badge is-warn">stale</span> : null}
            <span class="sub">
              {ageMs === null ? '' : `${ageText(ageMs)} old, `}
              {state.priceTimeUs === null ? null : <Time us={state.priceTimeUs} />}
            </span>
          </dd>
        </div>
        <DecisionFigures state={state} />
      </dl>
    </section>
  );
}

function DecisionFigures({ state: { decision, lastVerdict } }: { readonly state: InstrumentState }) {
  if (decision === null) {
    return (
      <div>
        <dt>Decision</dt>
        <dd>none yet</dd>
      </div>
    );
  }
  const { decisionId, direction, probability, rawProbability, referenceRate, confidence, level, timeUs } = decision;
  const figures = [
    ['Probability, calibrated', percentText(probability), 'as outcomes have shown it'],
    ['Probability, raw', percentText(rawProbability), 'the evidence taken literally'],
    ['Reference', percentText(referenceRate), 'of an undirected forecast'],
    ['Confidence', confidence.toFixed(2), `${level.toLowerCase()}; not a probability`],
  ] as const;
  return (
    <>
      <div>
        <dt>Decision</dt>
        <dd>
          <PageLink to={{ page: 'audit', eventId: decisionId }} label={`${direction}: audit ${decisionId}`}>
            <DirectionWord direction={direction} />
          </PageLink>
          <span class="sub">
            <Time us={timeUs} />
          </span>
        </dd>
      </div>
      {figures.map(([name, value, meaning]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            <span class="sub">{meaning}</span>
          </dd>
        </div>
      ))}
      <div>
        <dt>Last verdict</dt>
        <dd>{lastVerdict === null ? 'none yet' : <VerdictBadge status={lastVerdict} />}</dd>
      </div>
    </>
  );
}
