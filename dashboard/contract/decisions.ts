import { z } from 'zod';
import {
  confidenceLevel,
  count,
  cursorText,
  direction,
  eventId,
  instrumentName,
  limitText,
  nextCursor,
  price,
  share,
  timeUs,
  timeUsText,
  verdict,
} from './values.ts';

export const DECISIONS_PAGE_MAX = 500;
export const DECISIONS_PAGE_DEFAULT = 100;

export const decisionStatus = z
  .enum(['HIT', 'MISS', 'VOID', 'PENDING', 'NONE'])
  .describe('PENDING: no outcome yet; NONE: a NEUTRAL decision, which has no outcome');

export const decisionsQuery = z.strictObject({
  cursor: cursorText.optional(),
  limit: limitText(DECISIONS_PAGE_MAX, DECISIONS_PAGE_DEFAULT),
  direction: direction.optional(),
  status: decisionStatus.optional(),
  fromUs: timeUsText.optional().describe('decisions at or after it'),
  toUs: timeUsText.optional().describe('decisions before it'),
});

export const decisionOutcome = z
  .strictObject({
    outcomeId: eventId,
    verdict,
    dueUs: timeUs,
    observedUs: timeUs.nullable().describe('market time of the resolving trade; null when VOID'),
    observedPrice: price.nullable(),
    moveBps: z.number().nullable().describe('from the reference to the observed price, basis points'),
  })
  .meta({ id: 'DecisionOutcome' });

export const decision = z
  .strictObject({
    decisionId: eventId,
    timeUs,
    direction,
    status: decisionStatus,
    probability: share.describe('published probability of a HIT'),
    rawProbability: share.nullable(),
    calibratedProbability: share.nullable(),
    referenceRate: share.nullable().describe('p0'),
    confidence: share,
    level: confidenceLevel,
    referencePrice: price.describe('price at the decision'),
    horizonMs: count,
    dueUs: timeUs.describe('timeUs + horizonMs'),
    minMoveBps: z.number(),
    engineVersion: z.string(),
    configHash: z.string(),
    outcome: decisionOutcome.nullable(),
  })
  .meta({ id: 'Decision', description: 'a decision with its outcome, where it has one' });

export const decisionsResponse = z
  .strictObject({
    instrument: instrumentName,
    decisions: z.array(decision).max(DECISIONS_PAGE_MAX).describe('newest first'),
    nextCursor,
  })
  .meta({ id: 'Decisions' });

export type DecisionStatus = z.infer<typeof decisionStatus>;
export type Decision = z.infer<typeof decision>;
export type DecisionsResponse = z.infer<typeof decisionsResponse>;
export type DecisionsQuery = z.infer<typeof decisionsQuery>;
