import { z } from 'zod';
import {
  confidenceLevel,
  count,
  direction,
  eventId,
  flagText,
  hash,
  hitRuleKind,
  instrumentName,
  price,
  share,
  tapePosition,
  timeUs,
  verdict,
} from './values.ts';

export const auditQuery = z.strictObject({
  verify: flagText.optional().describe('true: derive the chain again from the tape and compare the bytes; slower'),
});

/** Where an event is in its log, and the hash by which it is compared. */
const place = {
  topic: z.string(),
  partition: count,
  offset: count.describe('in that topic and partition'),
  hash: hash.describe('SHA-256 of the event as written'),
  emittedAt: z.string().nullable().describe("ISO 8601 by the engine's clock; null where the record does not say so"),
};

const derived = {
  eventId,
  instrument: instrumentName,
  timeUs: timeUs.describe('market time of the record that caused it'),
  tape: tapePosition.describe('the tape record that caused it'),
  sequence: count.describe('dense number within its log'),
  causes: z.array(z.string()).describe('ids of the events from which it was derived'),
  engineVersion: z.string(),
  configHash: z.string(),
};

export const auditHitRule = z
  .strictObject({
    kind: hitRuleKind,
    horizonMs: count,
    minMoveBps: z.number(),
    minMovePoints: price.nullable(),
    graceMs: count.nullable(),
    referencePrice: price,
  })
  .meta({ id: 'AuditHitRule' });

export const auditCalibration = z
  .strictObject({
    referenceRate: share.describe('p0'),
    evidence: z.number(),
    rawProbability: share,
    calibratedProbability: share,
    slope: z.number(),
    intercept: z.number(),
    effectiveN: z.number(),
  })
  .meta({ id: 'AuditCalibration' });

export const auditOutcome = z
  .strictObject({
    ...place,
    ...derived,
    forecastId: eventId,
    forecastKind: z.enum(['DECISION', 'STRATEGY']),
    strategy: z.string().nullable(),
    direction,
    probability: share,
    verdict,
    forecastTimeUs: timeUs,
    dueUs: timeUs,
    referencePrice: price,
    observedPrice: price.nullable(),
    observedUs: timeUs.nullable(),
    moveBps: z.number().nullable(),
    resolvingTradeId: z.string().nullable(),
  })
  .meta({ id: 'AuditOutcome' });

export const auditContribution = z
  .strictObject({
    strategy: z.string(),
    resultId: eventId,
    direction,
    probability: share,
    confidence: share,
    weight: z.number(),
    evidence: z.number(),
  })
  .meta({ id: 'AuditContribution' });

export const auditDecision = z
  .strictObject({
    ...place,
    ...derived,
    direction,
    probability: share,
    confidence: share,
    level: confidenceLevel,
    hitRule: auditHitRule,
    calibration: auditCalibration.nullable().describe('null before engine version 4'),
    contributions: z.array(auditContribution),
    reasoning: z.string().nullable().describe('the formula with its figures, for people'),
  })
  .meta({ id: 'AuditDecision' });

export const auditResult = z
  .strictObject({
    ...place,
    ...derived,
    strategy: z.string(),
    direction,
    probability: share,
    confidence: share,
    level: confidenceLevel,
    indicators: z.record(z.string(), z.number()),
    hitRule: auditHitRule,
    calibration: auditCalibration.nullable().describe('null before engine version 4'),
    reasoning: z.string().nullable().describe('the formula with its figures, for people'),
  })
  .meta({ id: 'AuditResult' });

export const auditSignal = z
  .strictObject({
    ...place,
    kind: z.string(),
    source: z.string(),
    instrument: instrumentName.nullable().describe('null: about the whole market'),
    timeUs: timeUs.describe('when it became known'),
    value: z.number().describe('-1 to 1'),
    confidence: share,
    validFromUs: timeUs,
    validUntilUs: timeUs,
    textHash: hash.nullable().describe('SHA-256 of the text that was scored'),
    link: z.string().nullable().describe('as its source gives it: not checked'),
    causes: z.array(z.string()).describe('ids of the events from which it was computed'),
  })
  .meta({ id: 'AuditSignal' });

export const auditSnapshot = z
  .strictObject({
    ...place,
    ...derived,
    lastPrice: price,
    vwap: z.number(),
    vwapDeviation: z.number(),
    pointOfControl: price,
    valueAreaLow: price,
    valueAreaHigh: price,
    rangeHigh: price.nullable(),
    rangeLow: price.nullable(),
    barVolume: z.number(),
    meanBarVolume: z.number().nullable(),
    sessionVolume: z.number(),
    tradeCount: count,
    firstOffset: count.describe('first tape offset that it covers'),
    lastOffset: count.describe('last tape offset that it covers'),
  })
  .meta({ id: 'AuditSnapshot' });

