import { shown } from '../../contracts/statement-text.ts';
import type {
  Calibration,
  ContextSignal,
  EventTypes,
  HitRule,
  Outcome,
  ProbabilityDecision,
  StrategyResult,
  Trade,
} from '../../contracts/generated/events.ts';
import type { DerivedEvent } from '../../contracts/topics.ts';
import type { AuditReport } from '../../proofs/audit.ts';
import type { CountedTrade } from '../../proofs/evidence.ts';
import type { Located } from '../../proofs/located.ts';
import type { AuditResponse, AuditTrade } from '../contract/audit.ts';

/** The report of an audit as the API gives it: the same facts, with decimals as text. */
export function auditAnswer(report: AuditReport, isVerified: boolean): AuditResponse {
  const { asked, outcome, pendingUntil, decision, results, snapshot, reasoning, checks, notDerived } = report;
  const { firstOffset, lastOffset, count, first, last, missing, gaps, remarks } = report.trades;
  return {
    asked,
    isVerified,
    outcome: outcome === undefined ? null : outcomeOf(outcome),
    pendingUntilUs: pendingUntil ?? null,
    decision: decision === undefined ? null : decisionOf(decision, reasoning),
    results: results.map((result) => resultOf(result, reasoning)),
    signals: report.signals.map(signalOf),
    snapshot: snapshotOf(snapshot),
    trades: {
      ...{ firstOffset, lastOffset, count, missing },
      first: countedTradeOf(first),
      last: countedTradeOf(last),
      gaps: gaps.length,
      remarks: Object.fromEntries(Object.entries(remarks).map(([kind, remarked]) => [kind, remarked.count])),
    },
    resolvingTrade: report.resolvingTrade === undefined ? null : tradeOf(report.resolvingTrade),
    provenance: provenanceOf(report),
    amendedSince: {
      counts: report.amendedSince.counts,
      recordsNotSearched: report.amendedSince.recordsNotSearched,
    },
    checks: checks.map(({ name, passed, detail, restsOn }) => ({ name, passed, detail, restsOn })),
    allPassed: checks.every(({ passed }) => passed) && notDerived.length === 0,
    notDerived: notDerived.map(({ engineVersion, gitCommit, eventIds }) => ({
      ...{ engineVersion, gitCommit },
      eventIds: [...eventIds],
    })),
    notChecked: [...report.notChecked],
  };
}

function placeOf({ topic, partition, offset, hash, emittedAt }: Located<unknown>) {
  return { topic, partition, offset, hash, emittedAt: emittedAt ?? null };
}

function derivedOf({
  eventId,
  instrument,
  eventTime,
  tape,
  sequence,
  causes,
  engineVersion,
  configHash,
}: DerivedEvent) {
  return {
    ...{ eventId, instrument, timeUs: eventTime },
    tape: { partition: tape.partition, offset: tape.offset },
    ...{ sequence, causes: [...causes], engineVersion, configHash },
  };
}

function outcomeOf(located: Located<Outcome>): NonNullable<AuditResponse['outcome']> {
  const { event } = located;
  const { forecastId, forecastKind, strategy, direction, probability, verdict, moveBps, resolvingTradeId } = event;
  return {
    ...placeOf(located),
    ...derivedOf(event),
    ...{ forecastId, forecastKind, strategy, direction, probability, verdict },
    forecastTimeUs: event.forecastTime,
    dueUs: event.dueTime,
    referencePrice: event.referencePrice.toString(),
    observedPrice: event.observedPrice?.toString() ?? null,
    observedUs: event.observedTime,
    ...{ moveBps, resolvingTradeId },
  };
}

type Reasoning = AuditReport['reasoning'];

function forecastOf(located: Located<ProbabilityDecision | StrategyResult>, reasoning: Reasoning) {
  const { event } = located;
  const { direction, probability, confidence, level, hitRule, calibration, eventId } = event;
  return {
    ...placeOf(located),
    ...derivedOf(event),
    ...{ direction, probability, confidence, level },
    hitRule: hitRuleOf(hitRule),
    calibration: calibration === null ? null : calibrationOf(calibration),
    reasoning: reasoning[eventId] ?? null,
  };
}

