import type { ComponentChildren } from 'preact';
import type {
  AuditDecision,
  AuditOutcome,
  AuditResponse,
  AuditResult,
  AuditSignal,
  AuditTrade,
} from '../../../contract/audit.ts';
import { countText, percentText, priceText, signedText } from '../../format/numbers.ts';
import { Time } from '../../parts/time.tsx';
import { DirectionWord, VerdictBadge } from '../../parts/words.tsx';

const HASH_SHOWN = 12;

/** The chain as a picture, from the outcome on top down to the trades: each event with its place in the log and its hash. */
export function Chain({ audit }: { readonly audit: AuditResponse }) {
  const { outcome, decision, results, signals, snapshot, trades, resolvingTrade, pendingUntilUs } = audit;
  return (
    <section class="card" aria-label="The chain">
      <div class="card-head">
        <h2>From the outcome to the trades</h2>
        <p>Each event names those below it; each hash is of the event as it was written.</p>
      </div>
      <ol class="chain">
        {outcome === null ? (
          pendingUntilUs === null ? null : (
            <li>
              <div class="node is-open">
                <h3>Outcome</h3>
                <p>
                  Pending until <Time us={pendingUntilUs} />
                </p>
              </div>
            </li>
          )
        ) : (
          <li class="chain-row">
            <OutcomeNode outcome={outcome} />
            {resolvingTrade === null ? null : <TradeNode title="Resolving trade" trade={resolvingTrade} />}
          </li>
        )}
        {decision === null ? null : (
          <li>
            <DecisionNode decision={decision} />
          </li>
        )}
        {results.length === 0 ? null : (
          <li class="chain-row">
            {results.map((result) => (
              <ResultNode key={result.eventId} result={result} />
            ))}
          </li>
        )}
        {signals.length === 0 ? null : (
          <li class="chain-row">
            {signals.map((signal) => (
              <SignalNode key={signal.offset} signal={signal} />
            ))}
          </li>
        )}
        <li>
          <Node title="Snapshot" place={snapshot} timeUs={snapshot.timeUs}>
            <p>
              {priceText(snapshot.lastPrice)}; VWAP {priceText(snapshot.vwap)} ± {priceText(snapshot.vwapDeviation)},
              value area {priceText(snapshot.valueAreaLow)} to {priceText(snapshot.valueAreaHigh)}, range{' '}
              {priceText(snapshot.rangeLow)} to {priceText(snapshot.rangeHigh)}
            </p>
          </Node>
        </li>
        <li>
          <p class="chain-count">
            <strong>{countText(trades.count)} trades</strong> on the tape, offsets {countText(trades.firstOffset)} to{' '}
            {countText(trades.lastOffset)}
            {trades.missing === 0 ? '' : `; ${countText(trades.missing)} are missing there`}
          </p>
          <div class="chain-row">
            <TradeNode title="First trade" trade={trades.first} />
            <TradeNode title="Last trade" trade={trades.last} />
          </div>
        </li>
      </ol>
    </section>
  );
}

interface Place {
  readonly eventId?: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly hash: string;
}

function Node({
  title,
  place,
  timeUs,
  children,
}: {
  readonly title: ComponentChildren;
  readonly place: Place;
  readonly timeUs: number;
  readonly children: ComponentChildren;
}) {
  const { eventId, topic, partition, offset, hash } = place;
  return (
    <article class="node">
      <header>
        <h3>{title}</h3>
        <Time us={timeUs} />
      </header>
      {children}
      <footer class="mono">
        {eventId === undefined ? null : <div>{eventId}</div>}
        {topic}-{partition} @ {offset}
        <span class="hash" title={`SHA-256 ${hash}`}>
          #{hash.slice(0, HASH_SHOWN)}
        </span>
      </footer>
    </article>
  );
}

/** A link is a text here: what a source wrote is not for clicking. */
function SignalNode({ signal }: { readonly signal: AuditSignal }) {
  const { kind, value, confidence, instrument, source, link, textHash, timeUs } = signal;
  return (
    <Node title={`Signal ${kind}`} place={signal} timeUs={timeUs}>
      <p>
        {value} with confidence {confidence}, about {instrument ?? 'the whole market'}
      </p>
      <p class="muted mono">{[source, link, textHash].filter((text) => text !== null).join(' · ')}</p>
    </Node>
  );
}

function OutcomeNode({ outcome }: { readonly outcome: AuditOutcome }) {
  const { verdict, moveBps, referencePrice, observedPrice, timeUs } = outcome;
  return (
    <Node
      title={
        <>
          Outcome <VerdictBadge status={verdict} />
        </>
      }
      place={outcome}
      timeUs={timeUs}
    >
      <p>
        {observedPrice === null
          ? 'no trade came in time to judge it by'
          : `${signedText(moveBps, 1)} bp, from ${priceText(referencePrice)} to ${priceText(observedPrice)}`}
      </p>
    </Node>
  );
}

function DecisionNode({ decision }: { readonly decision: AuditDecision }) {
  return (
    <Node title={<ForecastTitle name="Decision" forecast={decision} />} place={decision} timeUs={decision.timeUs}>
      <CalibrationLine forecast={decision} />
      {decision.reasoning === null ? null : <p class="formula mono">{decision.reasoning}</p>}
    </Node>
  );
}

function ResultNode({ result }: { readonly result: AuditResult }) {
  return (
    <Node title={<ForecastTitle name={result.strategy} forecast={result} />} place={result} timeUs={result.timeUs}>
      <CalibrationLine forecast={result} />
      {result.reasoning === null ? null : <p class="formula mono">{result.reasoning}</p>}
    </Node>
  );
}

function ForecastTitle({ name, forecast }: { readonly name: string; readonly forecast: AuditDecision | AuditResult }) {
  return (
    <>
      {name} <DirectionWord direction={forecast.direction} /> {percentText(forecast.probability)}
    </>
  );
}

function CalibrationLine({
  forecast: { calibration, confidence, level },
}: {
  readonly forecast: AuditDecision | AuditResult;
}) {
  const quality = `confidence ${confidence.toFixed(2)}, ${level.toLowerCase()}`;
  if (calibration === null) return <p class="muted">{quality}</p>;
  const { referenceRate, rawProbability, calibratedProbability, effectiveN } = calibration;
  return (
    <p class="muted">
      reference {percentText(referenceRate)}, raw {percentText(rawProbability)}, calibrated{' '}
      {percentText(calibratedProbability)} from {countText(Math.round(effectiveN))} effective outcomes; {quality}
    </p>
  );
}

function TradeNode({ title, trade }: { readonly title: string; readonly trade: AuditTrade }) {
  const { price, size, side, tradeId, timeUs } = trade;
  return (
    <Node title={title} place={trade} timeUs={timeUs}>
      <p>
        {priceText(price)} × {priceText(size)}{' '}
        <span class="muted">{side === 'UNKNOWN' ? 'side not known' : `taker ${side}`}</span>
      </p>
      <p class="muted mono">{tradeId}</p>
    </Node>
  );
}
