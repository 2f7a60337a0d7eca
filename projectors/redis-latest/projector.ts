import type { Outcome, ProbabilityDecision } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { refusalOf, refusalOfWatermark } from '../../contracts/trade-rules.ts';
import type { LatestOperation, ProjectedEvent, RedisProjector } from '../projector.ts';

/** A price is stale once the venue is known to have had no later trade for this long. */
const STALE_AFTER_MS = 60_000;
const MICROSECONDS_PER_MS = 1_000;

/** The latest price, decision and verdict of each instrument: `tp:<g>:{<p>}:latest:<instrument>`. */
export const redisLatest: RedisProjector = {
  name: 'redis-latest',
  summary: 'Latest price, decision and verdict of each instrument, in Redis',
  topics: ['raw.trades', 'probability.decisions', 'decision.outcomes'],
  skips: ['EngineActivated', 'TradeGap'],
  sink: 'redis',
  keyspace: 'tp',
  index: 'instruments',
  lags: [
    {
      field: 'stale',
      aheadField: 'clockUs',
      behindField: 'priceTimeUs',
      moreThanUs: STALE_AFTER_MS * MICROSECONDS_PER_MS,
    },
  ],
  project,
};

function project(source: ProjectedEvent): readonly LatestOperation[] {
  if (source.type === 'Trade') return latestPrice(source);
  if (source.type === 'Watermark') return latestClock(source);
  if (source.type === 'ProbabilityDecision') return [latestDecision(source.event)];
  if (source.type === 'Outcome' && source.event.forecastKind === 'DECISION') return [latestVerdict(source.event)];
  return [];
}

/** The price with the greatest event time, whatever the order of arrival; on a tie the later one on the tape. */
function latestPrice({ event: trade, partition, partitions }: Extract<ProjectedEvent, { type: 'Trade' }>) {
  // Trades that the engine refuses have no effect here either.
  if (refusalOf(trade) !== undefined || partitionOf(trade.instrument, partitions) !== partition) return [];
  const price = {
    kind: 'set-if-later',
    entity: trade.instrument,
    timeField: 'priceTimeUs',
    timeUs: trade.eventTime,
    id: trade.tradeId,
    // `stale` changes only with the tape; with this value readers judge by their own clock whether a feed has died.
    fields: { price: trade.price.toString(), tradeId: trade.tradeId, staleAfterMs: String(STALE_AFTER_MS) },
  } as const;
  return [price];
}

/**
 * How far the market is known, for each instrument that the watermark covers. One without a trade so far has only a clock:
 * an absent price cannot be stale.
 */
function latestClock({ event: watermark, partition, partitions }: Extract<ProjectedEvent, { type: 'Watermark' }>) {
  if (refusalOfWatermark(watermark) !== undefined) return [];
  return watermark.instruments
    .filter((instrument) => partitionOf(instrument, partitions) === partition)
    .map((entity) => ({ kind: 'advance', entity, timeField: 'clockUs', timeUs: watermark.eventTime }) as const);
}

function latestDecision(decision: ProbabilityDecision): LatestOperation {
  return {
    kind: 'set',
    entity: decision.instrument,
    fields: {
      direction: decision.direction,
      probability: String(decision.probability),
      ...calibrationOf(decision),
      confidence: String(decision.confidence),
      level: decision.level,
      decisionId: decision.eventId,
      decisionTimeUs: String(decision.eventTime),
    },
  };
}

/** All three are empty, and so replaced, where an engine version before 4 decided. */
function calibrationOf({ calibration }: ProbabilityDecision): Record<string, string> {
  return {
    rawProbability: String(calibration?.rawProbability ?? ''),
    calibratedProbability: String(calibration?.calibratedProbability ?? ''),
    referenceRate: String(calibration?.referenceRate ?? ''),
  };
}

function latestVerdict(outcome: Outcome): LatestOperation {
  return { kind: 'set', entity: outcome.instrument, fields: { lastVerdict: outcome.verdict } };
}
