import { useEffect } from 'preact/hooks';
import type { LatestDecision } from '../../../contract/instruments.ts';
import { instruments, listFailure, loadInstruments } from '../../api/live.ts';
import { freshnessOf, type LiveInstrument } from '../../api/live-instruments.ts';
import { token } from '../../api/token.ts';
import { ProbabilityScale } from '../../charts/probability-scale.tsx';
import { Sparkline } from '../../charts/sparkline.tsx';
import { percentText, priceText } from '../../format/numbers.ts';
import { ageText } from '../../format/times.ts';
import { nowMs } from '../../parts/clock.ts';
import { Empty, Failure, PageHead } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { DirectionWord, VerdictBadge } from '../../parts/words.tsx';
import { PageLink } from '../../router.tsx';

/** After a failure the list is requested again this often. */
const RETRY_MS = 10_000;

/** Every instrument with its latest decision. */
export function LivePage() {
  const failure = listFailure.value;
  useEffect(() => {
    const abort = new AbortController();
    void loadInstruments(abort.signal);
    const timer = setInterval(() => {
      if (listFailure.peek() !== undefined) void loadInstruments(abort.signal);
    }, RETRY_MS);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [token.value]);
  const shown = instruments.value;
  return (
    <>
      <PageHead title="Live">
        The latest price of each instrument, and how probable it is that the price moves the stated way within the
        horizon.
      </PageHead>
      {failure === undefined ? null : <Failure failure={failure} />}
      {shown === undefined ? (
        failure === undefined ? (
          <p class="empty">Loading …</p>
        ) : null
      ) : (
        <List all={[...shown.values()]} />
      )}
    </>
  );
}

function List({ all }: { readonly all: readonly LiveInstrument[] }) {
  if (all.length === 0) {
    return (
      <div class="card">
        <Empty title="There are no instruments yet">
          They appear with their first trade: run <code>tapeproof ingest</code>, the engine, and the projector
          redis-latest.
        </Empty>
      </div>
    );
  }
  return (
    <div class="card">
      <ScaleLegend />
      <table class="stacks">
        <caption class="visually-hidden">Instruments with their latest price and decision</caption>
        <thead>
          <tr>
            <th scope="col">Instrument</th>
            <th scope="col" class="number">
              Price
            </th>
            <th scope="col">Latest prices</th>
            <th scope="col">Direction</th>
            <th scope="col">Probability, 0 to 100 %</th>
            <th scope="col" class="number">
              Calibrated
            </th>
            <th scope="col" class="number">
              Raw
            </th>
            <th scope="col" class="number">
              Reference
            </th>
            <th scope="col" class="number">
              Confidence
            </th>
            <th scope="col" class="number">
              Age
            </th>
          </tr>
        </thead>
        <tbody>
          {all
            .toSorted((left, right) => (left.state.instrument < right.state.instrument ? -1 : 1))
            .map((each) => (
              <Row key={each.state.instrument} live={each} />
            ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ live }: { readonly live: LiveInstrument }) {
  const { state, sparkline } = live;
  const { ageMs, isStale } = freshnessOf(live, nowMs.value);
  return (
    <tr class={isStale ? 'is-stale' : ''}>
      <th scope="row">
        <PageLink to={{ page: 'instrument', instrument: state.instrument }}>{state.displayName}</PageLink>
        {isStale ? (
          <>
            {' '}
            <span class="badge is-warn">stale</span>
          </>
        ) : null}
      </th>
      <td class="number" data-label="Price">
        <span class="strong">{priceText(state.price)}</span>
      </td>
      <td data-label="Latest prices">
        {sparkline === null ? <span class="muted">–</span> : <Sparkline points={sparkline} />}
      </td>
      {state.decision === null ? (
        <td class="wide muted" colSpan={6}>
          No decision yet
        </td>
      ) : (
        <DecisionCells decision={state.decision} />
      )}
      <td class="number" data-label="Age">
        {ageMs === null ? '–' : ageText(ageMs)}
        {state.priceTimeUs === null ? null : (
          <span class="sub">
            <Time us={state.priceTimeUs} />
          </span>
        )}
        {state.lastVerdict === null ? null : (
          <span class="visually-hidden">
            Last verdict: <VerdictBadge status={state.lastVerdict} />
          </span>
        )}
      </td>
    </tr>
  );
}

function DecisionCells({ decision }: { readonly decision: LatestDecision }) {
  const { decisionId, direction, probability, rawProbability, referenceRate, confidence, level } = decision;
  return (
    <>
      <td data-label="Direction">
        <PageLink
          to={{ page: 'audit', eventId: decisionId }}
          class="row-link"
          label={`${direction}: audit ${decisionId}`}
        >
          <DirectionWord direction={direction} />
        </PageLink>
      </td>
      <td class="wide" data-label="Probability, 0 to 100 %">
        <ProbabilityScale decision={decision} />
      </td>
      <td class="number" data-label="Calibrated">
        <span class="strong">{percentText(probability)}</span>
      </td>
      <td class="number muted" data-label="Raw">
        {percentText(rawProbability)}
      </td>
      <td class="number muted" data-label="Reference">
        {percentText(referenceRate)}
      </td>
      <td class="number" data-label="Confidence">
        {confidence.toFixed(2)}
        <span class="sub">{level.toLowerCase()}</span>
      </td>
    </>
  );
}

function ScaleLegend() {
  return (
    <ul class="legend">
      <li>
        <svg viewBox="0 0 22 12" class="scale-key" aria-hidden="true">
          <circle cx="11" cy="6" r="5" fill="var(--accent)" />
        </svg>
        calibrated: as outcomes have shown it
      </li>
      <li>
        <svg viewBox="0 0 22 12" aria-hidden="true">
          <circle cx="11" cy="6" r="4" fill="none" stroke="var(--muted)" stroke-width="1.5" />
        </svg>
        raw: the evidence taken literally
      </li>
      <li>
        <svg viewBox="0 0 22 12" aria-hidden="true">
          <path d="M11 0v12" stroke="var(--ink)" stroke-width="1.5" />
        </svg>
        reference: how often an undirected forecast comes true
      </li>
    </ul>
  );
}
