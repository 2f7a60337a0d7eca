import { useEffect } from 'preact/hooks';
import type { LatestDecision } from '../../../contract/instruments.ts';
import { instruments, listFailure, loadInstruments } from '../../api/live.ts';
import { freshnessOf, type LiveInstrument } from '../../api/live-instruments.ts';
import { token } from '../../api/token.ts';
import { ProbabilityScale } from '../../charts/probability-scale.tsx';
import { boundsText, scaleBounds, type ScaleBounds } from '../../charts/scale-bounds.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { percentText, priceText } from '../../format/numbers.ts';
import { ageText } from '../../format/times.ts';
import { nowMs } from '../../parts/clock.ts';
import { Answered, Empty, PageHead } from '../../parts/states.tsx';
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
      <Answered resource={{ value: shown, arrivedMs: 0, failure }}>
        {(live) => (live.size === 0 && failure !== undefined ? null : <List all={[...live.values()]} />)}
      </Answered>
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
  const bounds = scaleBounds(all.flatMap(({ state }) => state.decision ?? []));
  const scaleName = boundsText(bounds);
  return (
    <div class="card">
      <ScaleLegend />
      <div class="scroll" tabIndex={0} role="region" aria-label="Instruments">
        <table class="stacks has-pictures">
          <caption class="visually-hidden">Instruments with their latest price and decision</caption>
          <thead>
            <tr>
              <th scope="col">Instrument</th>
              <th scope="col" class="number">
                Price
              </th>
              <th scope="col">Latest prices</th>
              <th scope="col">Direction</th>
              <th scope="col" class="number">
                Calibrated
              </th>
              <th scope="col">{scaleName}</th>
              <th scope="col" class="number">
                Raw
              </th>
              <th scope="col" class="number">
                Reference
              </th>
              <th scope="col" class="number">
                Confidence
              </th>
              <th scope="col">Last outcome</th>
              <th scope="col" class="number">
                Age
              </th>
            </tr>
          </thead>
          <tbody>
            {all
              .toSorted((left, right) => (left.state.instrument < right.state.instrument ? -1 : 1))
              .map((each) => (
                <Row key={each.state.instrument} live={each} bounds={bounds} />
              ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Row({ live, bounds }: { readonly live: LiveInstrument; readonly bounds: ScaleBounds }) {
  const { state, sparkline } = live;
  const { ageMs, isStale } = freshnessOf(live, nowMs.value);
  return (
    <tr class={isStale ? 'is-stale' : ''}>
      <th scope="row">
        <PageLink to={{ page: 'instrument', instrument: state.instrument }}>
          <InstrumentName name={state.displayName} />
        </PageLink>
        {isStale ? <span class="badge is-warn">stale</span> : null}
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
        <DecisionCells decision={state.decision} bounds={bounds} />
      )}
      <td class="not-on-phone" data-label="Last outcome">
        {state.lastVerdict === null ? <span class="muted">–</span> : <VerdictBadge status={state.lastVerdict} />}
      </td>
      <td class="number" data-label="Age">
        {ageMs === null ? '–' : ageText(ageMs)}
        {state.priceTimeUs === null ? null : (
          <span class="sub">
            <Time us={state.priceTimeUs} />
          </span>
        )}
      </td>
    </tr>
  );
}

/** A name on two lines: the instrument, and where it is traded. */
function InstrumentName({ name }: { readonly name: string }) {
  const at = name.lastIndexOf('@');
  return (
    <span class="instrument-name">
      {at === -1 ? name : name.slice(0, at)}
      {at === -1 ? null : <span class="sub">{name.slice(at)}</span>}
    </span>
  );
}

function DecisionCells({ decision, bounds }: { readonly decision: LatestDecision; readonly bounds: ScaleBounds }) {
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
      <td class="number" data-label="Calibrated">
        <span class="strong">{percentText(probability)}</span>
      </td>
      <td class="wide" data-label={boundsText(bounds)}>
        <ProbabilityScale decision={decision} bounds={bounds} />
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
          <circle cx="11" cy="6" r="4" fill="none" stroke="var(--ink)" stroke-width="1.5" />
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
