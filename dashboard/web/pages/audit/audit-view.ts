import type { AuditResponse } from '../../../contract/audit.ts';
import { percentText, priceText, signedText } from '../../format/numbers.ts';
import { durationText } from '../../format/times.ts';

/**
 * A moment in the life of a forecast, and whose clock says so: moments of different clocks can be compared only as exactly as
 * these agree, and those of the market not at all where a recorded tape was read later.
 */
export interface Moment {
  readonly timeMs: number;
  readonly what: string;
  readonly clock: string;
  /** A witness or the market saw it, not only whoever publishes the forecasts. */
  readonly isIndependent: boolean;
  readonly isMarket: boolean;
}

const MARKET = "the market's time stamps";
const ENGINE = "the engine's clock";

/** The moments of an audit that are known, in order of time. */
export function momentsOf(audit: AuditResponse): Moment[] {
  const { decision, results, snapshot, outcome, trades, provenance, pendingUntilUs } = audit;
  const forecast = decision ?? results[0];
  const { received, checkpointed } = provenance;
  const dueUs = outcome?.dueUs ?? pendingUntilUs;
  const moments: (Moment | undefined)[] = [
    inMarket(trades.last.timeUs, 'The last trade that it rests on'),
    at(received?.last, 'That trade was received', "the receiving process's clock"),
    at(
      forecast?.emittedAt ?? snapshot.emittedAt,
      forecast === undefined ? 'The snapshot was derived' : 'The forecast was derived',
      ENGINE,
    ),
    at(
      checkpointed?.signed.at,
      `A checkpoint with it was signed, size ${checkpointed?.signed.size ?? 0}`,
      "the signer's clock",
    ),
    ...(checkpointed?.cosigned?.by ?? []).map(({ witness, at: time }) =>
      at(time, `${witness} cosigned a checkpoint with it`, `the clock of ${witness}`, true),
    ),
    ...(dueUs === null ? [] : [inMarket(dueUs, 'Its horizon was over')]),
    ...(outcome === null || outcome.observedUs === null
      ? []
      : [inMarket(outcome.observedUs, `The trade that resolved it: ${outcome.verdict}`)]),
    at(outcome?.emittedAt, 'The outcome was derived', ENGINE),
  ];
  return moments.filter((each) => each !== undefined).sort((left, right) => left.timeMs - right.timeMs);
}

/** What the audit is about, in one sentence. */
export function summaryOf(audit: AuditResponse): string {
  const { decision, results, outcome, snapshot } = audit;
  const forecast = decision ?? results[0];
  if (forecast === undefined) {
    return `A snapshot of ${snapshot.instrument} at ${priceText(snapshot.lastPrice)}: no forecast was asked for.`;
  }
  const { direction, probability, hitRule } = forecast;
  const claim = `${direction} at ${priceText(hitRule.referencePrice)}, ${percentText(probability)} probable within ${durationText(hitRule.horizonMs)}`;
  if (direction === 'NEUTRAL') return `${claim}: a NEUTRAL forecast has no outcome.`;
  if (outcome === null) return `${claim}: its outcome is not known yet.`;
  if (outcome.verdict === 'VOID') return `${claim}: VOID, because no trade came in time to judge it by.`;
  return `${claim}: ${outcome.verdict}, the price moved ${signedText(outcome.moveBps, 1)} bp to ${priceText(outcome.observedPrice)}.`;
}

/** Whether witnesses had it before its outcome could be known; undefined where nobody can say. */
export function isWitnessedBefore({ provenance: { checkpointed } }: AuditResponse): boolean | undefined {
  const { beforeSent, beforeDue } = checkpointed?.beforeOutcome ?? { beforeSent: null, beforeDue: null };
  return beforeSent ?? beforeDue ?? undefined;
}

function inMarket(timeUs: number, what: string): Moment {
  return { timeMs: timeUs / 1_000, what, clock: MARKET, isIndependent: true, isMarket: true };
}

function at(iso: string | null | undefined, what: string, clock: string, isIndependent = false): Moment | undefined {
  const timeMs = iso === null || iso === undefined ? Number.NaN : Date.parse(iso);
  return Number.isNaN(timeMs) ? undefined : { timeMs, what, clock, isIndependent, isMarket: false };
}