function decisionOf(
  located: Located<ProbabilityDecision>,
  reasoning: Reasoning,
): NonNullable<AuditResponse['decision']> {
  const contributions = located.event.contributions.map((contribution) => {
    const { strategy, resultId, direction, probability, confidence, weight, evidence } = contribution;
    return { strategy, resultId, direction, probability, confidence, weight, evidence };
  });
  return { ...forecastOf(located, reasoning), contributions };
}

function resultOf(located: Located<StrategyResult>, reasoning: Reasoning): AuditResponse['results'][number] {
  const { strategy, indicators } = located.event;
  return { ...forecastOf(located, reasoning), strategy, indicators };
}

/** Texts of a source are shown as they are, without control characters. */
function signalOf(located: Located<ContextSignal>): AuditResponse['signals'][number] {
  const { kind, source, instrument, eventTime, value, confidence, validFrom, validUntil } = located.event;
  const { textHash, link, causes } = located.event;
  return {
    ...placeOf(located),
    ...{ kind, source: shown(source), instrument, timeUs: eventTime, value, confidence },
    ...{ validFromUs: validFrom, validUntilUs: validUntil },
    ...{ textHash, link: link === null ? null : shown(link), causes: [...causes] },
  };
}

function hitRuleOf({ kind, horizonMs, minMoveBps, minMovePoints, graceMs, referencePrice }: HitRule) {
  return {
    ...{ kind, horizonMs, minMoveBps, graceMs },
    minMovePoints: minMovePoints?.toString() ?? null,
    referencePrice: referencePrice.toString(),
  };
}

function calibrationOf(calibration: Calibration) {
  const { referenceRate, evidence, rawProbability, calibratedProbability, slope, intercept, effectiveN } = calibration;
  return { referenceRate, evidence, rawProbability, calibratedProbability, slope, intercept, effectiveN };
}

function snapshotOf(located: Located<EventTypes['IndicatorSnapshot']>): AuditResponse['snapshot'] {
  const { event } = located;
  const { vwap, vwapDeviation, barVolume, meanBarVolume, sessionVolume, tradeCount, firstOffset, lastOffset } = event;
  return {
    ...placeOf(located),
    ...derivedOf(event),
    lastPrice: event.lastPrice.toString(),
    ...{ vwap, vwapDeviation },
    pointOfControl: event.pointOfControl.toString(),
    valueAreaLow: event.valueAreaLow.toString(),
    valueAreaHigh: event.valueAreaHigh.toString(),
    rangeHigh: event.rangeHigh?.toString() ?? null,
    rangeLow: event.rangeLow?.toString() ?? null,
    ...{ barVolume, meanBarVolume, sessionVolume, tradeCount, firstOffset, lastOffset },
  };
}

/** With the figures by which it counts: a corrected trade's are those of its correction. */
function countedTradeOf(trade: CountedTrade): AuditTrade {
  const { correction } = trade;
  if (correction === undefined) return tradeOf(trade);
  const { correctedPrice, correctedSize } = correction.event;
  return { ...tradeOf(trade), price: correctedPrice.toString(), size: correctedSize.toString() };
}

function tradeOf({ topic, partition, offset, hash, event }: Located<Trade>): AuditTrade {
  const { tradeId, instrument, eventTime, price, size, side, source } = event;
  return {
    ...{ topic, partition, offset, hash, tradeId, instrument, timeUs: eventTime },
    ...{ price: price.toString(), size: size.toString(), side, source },
  };
}

function provenanceOf({ provenance }: AuditReport): AuditResponse['provenance'] {
  const { tapeId, activation, sources, sourcesNotNamed, received, checkpointed } = provenance;
  const { activationId, engineVersion, gitCommit, configHash, actor, reason, approver } = activation;
  return {
    ...{ tapeId, activationId, engineVersion, gitCommit, configHash, actor, reason, approver },
    sources: sources.map(({ source, trades }) => ({ source, trades })),
    sourcesNotNamed,
    received,
    checkpointed:
      checkpointed === undefined || checkpointed === null
        ? null
        : {
            ...checkpointed,
            cosigned:
              checkpointed.cosigned === null
                ? null
                : {
                    ...checkpointed.cosigned,
                    by: checkpointed.cosigned.by.map(({ witness, at }) => ({ witness: shown(witness), at })),
                  },
          },
  };
}
