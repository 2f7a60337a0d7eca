import { z } from 'zod';
import { confidenceLevel, count, direction, eventId, instrumentName, price, share, timeUs, verdict } from './values.ts';

/** Prices of a sparkline at most. */
export const SPARKLINE_PRICES_MAX = 60;

export const latestDecision = z
  .strictObject({
    decisionId: eventId,
    timeUs: timeUs.describe('market time of the decision'),
    direction,
    probability: share.describe('published probability of a HIT'),
    rawProbability: share.nullable().describe('the evidence taken literally; null before engine version 4'),
    calibratedProbability: share.nullable().describe('as outcomes have shown it; null before engine version 4'),
    referenceRate: share
      .nullable()
      .describe('p0: how often an undirected forecast comes true there; null before engine version 4'),
    confidence: share.describe('quality of the basis of the decision, 0 to 1; not a probability'),
    level: confidenceLevel,
  })
  .meta({ id: 'LatestDecision', description: 'the latest decision of an instrument' });

/** One instrument as Redis has it. Age and staleness are as of the answer's `asOfUs`; count on from there. */
export const instrumentState = z
  .strictObject({
    instrument: instrumentName,
    displayName: z.string().describe("the name in the venue's own letters, for people"),
    price: price.nullable().describe('latest price; null before the first trade'),
    priceTimeUs: timeUs.nullable().describe('market time of that price'),
    clockUs: timeUs.nullable().describe('up to when the market is known; null where nothing says so, as after a file'),
    ageMs: count.nullable().describe('from clockUs, else priceTimeUs, to asOfUs; null without either'),
    staleAfterMs: count.nullable().describe('a price whose age is greater is stale'),
    isStale: z
      .boolean()
      .describe(
        'the price is stale by the tape, or its age by the clock is greater than staleAfterMs, or there is none',
      ),
    decision: latestDecision.nullable().describe('null before the first decision'),
    lastVerdict: verdict.nullable().describe('of the latest decision that was resolved; null before the first'),
  })
  .meta({ id: 'InstrumentState', description: 'the latest state of an instrument' });

export const sparklinePoint = z.strictObject({ timeUs, price }).meta({ id: 'SparklinePoint' });

export const sparkline = z
  .array(sparklinePoint)
  .max(SPARKLINE_PRICES_MAX)
  .nullable()
  .describe('prices of the latest snapshots, oldest first; null while Postgres does not answer');

export const instrumentOverview = z
  .strictObject({ state: instrumentState, sparkline })
  .meta({ id: 'InstrumentOverview' });

export const instrumentsResponse = z
  .strictObject({
    asOfUs: timeUs.describe("this server's clock"),
    instruments: z.array(instrumentOverview).describe('by name; at most 10,000'),
    total: count.describe('all instruments; more than are listed where there are too many'),
  })
  .meta({ id: 'Instruments' });

export const instrumentResponse = z
  .strictObject({ asOfUs: timeUs.describe("this server's clock"), instrument: instrumentOverview })
  .meta({ id: 'Instrument' });

export type LatestDecision = z.infer<typeof latestDecision>;
export type InstrumentState = z.infer<typeof instrumentState>;
export type SparklinePoint = z.infer<typeof sparklinePoint>;
export type InstrumentOverview = z.infer<typeof instrumentOverview>;
export type InstrumentsResponse = z.infer<typeof instrumentsResponse>;
export type InstrumentResponse = z.infer<typeof instrumentResponse>;