export const auditTrade = z
  .strictObject({
    topic: z.string(),
    partition: count,
    offset: count.describe('on the tape'),
    hash,
    tradeId: z.string(),
    instrument: instrumentName,
    timeUs,
    price,
    size: z.string().describe('exact decimal, base currency'),
    side: z.enum(['BUY', 'SELL', 'UNKNOWN']).describe("the taker's"),
    source: z.string(),
  })
  .meta({ id: 'AuditTrade', description: 'a trade as it is on the tape' });

export const auditTrades = z
  .strictObject({
    firstOffset: count,
    lastOffset: count,
    count: count.describe('trades that count, each once'),
    first: auditTrade,
    last: auditTrade,
    missing: count.describe('trades that happened and are not on the tape there'),
    gaps: count,
    remarks: z.record(z.string(), count).describe('trades that were left out, or count with a remark, by kind'),
  })
  .meta({ id: 'AuditTrades' });

export const auditCheck = z
  .strictObject({
    name: z.string(),
    passed: z.boolean(),
    detail: z.string().describe('the figures, for people'),
    restsOn: z.string().describe('what has to be right for the check to mean anything'),
  })
  .meta({ id: 'AuditCheck' });

export const auditCheckpoint = z
  .strictObject({
    eventId,
    origin: z.string().describe('the log'),
    index: count.describe('of the leaf, from 0'),
    signed: z
      .strictObject({ at: z.string(), size: count, isVerified: z.boolean() })
      .describe('the first checkpoint with it, by the clock of the process that signed it'),
    cosigned: z
      .strictObject({
        size: count,
        by: z.array(z.strictObject({ witness: z.string(), at: z.string() })),
        isVerified: z.boolean(),
      })
      .nullable()
      .describe('the first one that witnesses cosigned, each by its own clock; null without one'),
    beforeOutcome: z
      .strictObject({
        beforeSent: z.boolean().nullable(),
        outcomeSentAt: z.string().nullable(),
        beforeDue: z.boolean().nullable(),
        dueAt: z.string(),
      })
      .nullable(),
  })
  .meta({ id: 'AuditCheckpoint' });

export const auditProvenance = z
  .strictObject({
    tapeId: z.string(),
    activationId: z.string(),
    engineVersion: z.string(),
    gitCommit: z.string(),
    configHash: z.string(),
    actor: z.string().nullable(),
    reason: z.string().nullable(),
    approver: z.string().nullable(),
    sources: z.array(z.strictObject({ source: z.string(), trades: count })).describe('most frequent first'),
    sourcesNotNamed: count,
    received: z.strictObject({ first: z.string(), last: z.string() }).nullable(),
    checkpointed: auditCheckpoint.nullable().describe('null while no checkpoint has it'),
  })
  .meta({ id: 'AuditProvenance' });

/** The chain from an outcome down to the trades, walked straight from Kafka, with the checks on the way. */
export const auditResponse = z
  .strictObject({
    asked: eventId,
    isVerified: z.boolean().describe('true: the chain was derived again, and the checks include that'),
    outcome: auditOutcome.nullable().describe('null while pending, for NEUTRAL, and for a snapshot'),
    pendingUntilUs: timeUs.nullable().describe('due time of a forecast that waits for the tape to reach it'),
    decision: auditDecision.nullable().describe("null where a strategy's result or a snapshot was asked for"),
    results: z.array(auditResult),
    signals: z.array(auditSignal).describe('the context that the results name'),
    snapshot: auditSnapshot,
    trades: auditTrades,
    resolvingTrade: auditTrade.nullable(),
    provenance: auditProvenance,
    amendedSince: z
      .strictObject({ counts: z.record(z.string(), count), recordsNotSearched: count })
      .describe('later amendments of these trades, by kind'),
    checks: z.array(auditCheck),
    allPassed: z.boolean(),
    notDerived: z
      .array(z.strictObject({ engineVersion: z.string(), gitCommit: z.string(), eventIds: z.array(z.string()) }))
      .describe('events of other engine versions, which this build cannot derive again'),
    notChecked: z.array(z.string()).describe('for people'),
  })
  .meta({ id: 'Audit' });

export type AuditResponse = z.infer<typeof auditResponse>;
export type AuditOutcome = z.infer<typeof auditOutcome>;
export type AuditDecision = z.infer<typeof auditDecision>;
export type AuditResult = z.infer<typeof auditResult>;
export type AuditSignal = z.infer<typeof auditSignal>;
export type AuditSnapshot = z.infer<typeof auditSnapshot>;
export type AuditTrade = z.infer<typeof auditTrade>;
export type AuditCheck = z.infer<typeof auditCheck>;
